"""When keys were used, gathered in memory and written in one statement now and then."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

from opora.core.access.ports.keys import KeyUsage, KeyUsageStore
from opora.core.kernel.errors import Unavailable

EVERY_S = 30.0


class KeyUsageLog(KeyUsage):
    """Gathers uses; `run` writes them every half minute and once more at the end."""

    def __init__(self, store: KeyUsageStore) -> None:
        self._store = store
        self._uses: dict[int, datetime] = {}

    def note(self, key_id: int, at: datetime) -> None:
        self._uses[key_id] = at

    async def flush(self) -> None:
        """Write what was gathered; keep it for the next time, and raise, where the store does not take it."""
        uses, self._uses = self._uses, {}
        if not uses:
            return
        try:
            await self._store.record(uses)
        except BaseException:
            # What was noted meanwhile is later and stays.
            self._uses = uses | self._uses
            raise

    async def run(self, pause: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Write every half minute until cancelled, then a last time."""
        try:
            while True:
                await pause(EVERY_S)
                await self._flush_if_answered()
        finally:
            await self._flush_if_answered()

    async def _flush_if_answered(self) -> None:
        try:
            await self.flush()
        except Unavailable:
            return  # the uses are kept; the health checks tell of the store
