"""PostgreSQL by asyncpg: connections that are held, prepared statements, and transactions whose end is explicit."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, NamedTuple, cast

import asyncpg

from opora.adapters.sql.connection import Connection, Database, Row, Transaction, numbered
from opora.adapters.sql.errors import ConstraintBroken
from opora.adapters.sql.held import HeldConnections
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


class LentConnection(AsyncpgConnection):
    """Single statements, each on whichever connection is free."""

    def __init__(self, held: HeldConnections) -> None:
        self._held = held

    async def _run(self, call: str, text: str, *arguments: object) -> Any:
        driver = None
        try:
            driver = await self._held.acquire()
            found = await getattr(driver, call)(text, *arguments)
        except BaseException as error:
            if driver is not None:
                self._held.release(driver, error)
            if not isinstance(error, Exception):
                raise
            raise translated(error) from error
        self._held.release(driver)
        return found

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

    def __init__(self, held: HeldConnections, driver: asyncpg.Connection) -> None:
        super().__init__(driver)
        self.is_begun = False
        self._held = held
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
        driver, self.driver = self.driver, None
        self._held.drop(driver)
        try:
            self.driver = await self._held.acquire()
        except Exception as error:
            raise translated(error) from error

    def give_back(self, error: BaseException | None = None) -> None:
        """End the loan; `error` is what ended it."""
        driver, self.driver = self.driver, None
        if driver is not None:
            self._held.release(driver, error)


class PostgresTransaction(Transaction):
    """BEGIN is sent with the first statement, COMMIT and ROLLBACK here; a lone last statement needs none of them."""

    connection: TransactionConnection

    def __init__(self, held: HeldConnections, driver: asyncpg.Connection) -> None:
        self.connection = TransactionConnection(held, driver)

    async def commit(self) -> None:
        try:
            await self.connection.run_last()
            if self.connection.is_begun:
                await self.connection.driver.execute("COMMIT")
        except BaseException as error:  # cancelled in the middle too: nobody knows what the connection holds
            await asyncio.shield(self._undo(error))
            known = translated(error) if isinstance(error, Exception) else error
            if known is error:
                raise
            raise known from error
        self.connection.give_back()

    async def rollback(self) -> None:
        await asyncio.shield(self._undo(None))  # a connection that is left half undone would never be given back

    async def _undo(self, error: BaseException | None) -> None:
        connection = self.connection
        if connection.driver is not None and connection.is_begun:
            try:
                await connection.driver.execute("ROLLBACK", timeout=UNDO_S)
            except Exception as failure:  # the server rolls a lost connection back by itself
                error = failure
            else:
                error = None  # the server has answered: nothing of ours runs there
        connection.give_back(error)


def connector(url: str, statement_cache: int, timeout_s: float) -> Callable[[], Awaitable[asyncpg.Connection]]:
    """Return what opens a connection; no statement of Opora changes its session, so that nothing need be reset."""
    return partial(
        asyncpg.connect,
        url,
        statement_cache_size=statement_cache,
        command_timeout=60,
        timeout=timeout_s,
        server_settings={"application_name": "opora", "timezone": "UTC"},
    )


class PostgresDatabase(Database):
    """Connections to one PostgreSQL server, directly or through pgbouncer."""

    dialect = "postgresql"

    def __init__(self, url: str, *, pool_size: int = 10, statement_cache: int = 512, wait_s: float = 5.0) -> None:
        """`statement_cache=0` is for pgbouncer in transaction mode; `wait_s` bounds waiting for a free connection."""
        self._url = url
        self._pool_size = pool_size
        self._statement_cache = statement_cache
        self._wait_s = wait_s

    async def open(self) -> None:
        connect = connector(self._url, self._statement_cache, self._wait_s)
        self._held = HeldConnections(connect, self._pool_size, self._wait_s)
        self.read = LentConnection(self._held)
        await self.read.fetch_value("SELECT 1")

    async def close(self) -> None:
        await self._held.close()

    async def begin(self) -> Transaction:
        try:
            driver = await self._held.acquire()
        except Exception as error:
            raise translated(error) from error
        return PostgresTransaction(self._held, driver)

    @asynccontextmanager
    async def scan(self) -> AsyncIterator[Connection]:
        try:
            driver = await self._held.acquire()
        except Exception as error:
            raise translated(error) from error
        async with self._held.returned(driver):
            yield AsyncpgConnection(driver)
