"""Inboxes: what was received is remembered in the transaction of its effect, so that a second delivery has none."""

import asyncio
import sqlite3
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

TABLE = """
CREATE TABLE IF NOT EXISTS opora_inbox (
 consumer text NOT NULL, event_id text NOT NULL, received_at {time} NOT NULL, PRIMARY KEY (consumer, event_id))
"""
KEEP_DAYS = 30


class Seen(Exception):
    """The event was received before: there is nothing to do."""


class Inbox(ABC):
    """Remembers which events a consumer has dealt with."""

    @abstractmethod
    async def open(self) -> None:
        """Make what it needs; called before the first event."""

    @abstractmethod
    def receive(self, consumer: str, event_id: str) -> AbstractAsyncContextManager[Any]:
        """Open a transaction, note the event in it and lend it; raises Seen where it was noted before.

        Leaving the block commits note and effect together; an exception undoes both. Of two at once with one event the
        second waits for the first.
        """

    @abstractmethod
    async def forget(self, older_than: timedelta = timedelta(days=KEEP_DAYS)) -> int:
        """Forget what was received so long ago, and return how many; no event comes again that late."""


class MemoryInbox(Inbox):
    """For trying things out, and for effects that may be had twice: it forgets everything when its process ends."""

    def __init__(self, size_max: int = 100_000) -> None:
        self._size_max = size_max
        self._seen: OrderedDict[tuple[str, str], datetime] = OrderedDict()
        self._one = asyncio.Lock()

    async def open(self) -> None:
        return

    @asynccontextmanager
    async def receive(self, consumer: str, event_id: str) -> AsyncIterator[None]:
        async with self._one:
            if (consumer, event_id) in self._seen:
                raise Seen(event_id)
            yield
            self._seen[(consumer, event_id)] = datetime.now(UTC)
            while len(self._seen) > self._size_max:
                self._seen.popitem(last=False)

    async def forget(self, older_than: timedelta = timedelta(days=KEEP_DAYS)) -> int:
        before = datetime.now(UTC) - older_than
        old = [key for key, at in self._seen.items() if at < before]
        for key in old:
            del self._seen[key]
        return len(old)


class SqliteInbox(Inbox):
    """A table in a SQLite file. The handler is lent the `sqlite3.Connection`, in a transaction that is open."""

    def __init__(self, file: str | Path) -> None:
        self._file = file
        self._connection: sqlite3.Connection | None = None
        self._one = asyncio.Lock()

    async def open(self) -> None:
        if self._connection is None:
            self._connection = sqlite3.connect(self._file, timeout=30.0, isolation_level=None)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute(TABLE.format(time="text"))

    def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection, once it is open."""
        if self._connection is None:
            raise RuntimeError("open the inbox first")
        return self._connection

    @asynccontextmanager
    async def receive(self, consumer: str, event_id: str) -> AsyncIterator[sqlite3.Connection]:
        async with self._one:
            connection = self.connection
            connection.execute("BEGIN IMMEDIATE")
            try:
                note = "INSERT INTO opora_inbox VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
                if not connection.execute(note, (consumer, event_id, datetime.now(UTC).isoformat())).rowcount:
                    raise Seen(event_id)
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    async def forget(self, older_than: timedelta = timedelta(days=KEEP_DAYS)) -> int:
        before = (datetime.now(UTC) - older_than).isoformat()
        async with self._one:
            return self.connection.execute("DELETE FROM opora_inbox WHERE received_at < ?", (before,)).rowcount


class PostgresInbox(Inbox):
    """A table in PostgreSQL. The handler is lent the connection of asyncpg, in a transaction that is open."""

    def __init__(self, pool: Any) -> None:
        """`pool` is one of `asyncpg.create_pool`; whoever made it closes it."""
        self._pool = pool

    async def open(self) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock(hashtext('opora_inbox'))")
            await connection.execute(TABLE.format(time="timestamptz"))

    @asynccontextmanager
    async def receive(self, consumer: str, event_id: str) -> AsyncIterator[Any]:
        async with self._pool.acquire() as connection, connection.transaction():
            note = "INSERT INTO opora_inbox VALUES ($1, $2, now()) ON CONFLICT DO NOTHING RETURNING 1"
            if await connection.fetchval(note, consumer, event_id) is None:
                raise Seen(event_id)
            yield connection

    async def forget(self, older_than: timedelta = timedelta(days=KEEP_DAYS)) -> int:
        async with self._pool.acquire() as connection:
            done: str = await connection.execute(
                "DELETE FROM opora_inbox WHERE received_at < now() - $1::interval", older_than
            )
        return int(done.rpartition(" ")[2])
