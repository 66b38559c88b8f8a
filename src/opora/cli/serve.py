"""`opora serve`: the API and, unless told otherwise, a worker in the same process."""

import os
import signal
import socket
import sys
from argparse import ArgumentParser
from types import FrameType
from typing import NoReturn

import uvicorn
from uvicorn.supervisors import Multiprocess

from opora.bootstrap.settings import Settings
from opora.bootstrap.sources import load
from opora.cli.command import Call, Command
from opora.cli.exits import CommandFailed, Exit
from opora.cli.running import run
from opora.cli.values import whole
from opora.cli.welcome import greet, greeted

APPLICATION = "opora.bootstrap.http:application"
BACKLOG = 2048


def serve(call: Call) -> Exit:
    """Serve until SIGTERM or SIGINT; what is under way then is let end."""
    settings = _told(call)
    welcome = run(lambda app: greet(app, settings), settings)
    listening = _bound(settings)
    url = (
        settings.base_url.replace(":0", f":{listening.getsockname()[1]}")
        if settings.http_port == 0
        else settings.base_url
    )
    for line in greeted(welcome, url):
        call.output.line(line)
    if welcome is not None:
        call.output.document({**welcome.plain(), "url": url})
    sys.stdout.flush()
    many = f"{settings.workers} processes" if settings.workers > 1 else "one process"
    call.output.note(
        f"Serving on {url} in {many}, {'with' if settings.run_jobs else 'without'} jobs. Stop with Ctrl+C."
    )
    return _run(_server(settings), listening)


def _told(call: Call) -> Settings:
    """Return the settings with what the arguments say; the processes that are started read the variables again."""
    given = call.arguments
    for variable, value in (
        ("OPORA_HTTP_HOST", given.host),
        ("OPORA_HTTP_PORT", given.port),
        ("OPORA_WORKERS", given.workers),
        ("OPORA_RUN_JOBS", "false" if given.no_worker else None),
    ):
        if value is not None:
            os.environ[variable] = str(value)
    return load()


def _bound(settings: Settings) -> socket.socket:
    """Take the port before anything else is started, so that a taken one is said plainly."""
    host = settings.http_host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, settings.http_port), family=family, backlog=BACKLOG)
    except OSError as fault:
        where = f"{settings.http_host}:{settings.http_port}"
        mend = "Stop what holds it, or choose another: --port, OPORA_HTTP_PORT"
        raise CommandFailed(Exit.UNAVAILABLE, f"cannot listen on {where}: {fault.strerror}", mend) from fault
    listening.set_inheritable(True)
    return listening


def _server(settings: Settings) -> uvicorn.Config:
    """Return how the server runs: its own log and its own trust in proxies are left to the edge."""
    return uvicorn.Config(
        APPLICATION,
        factory=True,
        workers=settings.workers,
        loop="auto",
        http="httptools",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=settings.drain_s,
    )


def _run(config: uvicorn.Config, listening: socket.socket) -> Exit:
    """Run the server to its end; a start that fails has said why in the log."""

    def leave(number: int, frame: FrameType | None) -> NoReturn:
        del number, frame
        sys.exit(Exit.OK)  # uvicorn raises the signal again once everything has ended

    signal.signal(signal.SIGTERM, leave)
    server = uvicorn.Server(config)
    with listening:
        if config.workers > 1:
            Multiprocess(config, sockets=[listening]).run()
            return Exit.OK
        try:
            server.run(sockets=[listening])
        except SystemExit:
            if not server.started:  # the log has said why
                return Exit.UNAVAILABLE
            raise
    return Exit.OK if server.started else Exit.UNAVAILABLE


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--host", help="the address to listen on; OPORA_HTTP_HOST, else 127.0.0.1")
    parser.add_argument("--port", type=whole(0, 65535), help="the port; OPORA_HTTP_PORT, else 8000; 0 takes a free one")
    parser.add_argument("--workers", type=whole(1, 256), metavar="N", help="processes; OPORA_WORKERS, else 1")
    parser.add_argument("--no-worker", action="store_true", help="run no jobs here; `opora worker` does elsewhere")


COMMANDS = {"": Command("Serve the API and, unless told otherwise, run jobs", serve, _arguments,
                        "opora serve --port 8080 --workers 2 --no-worker")}  # fmt: skip
