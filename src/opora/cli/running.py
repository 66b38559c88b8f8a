"""Opens the application for one command and runs its awaits: the only event loop of the command line."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol

from opora.bootstrap.container import application
from opora.bootstrap.settings import Settings
from opora.bootstrap.sources import load


class Application(Protocol):
    """The built program."""

    async def get[T](self, kind: type[T]) -> T:
        """Return the one instance that stands for a use case, a view or a port."""
        ...


def run[T](work: Callable[[Any], Awaitable[T]], settings: Settings | None = None) -> T:
    """Run `work(application)` to its end and close everything behind it."""
    chosen = settings or load()

    async def opened() -> T:
        async with application(chosen) as app:
            return await work(app)

    return asyncio.run(opened())


def alone(work: Coroutine[Any, Any, None]) -> None:
    """Run what opens the application itself, on the quicker loop where there is one."""
    if sys.platform == "win32":
        asyncio.run(work)
        return
    import uvloop  # noqa: PLC0415 — not on Windows, and only a process that stays is worth it

    uvloop.run(work)
