"""PostgreSQL by asyncpg: a pool, prepared statements, and transactions whose end is explicit."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, cast

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
            driver = await self._pool.acquire(timeout=self._wait_s)
            try:
                return await getattr(driver, call)(text, *arguments)
            finally:
                await let_go(self._pool, driver)
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


class Concluding(NamedTuple):
    """A statement that is left to the end of its transaction."""

    sql: str
    refusal: Exception | None
    parameters: Mapping[str, object]


class TransactionConnection(AsyncpgConnection):
    """SQL inside a transaction, which begins with its first statement."""

    def __init__(self, pool: asyncpg.Pool, driver: Any, wait_s: float) -> None:
        super().__init__(driver)
        self.is_begun = False
        self._pool = pool
        self._wait_s = wait_s
        self._last: Concluding | None = None

    async def fetch(self, sql: str, **parameters: object) -> list[Row]:
        await self.ready()
        return await super().fetch(sql, **parameters)

    async def execute(self, sql: str, **parameters: object) -> int:
        await self.ready()
        return await super().execute(sql, **parameters)

    async def execute_many(self, sql: str, rows: Sequence[Mapping[str, object]]) -> None:
        await self.ready()
        await super().execute_many(sql, rows)

    async def conclude(self, sql: str, refusal: Exception | None = None, **parameters: object) -> None:
        if self.is_begun or self._last is not None:
            await super().conclude(sql, refusal, **parameters)
        else:
            self._last = Concluding(sql, refusal, parameters)

    async def ready(self) -> None:
        """Begin, unless that was done, and run what was left to the end and is not the end after all."""
        if not self.is_begun:
            self.is_begun = True  # whatever becomes of it
            await self._begin()
        await self.run_last()

    async def run_last(self) -> None:
        """Run what was left to the end."""
        if self._last is not None:
            (sql, refusal, parameters), self._last = self._last, None
            if not self.is_begun and self.driver.is_closed():
                await self._replace()
            if not await super().execute(sql, **parameters) and refusal is not None:
                raise refusal

    async def _begin(self) -> None:
        try:
            await self.driver.execute("BEGIN")
        except LOST:  # a pooled connection may have died while idle: the second try is a fresh one
            await self._replace()
            try:
                await self.driver.execute("BEGIN")
            except Exception as error:
                raise translated(error) from error
        except Exception as error:
            raise translated(error) from error

    async def _replace(self) -> None:
        await asyncio.shield(self.let_go(is_whole=False))
        try:
            self.driver = await self._pool.acquire(timeout=self._wait_s)
        except Exception as error:
            raise translated(error) from error

    async def let_go(self, *, is_whole: bool) -> None:
        """Give the connection back to the pool, which closes one that is not whole."""
        driver, self.driver = self.driver, None
        if driver is None:
            return
        if not is_whole:
            with contextlib.suppress(asyncpg.InterfaceError):  # the pool has let go of it before us
                driver.terminate()
        await let_go(self._pool, driver)


class PostgresTransaction(Transaction):
    """BEGIN is sent with the first statement, COMMIT and ROLLBACK here; a lone last statement needs none of them."""

    connection: TransactionConnection

    def __init__(self, pool: asyncpg.Pool, driver: Any, wait_s: float) -> None:
        self.connection = TransactionConnection(pool, driver, wait_s)

    async def commit(self) -> None:
        try:
            await self.connection.run_last()
            if self.connection.is_begun:
                await self.connection.driver.execute("COMMIT")
        except BaseException as error:  # cancelled in the middle too: nobody knows what the connection holds
            await self.rollback()
            known = translated(error) if isinstance(error, Exception) else error
            if known is error:
                raise
            raise known from error
        await asyncio.shield(self.connection.let_go(is_whole=True))

    async def rollback(self) -> None:
        await asyncio.shield(self._undo())  # a connection that is let go half undone would be lost to the pool

    async def _undo(self) -> None:
        connection = self.connection
        is_whole = connection.driver is not None
        if is_whole and connection.is_begun:
            try:
                await connection.driver.execute("ROLLBACK", timeout=UNDO_S)
            except Exception:  # the server rolls a lost connection back by itself
                is_whole = False
        await connection.let_go(is_whole=is_whole)


async def let_go(pool: asyncpg.Pool, driver: Any) -> None:
    """Give a connection back; one that was lost since its last statement has left the pool by itself."""
    with contextlib.suppress(asyncpg.InterfaceError, asyncpg.InternalClientError):
        await pool.release(driver)


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
        try:
            driver = await self._pool.acquire(timeout=self._wait_s)
        except Exception as error:
            raise translated(error) from error
        return PostgresTransaction(self._pool, driver, self._wait_s)

    @asynccontextmanager
    async def scan(self) -> AsyncIterator[Connection]:
        try:
            driver = await self._pool.acquire(timeout=self._wait_s)
        except Exception as error:
            raise translated(error) from error
        try:
            yield AsyncpgConnection(driver)
        finally:
            await let_go(self._pool, driver)
