"""SQLite by sqlite3, called directly: 7 µs a read instead of 150 through a thread.

One writer per process, which holds the write lock from BEGIN IMMEDIATE on, so that nothing read inside a transaction
can change under it. Waiting for another process's lock never blocks the event loop.
"""

import asyncio
import random
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import cast
from uuid import UUID

from opora.adapters.sql.connection import Connection, Database, Row, Transaction, carried
from opora.adapters.sql.errors import ConstraintBroken
from opora.core.kernel.errors import DatabaseUnavailable

BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
LOCK_WAIT_S = 30.0
PLAIN = (str, int, float, bytes, bool)
WRITTEN = (UUID, date)
PRAGMAS = {
    "journal_mode": "WAL",
    "synchronous": "NORMAL",  # survives any kill of the process; `full` by setting for loss of power as well
    "foreign_keys": "ON",
    "busy_timeout": "0",  # waiting is done on the event loop, below
    "temp_store": "MEMORY",
    "cache_size": "-16000",
}


class WritesOnReader(Exception):
    """A statement that writes was given to the connection that only reads."""


def instant_text(at: datetime) -> str:
    """Write an instant as fixed-width text that sorts as time does."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def seconds_between(start: str | None, end: str | None) -> float | None:
    """Subtract two instants as columns hold them, to the microsecond: SQLite's own julianday is a float of days."""
    if start is None or end is None:
        return None
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()


def bound(value: object) -> object:
    """Give a parameter the form its column holds."""
    if value is None or type(value) in PLAIN:
        return value
    if isinstance(value, datetime):
        return instant_text(value)
    return str(value) if isinstance(value, WRITTEN) else value


def translated(error: sqlite3.Error) -> Exception:
    """Name a driver's error in words both stores share; unknown ones stay as they are."""
    if isinstance(error, sqlite3.IntegrityError):
        text = str(error)
        return ConstraintBroken(text.partition(": ")[2] or text)
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_READONLY:
        return WritesOnReader()
    if code in BUSY or code in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}:
        return DatabaseUnavailable()
    return error


class SqliteConnection(Connection):
    """SQL over one sqlite3 connection, run where it is called."""

    dialect = "sqlite"

    def __init__(self, driver: sqlite3.Connection) -> None:
        self.driver = driver

    def _run(self, sql: str, parameters: Mapping[str, object]) -> sqlite3.Cursor:
        try:
            return self.driver.execute(sql, {name: bound(value) for name, value in parameters.items()})
        except sqlite3.Error as error:
            raise translated(error) from error

    async def fetch(self, sql: str, **parameters: object) -> list[Row]:
        try:
            return cast("list[Row]", self._run(sql, parameters).fetchall())
        except sqlite3.Error as error:
            raise translated(error) from error

    async def execute(self, sql: str, **parameters: object) -> int:
        cursor = self._run(sql, parameters)
        try:
            cursor.fetchall()  # a statement with RETURNING changes its rows as they are read
        except sqlite3.Error as error:
            raise translated(error) from error
        return max(cursor.rowcount, 0)

    async def execute_many(self, sql: str, rows: Sequence[Mapping[str, object]]) -> None:
        try:
            self.driver.executemany(sql, [{key: bound(value) for key, value in row.items()} for row in rows])
        except sqlite3.Error as error:
            raise translated(error) from error

    async def next_ids(self, sequence: str, count: int = 1) -> Sequence[int]:
        sql = "UPDATE id_sequences SET value = value + :count WHERE name = :name RETURNING value"
        last = await self.fetch_value(sql, count=count, name=sequence)
        if last is None:
            raise LookupError(f"no sequence {sequence}: its migration has not run")
        return range(last - count + 1, last + 1)

    def listed(self, name: str, kind: str = "bigint") -> str:
        affinity = {"bigint": "INTEGER", "integer": "INTEGER"}.get(kind, "TEXT")
        return f"(SELECT CAST(value AS {affinity}) FROM json_each(:{name}))"


class ThreadedConnection(SqliteConnection):
    """SQL over one sqlite3 connection, run in a thread, for reads too long for the event loop."""

    async def fetch(self, sql: str, **parameters: object) -> list[Row]:
        return await asyncio.to_thread(self._fetch, sql, parameters)

    def _fetch(self, sql: str, parameters: Mapping[str, object]) -> list[Row]:
        return cast("list[Row]", self._run(sql, parameters).fetchall())


class SqliteTransaction(Transaction):
    """BEGIN IMMEDIATE has been run; the writer is held until the end."""

    def __init__(self, driver: sqlite3.Connection, release: Callable[[], None]) -> None:
        self._driver = driver
        self._release = release
        self.connection = SqliteConnection(driver)

    async def commit(self) -> None:
        try:
            self._driver.execute("COMMIT")
        except sqlite3.Error as error:
            self._undo()
            raise translated(error) from error
        finally:
            self._release()

    async def rollback(self) -> None:
        try:
            self._undo()
        finally:
            self._release()

    def _undo(self) -> None:
        if self._driver.in_transaction:
            self._driver.execute("ROLLBACK")


class AutocommitConnection(SqliteConnection):
    """Single statements: reads on a connection of their own, writes in a transaction of one."""

    def __init__(self, driver: sqlite3.Connection, begin: Callable[[], Awaitable[Transaction]]) -> None:
        super().__init__(driver)
        self._begin = begin

    async def execute(self, sql: str, **parameters: object) -> int:
        async with carried(await self._begin()) as connection:
            return await connection.execute(sql, **parameters)

    async def fetch(self, sql: str, **parameters: object) -> list[Row]:
        try:
            return await super().fetch(sql, **parameters)
        except WritesOnReader:
            pass
        async with carried(await self._begin()) as connection:
            return await connection.fetch(sql, **parameters)

    async def execute_many(self, sql: str, rows: Sequence[Mapping[str, object]]) -> None:
        async with carried(await self._begin()) as connection:
            await connection.execute_many(sql, rows)

    async def next_ids(self, sequence: str, count: int = 1) -> Sequence[int]:
        async with carried(await self._begin()) as connection:
            return await connection.next_ids(sequence, count)


class SqliteDatabase(Database):
    """One database file, held by one process among any number."""

    dialect = "sqlite"
    pragmas: Mapping[str, str] = PRAGMAS

    def __init__(
        self,
        path: Path,
        *,
        now: Callable[[], datetime] | None = None,
        full_sync: bool = False,
        threads: int = 2,
        fraction: Callable[[], float] = random.random,
    ) -> None:
        """`now` replaces the machine's clock inside SQL (`now()`, `later(seconds)`): simulations tell it the time.

        `fraction` gives numbers in [0, 1) that spread waiting for another process's lock.
        """
        self._path = path
        self._now = now or (lambda: datetime.now(UTC))
        self._full_sync = full_sync
        self._fraction = fraction
        self._lock = asyncio.Lock()
        self._scans = asyncio.Semaphore(threads)

    def connect(self, *, read_only: bool = False, any_thread: bool = False) -> sqlite3.Connection:
        """Open one connection with the pragmas and functions that Opora's SQL relies on."""
        driver = sqlite3.connect(
            self._path, isolation_level=None, check_same_thread=not any_thread, cached_statements=512
        )
        driver.row_factory = sqlite3.Row
        for name, value in self.pragmas.items():
            driver.execute(f"PRAGMA {name}={value}")
        if self._full_sync:
            driver.execute("PRAGMA synchronous=FULL")
        if read_only:
            driver.execute("PRAGMA query_only=ON")
        # Deterministic to SQLite means: once a statement, as on PostgreSQL; else it is asked for every row.
        driver.create_function("seconds_between", 2, seconds_between, deterministic=True)
        driver.create_function("now", 0, lambda: instant_text(self._now()), deterministic=True)
        driver.create_function(
            "later", 1, lambda seconds: instant_text(self._now() + timedelta(seconds=seconds)), deterministic=True
        )
        return driver

    async def open(self) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = self.connect(any_thread=True)  # bulk work runs in a thread while its transaction holds it
            self._reader = self.connect(read_only=True)
        except sqlite3.Error as error:
            raise translated(error) from error
        self.read = AutocommitConnection(self._reader, self.begin)

    async def close(self) -> None:
        self._reader.close()
        self._writer.close()

    async def begin(self) -> Transaction:
        await self._turn()
        try:
            await self._lock_file()
        except BaseException:
            self._lock.release()
            raise
        return SqliteTransaction(self._writer, self._lock.release)

    async def _turn(self) -> None:
        """Wait for this process's writer, but not for ever: the task that holds it may be the one that asks."""
        if not self._lock.locked():
            await self._lock.acquire()
            return
        try:
            async with asyncio.timeout(LOCK_WAIT_S):
                await self._lock.acquire()
        except TimeoutError as error:
            raise DatabaseUnavailable from error

    async def _lock_file(self) -> None:
        deadline = asyncio.get_running_loop().time() + LOCK_WAIT_S
        pause_s = 0.001
        while True:
            try:
                self._writer.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                busy = getattr(error, "sqlite_errorcode", 0) & 0xFF in BUSY
                if not busy or asyncio.get_running_loop().time() > deadline:
                    raise translated(error) from error
            else:
                return
            await asyncio.sleep(pause_s * (0.5 + self._fraction()))
            pause_s = min(pause_s * 2, 0.05)

    @asynccontextmanager
    async def scan(self) -> AsyncIterator[Connection]:
        async with self._scans:
            driver = self.connect(read_only=True, any_thread=True)
            try:
                yield ThreadedConnection(driver)
            finally:
                driver.close()
