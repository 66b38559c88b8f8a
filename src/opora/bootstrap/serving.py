"""Runs the program as processes: the HTTP service with its worker, or a worker alone."""

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from types import ModuleType
from typing import Any

import uvicorn
from dishka import AsyncContainer
from uvicorn.supervisors import Multiprocess

from opora.adapters.memory.key_usage import KeyUsageLog
from opora.api import logs
from opora.bootstrap.container import application, upgrade_embedded
from opora.bootstrap.lean import ORM_FOR_LITESTAR, without
from opora.bootstrap.settings import Settings
from opora.bootstrap.sources import load
from opora.bootstrap.watching import watchable
from opora.bootstrap.worker import working
from opora.core.access.ports.rates import RateStats
from opora.core.access.usecases.signing import EnsureSigningKey
from opora.worker.journal import LoggedJournal
from opora.worker.loops import Loop

KEEP_ALIVE_S = 30
ACCEPTED_A_TURN = 16
"""How many new connections a process takes in between two looks at those it has."""
SOCKET_MESSAGE_BYTES_MAX = 64 * 1024
KEYS_RENEWED_S = 10.0
"""How soon a process turns to a new signing key, and lets go of one that was withdrawn."""
type First = Callable[[AsyncContainer], Awaitable[None]]
"""What is done with an opened program before it is served."""

LOG_FORMATS = {"json": True, "text": False, "auto": None}


async def nothing_first(container: AsyncContainer) -> None:
    """Serve at once."""
    del container


@asynccontextmanager
async def tending(container: AsyncContainer) -> AsyncIterator[None]:
    """Keep what an API process keeps in memory in step with the store: signing keys, uses of keys, figures."""
    keys = await container.get(EnsureSigningKey)
    usage = await container.get(KeyUsageLog)
    stats = await container.get(RateStats)
    making = None if await keys.take() else asyncio.create_task(keys(), name="making the first signing key")

    async def renew() -> bool:
        if making is not None and not making.done():
            await making
        else:
            await keys()
        return False

    async def flush_usage() -> bool:
        await usage.flush()
        return False

    async def flush_stats() -> bool:
        await stats.flush()
        return False

    journal = LoggedJournal()
    loops = [
        Loop("renewing signing keys", KEYS_RENEWED_S, renew, journal),
        Loop("writing uses of keys", 30.0, flush_usage, journal),
        Loop("writing figures of limits", 3.0, flush_stats, journal),
    ]
    tasks = [asyncio.create_task(loop.run(), name=loop.name) for loop in loops]
    try:
        yield
    finally:
        if making is not None:
            tasks.append(making)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await flush_stats()


def web() -> tuple[ModuleType, ModuleType]:
    """Load what only a process that answers HTTP needs: how its edge is wired, and how its application is built."""
    with without(ORM_FOR_LITESTAR):
        from opora.bootstrap import edge, http  # noqa: PLC0415  # a worker and a command do without Litestar
    return edge, http


class ServedProgram:
    """The ASGI application of one process: opened by the server's lifespan unless it is already, and closed by it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stack = AsyncExitStack()
        self._gate: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            await self._gate(scope, receive, send)

    async def open(self, first: First = nothing_first) -> None:
        """Connect, check the schema, do what comes `first`, bind the controllers and start the worker."""
        settings = self._settings
        if settings.embedded:
            (edge, http), _ = await asyncio.gather(asyncio.to_thread(web), upgrade_embedded(settings, apart=True))
        else:
            edge, http = web()
        container = await self._stack.enter_async_context(application(settings, edge.Edge(settings)))
        await first(container)
        log(settings)
        self._gate = await http.gate_of(container)
        await self._stack.enter_async_context(tending(container))
        if settings.run_jobs:
            await self._stack.enter_async_context(working(container, settings))

    async def close(self) -> None:
        """Let running jobs end and everything go, in the reverse order; a second call does nothing."""
        await self._stack.aclose()

    async def _live(self, receive: Any, send: Any) -> None:
        await receive()
        try:
            if self._gate is None:
                await self.open()
        except BaseException as error:
            await self.close()
            await send({"type": "lifespan.startup.failed", "message": f"{type(error).__name__}: {error}"})
            raise
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.close()
        await send({"type": "lifespan.shutdown.complete"})


def service() -> ServedProgram:
    """Build the application from the environment: what each of several processes of `opora serve` calls."""
    settings = load()
    log(settings)
    return ServedProgram(settings)


def log(settings: Settings) -> None:
    """Set this process's log up."""
    logs.configure(settings.log_level, as_json=LOG_FORMATS[settings.log_format])


def server_options(settings: Settings) -> dict[str, Any]:
    """How the server runs, whatever it serves."""
    return {
        "host": settings.http_host.strip("[]"),
        "port": settings.http_port,
        "loop": "uvloop" if sys.platform != "win32" else "asyncio",
        "http": "opora.bootstrap.wire:Connection",
        "ws": "websockets-sansio",
        "ws_max_size": SOCKET_MESSAGE_BYTES_MAX,
        "ws_ping_interval": 20.0,
        "ws_ping_timeout": 20.0,
        "ws_per_message_deflate": False,
        "lifespan": "on",
        "log_config": None,
        "access_log": False,
        "proxy_headers": False,
        "server_header": False,
        "timeout_graceful_shutdown": settings.drain_s,
        "timeout_keep_alive": KEEP_ALIVE_S,
    }


def listeners(config: uvicorn.Config) -> list[socket.socket]:
    """Bind the address and return it as `ACCEPTED_A_TURN` sockets of one queue of newcomers.

    uvloop takes in one newcomer a turn from each socket. A turn in which many requests are answered lasts a quarter of
    a second: by one socket, newcomers would wait far longer than those who are connected.
    """
    first = config.bind_socket()
    return [first, *(first.dup() for _ in range(ACCEPTED_A_TURN - 1))]


async def serve_here(settings: Settings, first: First) -> None:
    """Serve in this process until SIGTERM or SIGINT; requests and jobs that run are let end within the drain time.

    The program is opened once, by this loop and before the server: what goes wrong is raised to the caller.
    """
    program = ServedProgram(settings)
    try:
        await program.open(first)
        config = uvicorn.Config(program, **server_options(settings))
        server = uvicorn.Server(config)
        await server.serve(listeners(config))
    finally:
        await program.close()
    if not server.started:
        sys.exit(1)


def serve_apart(settings: Settings) -> None:
    """Serve in `settings.workers` processes, each of which reads the settings again from the environment."""
    options = server_options(settings)
    config = uvicorn.Config("opora.bootstrap.serving:service", factory=True, workers=settings.workers, **options)
    Multiprocess(config, listeners(config)).run()


async def work(settings: Settings) -> None:
    """Run a worker alone until SIGTERM or SIGINT."""
    log(settings)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, ended.set)
    async with application(settings) as container, working(container, settings), watchable(container, settings):
        await ended.wait()
