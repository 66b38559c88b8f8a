"""Looks for signing keys that other processes made, few however many ask."""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic

from opora.core.access.ports.tokens import SigningKeyNews

INTERVAL_S = 0.2
"""Between two looks: what strangers make of it by inventing keys is five statements a second."""


class SharedKeyNews(SigningKeyNews):
    """Everybody who asks is given a look that begins after they asked, together with all others who wait for it."""

    def __init__(self, take: Callable[[], Awaitable[object]], clock_s: Callable[[], float] = monotonic) -> None:
        self._take = take
        self._clock_s = clock_s
        self._looked_s = float("-inf")
        self._next: asyncio.Task[None] | None = None

    async def look(self) -> None:
        if self._next is None:
            self._next = asyncio.create_task(self._when_due())
        await asyncio.shield(self._next)

    async def _when_due(self) -> None:
        try:
            wait_s = self._looked_s + INTERVAL_S - self._clock_s()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
        finally:
            self._next = None  # who asks from here on may have been told of a key that this look has missed
        self._looked_s = self._clock_s()
        await self._take()
