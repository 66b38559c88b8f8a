"""PostgreSQL by asyncpg: a pool, prepared statements, and transactions whose end is explicit."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

import asyncpg

from opora.adapters.sql.connection import Connection, Database, Row, Transaction, numbered
from opora.adapters.sql.errors import ConstraintBroken
from opora.core.kernel.errors import DatabaseUnavailable

LOST = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.TooManyConnectionsError,
    asyncpg.exceptions.OperatorInterventionError,  # shut down, crashed or still starting
    asyncpg.DiskFullError,
)
UNDO_S = 5.0
BEATEN = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
"""The server chose another transaction; the same call may be made again."""


def translated(error: Exception) -> Exception:
    """Name a driver's error in words both stores share; unknown ones stay as they are."""
    if isinstance(error, asyncpg.IntegrityConstraintViolationError):
        return ConstraintBroken(error.constraint_name or error.column_name or "")
    if isinstance(error, LOST + BEATEN):
        return DatabaseUnavailable()
    return error


class AsyncpgConnection(Connection):
    """SQL over one asyncpg connection; asyncpg keeps prepared statements by their text."""

    dialect = "postgresql"

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    async def fetch(self, sql: str, **parameters: object) -> list[Row]:
        text, names = numbered(sql)
        try:
            return cast("list[Row]", await self.driver.fetch(text, *[parameters[name] for name in names]))
        except Exception as error:
            raise translated(error) from error

    async def execute(self, sql: str, **parameters: object) -> int:
        text, names = numbered(sql)
        try:
            tag = await self.driver.execute(text, *[parameters[name] for name in names])
        except Exception as error:
            raise translated(error) from error
        return affected(tag)

    async def execute_many(self, sql: str, rows: Sequence[Mapping[str, object]]) -> None:
        text, names = numbered(sql)
        try:
            await self.driver.executemany(text, [[row[name] for name in names] for row in rows])
        except Exception as error:
            raise translated(error) from error

    async def next_ids(self, sequence: str, count: int = 1) -> Sequence[int]:
        rows = await self.fetch(f"SELECT nextval('{sequence}_id_seq') FROM generate_series(1, :count)", count=count)
        return [row[0] for row in rows]

    def listed(self, name: str, kind: str = "bigint") -> str:
        return f"(SELECT CAST(value AS {kind}) FROM json_array_elements_text(CAST(:{name} AS json)))"


def affected(tag: str) -> int:
    """Read the row count from a command tag such as `UPDATE 3`."""
    last = tag.rpartition(" ")[2]
    return int(last) if last.isdecimal() else 0


class PooledConnection(AsyncpgConnection):
    """Single statements, each on whichever connection of the pool is free; a lost one is tried once more."""

    def __init__(self, pool: asyncpg.Pool, wait_s: float) -> None:
        self._pool = pool
        self._wait_s = wait_s

    async def _run(self, call: str, text: str, *arguments: object) -> Any:
        try:
            async with self._pool.acquire(timeout=self._wait_s) as driver:
                return await getattr(driver, call)(text, *arguments)
        except Exception as error:
            raise translated(error) from error

    async def fetch(self, sql: str, **parameters: object) -> list[Row]:
        text, names = numbered(sql)
        return cast("list[Row]", await self._run("fetch", text, *[parameters[name] for name in names]))

    async def execute(self, sql: str, **parameters: object) -> int:
        text, names = numbered(sql)
        return affected(await self._run("execute", text, *[parameters[name] for name in names]))

    async def execute_many(self, sql: str, rows: Sequence[Mapping[str, object]]) -> None:
        text, names = numbered(sql)
        await self._run("executemany", text, [[row[name] for name in names] for row in rows])


class PostgresTransaction(Transaction):
    """BEGIN has been sent; COMMIT and ROLLBACK are sent here."""

    def __init__(self, pool: asyncpg.Pool, driver: Any) -> None:
        self._pool = pool
        self._driver = driver
        self.connection = AsyncpgConnection(driver)

    async def commit(self) -> None:
        try:
            await self._driver.execute("COMMIT")
        except BaseException as error:  # cancelled in the middle too: nobody knows what the connection holds
            await self.rollback()
            if isinstance(error, Exception):
                raise translated(error) from error
            raise
        await asyncio.shield(self._pool.release(self._driver))

    async def rollback(self) -> None:
        await asyncio.shield(self._undo())  # a connection that is let go half undone would be lost to the pool

    async def _undo(self) -> None:
        try:
            await self._driver.execute("ROLLBACK", timeout=UNDO_S)
        except Exception:  # the server rolls a lost connection back by itself
            with contextlib.suppress(asyncpg.InterfaceError):  # the pool has let go of it before us
                self._driver.terminate()
        await self._pool.release(self._driver)


async def keep_session(_: Any) -> None:
    """Leave a released connection as it is: no statement of Opora changes the session."""


class PostgresDatabase(Database):
    """A pool of connections to one PostgreSQL server, directly or through pgbouncer."""

    dialect = "postgresql"

    def __init__(self, url: str, *, pool_size: int = 10, statement_cache: int = 512, wait_s: float = 5.0) -> None:
        """`statement_cache=0` is for pgbouncer in transaction mode; `wait_s` bounds waiting for a free connection."""
        self._url = url
        self._pool_size = pool_size
        self._statement_cache = statement_cache
        self._wait_s = wait_s

    async def open(self) -> None:
        try:
            self._pool = await asyncpg.create_pool(
                self._url,
                min_size=0,
                max_size=self._pool_size,
                max_inactive_connection_lifetime=300,
                statement_cache_size=self._statement_cache,
                command_timeout=60,
                timeout=self._wait_s,
                reset=keep_session,
                server_settings={"application_name": "opora", "timezone": "UTC"},
            )
        except Exception as error:
            raise translated(error) from error
        self.read = PooledConnection(self._pool, self._wait_s)
        await self.read.fetch_value("SELECT 1")

    async def close(self) -> None:
        try:
            await asyncio.wait_for(self._pool.close(), timeout=5)
        except TimeoutError:
            self._pool.terminate()

    async def begin(self) -> Transaction:
        for attempt in (1, 2):  # a pooled connection may have died while idle: the second try is a fresh one
            try:
                driver = await self._pool.acquire(timeout=self._wait_s)
            except Exception as error:
                raise translated(error) from error
            try:
                await driver.execute("BEGIN")
            except BaseException as error:  # cancelled too: else the pool would be one connection short for ever
                await PostgresTransaction(self._pool, driver).rollback()
                if not isinstance(error, Exception):
                    raise
                if attempt == 2 or not isinstance(error, LOST):  # noqa: PLR2004
                    raise translated(error) from error
            else:
                return PostgresTransaction(self._pool, driver)
        raise DatabaseUnavailable

    @asynccontextmanager
    async def scan(self) -> AsyncIterator[Connection]:
        try:
            driver = await self._pool.acquire(timeout=self._wait_s)
        except Exception as error:
            raise translated(error) from error
        try:
            yield AsyncpgConnection(driver)
        finally:
            await self._pool.release(driver)
