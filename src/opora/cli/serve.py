"""`opora serve`: the API and, unless told otherwise, a worker in the same process."""

import os
import signal
import socket
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

from msgspec.structs import replace

from opora.bootstrap import serving
from opora.bootstrap.settings import Settings
from opora.bootstrap.sources import load
from opora.cli.command import Call, Command
from opora.cli.exits import CommandFailed, Exit
from opora.cli.output import Output
from opora.cli.running import Application, alone, run
from opora.cli.values import whole
from opora.cli.welcome import Welcome, greet, greeted


def serve(call: Call) -> Exit:
    """Serve until SIGTERM or SIGINT; what is under way then is let end."""
    given = call.arguments
    told = {"HTTP_HOST": given.host, "HTTP_PORT": given.port, "WORKERS": given.workers}
    # The processes that are started read the variables again, so that is where arguments go.
    os.environ |= {f"OPORA_{name}": str(value) for name, value in told.items() if value is not None}
    os.environ["OPORA_HTTP_PORT"] = str(_port(load()))
    settings = load()
    with_jobs = settings.run_jobs and not given.no_worker
    os.environ["OPORA_RUN_JOBS"] = "true" if with_jobs else "false"
    settings = replace(settings, run_jobs=with_jobs)

    async def greeting(app: Application) -> None:
        _say(call.output, await greet(app, settings), settings)

    if settings.workers == 1:
        return _until_told(lambda: alone(serving.serve_here(settings, greeting)))
    run(greeting, settings)
    return _until_told(lambda: serving.serve_apart(settings))


def _say(output: Output, welcome: Welcome | None, settings: Settings) -> None:
    """Greet on standard output where it is the first start; say on standard error what is being served."""
    for line in greeted(welcome, settings.base_url):
        output.line(line)
    output.document({"url": settings.base_url, "first_start": welcome.plain() if welcome else None})
    sys.stdout.flush()
    many = f"{settings.workers} processes" if settings.workers > 1 else "one process"
    with_or_without = "with" if settings.run_jobs else "without"
    output.note(f"Serving on {settings.base_url} in {many}, {with_or_without} jobs. Stop with Ctrl+C.")


def _port(settings: Settings) -> int:
    """Return the port to listen on, a free one for 0; a taken one is said before anything else is started."""
    host = settings.http_host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.create_server((host, settings.http_port), family=family) as probe:
            return int(probe.getsockname()[1])
    except OSError as fault:
        where = f"{settings.http_host}:{settings.http_port}"
        mend = "Stop what holds it, or choose another: --port, OPORA_HTTP_PORT"
        raise CommandFailed(Exit.UNAVAILABLE, f"cannot listen on {where}: {fault.strerror}", mend) from fault


def _until_told(serve: Callable[[], None]) -> Exit:
    """Run a server to its end; where the server itself could not start, its log has said why."""

    def leave(number: int, frame: FrameType | None) -> NoReturn:
        del number, frame
        sys.exit(Exit.OK)

    signal.signal(signal.SIGTERM, leave)  # the server raises the signal again once everything has ended
    try:
        serve()
    except KeyboardInterrupt:
        return Exit.OK
    except SystemExit as left:
        return Exit.UNAVAILABLE if left.code else Exit.OK
    return Exit.OK


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--host", help="the address to listen on; OPORA_HTTP_HOST, else 127.0.0.1")
    parser.add_argument("--port", type=whole(0, 65535), help="the port; OPORA_HTTP_PORT, else 8000; 0 takes a free one")
    parser.add_argument("--workers", type=whole(1, 256), metavar="N", help="processes; OPORA_WORKERS, else 1")
    parser.add_argument("--no-worker", action="store_true", help="run no jobs here; `opora worker` does elsewhere")


COMMANDS = {"": Command("Serve the API and, unless told otherwise, run jobs", serve, _arguments,
                        "opora serve --port 8080 --workers 2 --no-worker")}  # fmt: skip
