"""A few things done side by side, no more at once than there are lanes."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Self


class Lanes:
    """Runs coroutines in the background, `count` at a time; the first that fails ends all, and its error is raised.

    `async with`: on leaving normally everything begun is waited for, on an error it is cancelled.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._running: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def run(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Begin the work as soon as a lane is free; raises what work begun earlier has raised."""
        while len(self._running) >= self._count:
            await self._some()
        self._running.add(asyncio.create_task(work()))

    async def _some(self) -> None:
        done, self._running = await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    async def __aexit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        try:
            while kind is None and self._running:
                await self._some()
        finally:
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)
            self._running.clear()
