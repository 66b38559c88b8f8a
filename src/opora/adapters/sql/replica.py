"""PostgreSQL with a streaming replica, which answers long reads once it has all that was committed before them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from opora.adapters.sql.connection import Connection
from opora.adapters.sql.held import HeldConnections
from opora.adapters.sql.postgres import LOST, AsyncpgConnection, PostgresDatabase, connector
from opora.core.kernel.errors import DatabaseUnavailable

CONNECT_S = 1.0
AGAIN_S = 5.0
"""A replica that did not answer, or did not catch up, is asked again no sooner."""
LOOK_S = 0.01
AWAY = (*LOST, DatabaseUnavailable, asyncpg.PostgresError)
"""A replica that cannot be reached, refuses us or has not what we ask for."""
COMMITTED = "SELECT CAST(pg_current_wal_flush_lsn() AS text)"
HAS_IT = (
    "SELECT pg_is_in_recovery() AND pg_last_wal_replay_lsn() >= CAST(CAST(:committed AS text) AS pg_lsn)"
    " AND pg_last_wal_replay_lsn() IS NOT NULL"
)


class ReplicatedDatabase(PostgresDatabase):
    """A primary for everything, and a replica for what is read at length; without it, the primary for that too."""

    def __init__(
        self,
        url: str,
        read_url: str,
        *,
        catch_up_s: float = 1.0,
        pool_size: int = 10,
        statement_cache: int = 512,
        wait_s: float = 5.0,
    ) -> None:
        """Wait no longer than `catch_up_s` for the replica to have what the primary had when a read began."""
        super().__init__(url, pool_size=pool_size, statement_cache=statement_cache, wait_s=wait_s)
        self._replica_size = pool_size
        self._read_url = read_url
        self._replica_cache = statement_cache
        self._catch_up_s = catch_up_s
        self._not_before_s = 0.0

    async def open(self) -> None:
        await super().open()
        connect = connector(self._read_url, self._replica_cache, CONNECT_S)
        self._replica = HeldConnections(connect, self._replica_size, CONNECT_S)  # connects to nothing yet

    async def close(self) -> None:
        await self._replica.close()
        await super().close()

    @asynccontextmanager
    async def report(self) -> AsyncIterator[Connection]:
        driver = await self._caught_up()
        if driver is None:
            async with self.scan() as connection:
                yield connection
            return
        async with self._replica.returned(driver):
            yield AsyncpgConnection(driver)

    async def _caught_up(self) -> asyncpg.Connection | None:
        """Take a connection to a replica that has everything committed until now, or none."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._not_before_s or self._replica.is_full:
            return None
        committed = str(await self.read.fetch_value(COMMITTED))
        with contextlib.suppress(*AWAY):
            driver = await self._replica.acquire()
            try:
                if await self._has(AsyncpgConnection(driver), committed):
                    return driver
            except BaseException as error:  # cancelled too
                self._replica.release(driver, error)
                raise
            self._replica.release(driver)
        self._not_before_s = loop.time() + AGAIN_S
        return None

    async def _has(self, connection: Connection, committed: str) -> bool:
        loop = asyncio.get_running_loop()
        until_s = loop.time() + self._catch_up_s
        while not await connection.fetch_value(HAS_IT, committed=committed):
            if loop.time() >= until_s:
                return False
            await asyncio.sleep(LOOK_S)
        return True
