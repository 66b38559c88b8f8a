"""Runs the program as processes: the HTTP service with its worker, or a worker alone."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import uvicorn
from dishka import AsyncContainer

from opora.adapters.memory.key_usage import KeyUsageLog
from opora.api import logs
from opora.bootstrap.container import application
from opora.bootstrap.http import gate_of
from opora.bootstrap.settings import Settings
from opora.bootstrap.sources import load
from opora.bootstrap.worker import working
from opora.core.access.ports.rates import RateStats
from opora.core.access.usecases.signing import EnsureSigningKey
from opora.worker.journal import LoggedJournal
from opora.worker.loops import Loop

KEEP_ALIVE_S = 30
LOG_FORMATS = {"json": True, "text": False, "auto": None}


@asynccontextmanager
async def tending(container: AsyncContainer) -> AsyncIterator[None]:
    """Keep what an API process keeps in memory in step with the store: signing keys, uses of keys, figures."""
    keys = await container.get(EnsureSigningKey)
    usage = await container.get(KeyUsageLog)
    stats = await container.get(RateStats)
    await keys()

    async def renew() -> bool:
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
        Loop("renewing signing keys", 60.0, renew, journal),
        Loop("writing uses of keys", 30.0, flush_usage, journal),
        Loop("writing figures of limits", 3.0, flush_stats, journal),
    ]
    tasks = [asyncio.create_task(loop.run(), name=loop.name) for loop in loops]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await flush_stats()


class ServedProgram:
    """The ASGI application of one process: opened and closed by the server's lifespan."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stack = AsyncExitStack()
        self._gate: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            await self._gate(scope, receive, send)

    async def open(self) -> None:
        """Connect, check the schema, bind the controllers and start the worker."""
        container = await self._stack.enter_async_context(application(self._settings))
        self._gate = await gate_of(container)
        await self._stack.enter_async_context(tending(container))
        if self._settings.run_jobs:
            await self._stack.enter_async_context(working(container, self._settings))

    async def close(self) -> None:
        """Let running jobs end and everything go, in the reverse order."""
        await self._stack.aclose()

    async def _live(self, receive: Any, send: Any) -> None:
        await receive()
        try:
            await self.open()
        except BaseException as error:
            await self._stack.aclose()
            await send({"type": "lifespan.startup.failed", "message": f"{type(error).__name__}: {error}"})
            raise
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.close()
        await send({"type": "lifespan.shutdown.complete"})


def service() -> ServedProgram:
    """Build the application from the environment: what every process of `opora serve` calls."""
    settings = load()
    log(settings)
    return ServedProgram(settings)


def log(settings: Settings) -> None:
    """Set this process's log up."""
    logs.configure(settings.log_level, as_json=LOG_FORMATS[settings.log_format])


def serve(settings: Settings, *, processes: int = 1, with_worker: bool = True) -> None:
    """Serve until SIGTERM or SIGINT; requests and jobs that run are let end within the drain time.

    Every process reads the settings again from the environment, so what the caller decided goes there.
    """
    os.environ["OPORA_RUN_JOBS"] = "true" if with_worker else "false"
    uvicorn.run(
        "opora.bootstrap.serving:service",
        factory=True,
        host=settings.http_host.strip("[]"),
        port=settings.http_port,
        workers=processes,
        loop="uvloop" if sys.platform != "win32" else "asyncio",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=settings.drain_s,
        timeout_keep_alive=KEEP_ALIVE_S,
    )


async def work(settings: Settings) -> None:
    """Run a worker alone until SIGTERM or SIGINT."""
    log(settings)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, ended.set)
    async with application(settings) as container, working(container, settings):
        await ended.wait()
