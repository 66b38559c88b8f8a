"""What a repository may say to a relational store: SQL text with `:name` parameters, the same on both stores."""

import re
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import lru_cache
from typing import Any, Protocol

PLACEHOLDER = re.compile(r"'(?:[^']|'')*'|::|:([a-z_][a-z0-9_]*)")


class Row(Protocol):
    """One row of an answer: a value by column name, and an iteration over the values in order."""

    def __getitem__(self, key: Any, /) -> Any: ...

    def __iter__(self) -> Iterator[Any]: ...

    def keys(self) -> Any:
        """Return the column names in order."""
        ...


@lru_cache(maxsize=4096)
def numbered(sql: str) -> tuple[str, tuple[str, ...]]:
    """Rewrite `:name` to `$n` and return the text with the names in order; string literals stay as they are."""
    names: list[str] = []

    def number(match: re.Match[str]) -> str:
        name = match.group(1)
        if name is None:
            return match.group(0)
        if name not in names:
            names.append(name)
        return f"${names.index(name) + 1}"

    return PLACEHOLDER.sub(number, sql), tuple(names)


class Connection(ABC):
    """One conversation with the store.

    Parameters are `:name` in the text; times are aware datetimes, JSON is text. `now()` and `later(seconds)` are the
    store's clock on both stores. A lost or refusing store is DatabaseUnavailable; a broken constraint is
    ConstraintBroken with the constraint's name.
    """

    dialect: str

    @abstractmethod
    async def fetch(self, sql: str, **parameters: object) -> list[Row]:
        """Return every row of the answer."""

    @abstractmethod
    async def execute(self, sql: str, **parameters: object) -> int:
        """Run a statement and return how many rows it changed."""

    @abstractmethod
    async def execute_many(self, sql: str, rows: Sequence[Mapping[str, object]]) -> None:
        """Run a statement once a row of parameters, all or none inside a transaction."""

    @abstractmethod
    async def next_ids(self, sequence: str, count: int = 1) -> Sequence[int]:
        """Take `count` ids of a table that nobody else gets; on PostgreSQL they stay spent after a rollback."""

    @abstractmethod
    def listed(self, name: str, kind: str = "bigint") -> str:
        """Return SQL for a sub-select over the JSON array text bound as `:name`, its items cast to `kind`."""

    async def conclude(self, sql: str, refusal: Exception | None = None, **parameters: object) -> None:
        """Run a statement whose answer nobody waits for; raise `refusal` if it changes no row, at the commit at last.

        In a transaction that holds nothing else it may be run by itself, without beginning one.
        """
        if not await self.execute(sql, **parameters) and refusal is not None:
            raise refusal

    async def fetch_one(self, sql: str, **parameters: object) -> Row | None:
        """Return the first row, or None where there is none."""
        rows = await self.fetch(sql, **parameters)
        return rows[0] if rows else None

    async def fetch_value(self, sql: str, **parameters: object) -> Any:
        """Return the first column of the first row, or None where there is none."""
        rows = await self.fetch(sql, **parameters)
        return rows[0][0] if rows else None

    async def next_id(self, sequence: str) -> int:
        """Take one id."""
        return (await self.next_ids(sequence, 1))[0]


class Transaction(ABC):
    """An open transaction whose end is somebody's explicit choice."""

    connection: Connection

    @abstractmethod
    async def commit(self) -> None:
        """Make everything durable, release the connection, then run what waited for the commit."""

    @abstractmethod
    async def rollback(self) -> None:
        """Undo everything and release the connection; safe to call on a broken one."""


@asynccontextmanager
async def carried(transaction: Transaction) -> AsyncIterator[Connection]:
    """Lend an open transaction to a block: committed when it is left normally, undone by whatever it raises."""
    try:
        yield transaction.connection
    except BaseException:
        await transaction.rollback()
        raise
    await transaction.commit()


class Database(ABC):
    """One store, as one process holds it."""

    dialect: str
    read: Connection
    """Single statements in autocommit; safe to use from many tasks at once."""

    @abstractmethod
    async def open(self) -> None:
        """Connect; raise DatabaseUnavailable where the store does not answer."""

    @abstractmethod
    async def close(self) -> None:
        """Let every connection go."""

    @abstractmethod
    async def begin(self) -> Transaction:
        """Open a transaction that may write; on SQLite it holds the write lock from here on."""

    @abstractmethod
    def scan(self) -> AbstractAsyncContextManager[Connection]:
        """Lend a read-only connection for long reads, off the event loop where the driver would block it."""

    def report(self) -> AbstractAsyncContextManager[Connection]:
        """Lend one for long reads that a replica may answer; all that was committed before is there."""
        return self.scan()


type AfterCommit = Callable[[], None]
