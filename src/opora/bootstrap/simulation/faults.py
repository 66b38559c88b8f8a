"""A store that fails as stores do: late, refusing, answering to nobody, and with processes dying in the middle."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Protocol

from opora.adapters.sql.connection import Connection, Database, Row, Transaction
from opora.adapters.sql.sqlite import SqliteConnection, SqliteDatabase
from opora.core.kernel.errors import DatabaseUnavailable

WRITES = re.compile(r"\b(?:INSERT INTO|UPDATE|DELETE FROM)\s+(\w+)")

type Rewrite = Callable[[str], str]


def unchanged(sql: str) -> str:
    """Leave a statement as the program wrote it; a planted bug is another function in this place."""
    return sql


@lru_cache(maxsize=2048)
def tables_of(sql: str) -> frozenset[str]:
    """Return the tables that a statement writes."""
    return frozenset(WRITES.findall(sql))


class Fate(Protocol):
    """What may happen to a process whenever it touches the store."""

    async def meet(self, *, holding: bool) -> None:
        """Let time pass, or freeze, or crash; `holding` a transaction, a process is not frozen."""
        ...

    def refuses(self) -> bool:
        """Tell whether the store refuses this time."""
        ...

    def committed(self, tables: Collection[str]) -> None:
        """Hear that a transaction that wrote these tables is there for good, whoever is told of it."""
        ...

    def loses_answer(self) -> bool:
        """Tell whether what was done is not answered."""
        ...


class Untroubled(Fate):
    """Nothing ever happens."""

    async def meet(self, *, holding: bool) -> None:
        """Go on at once."""

    def committed(self, tables: Collection[str]) -> None:
        """Let it be."""

    def refuses(self) -> bool:
        return False

    def loses_answer(self) -> bool:
        return False


class FaultyConnection(Connection):
    """Statements that fate may strike before and after."""

    dialect = "sqlite"

    def __init__(self, inner: Connection, fate: Fate, rewrite: Rewrite, *, holding: bool) -> None:
        self._inner = inner
        self._fate = fate
        self._rewrite = rewrite
        self._holding = holding
        self.written: set[str] = set()
        """The tables that its statements wrote."""

    async def _before(self) -> None:
        await self._fate.meet(holding=self._holding)
        if self._fate.refuses():
            raise DatabaseUnavailable

    async def _after(self) -> None:
        await self._fate.meet(holding=self._holding)
        if not self._holding and self._fate.loses_answer():
            raise DatabaseUnavailable

    async def fetch(self, sql: str, **parameters: object) -> list[Row]:
        await self._before()
        rows = await self._inner.fetch(self._rewrite(sql), **parameters)
        self.written |= tables_of(sql)
        await self._after()
        return rows

    async def execute(self, sql: str, **parameters: object) -> int:
        await self._before()
        count = await self._inner.execute(self._rewrite(sql), **parameters)
        self.written |= tables_of(sql)
        await self._after()
        return count

    async def execute_many(self, sql: str, rows: Sequence[Mapping[str, object]]) -> None:
        await self._before()
        await self._inner.execute_many(self._rewrite(sql), rows)
        self.written |= tables_of(sql)
        await self._after()

    async def next_ids(self, sequence: str, count: int = 1) -> Sequence[int]:
        return await self._inner.next_ids(sequence, count)

    def listed(self, name: str, kind: str = "bigint") -> str:
        return self._inner.listed(name, kind)


class FaultyTransaction(Transaction):
    """A transaction whose commit may fail, or succeed and not be answered."""

    def __init__(self, inner: Transaction, fate: Fate, rewrite: Rewrite) -> None:
        self._inner = inner
        self._fate = fate
        self.connection = self._faulty = FaultyConnection(inner.connection, fate, rewrite, holding=True)

    async def commit(self) -> None:
        try:
            await self._fate.meet(holding=True)
        except BaseException:
            await self._inner.rollback()
            raise
        if self._fate.refuses():
            await self._inner.rollback()
            raise DatabaseUnavailable
        await self._inner.commit()
        self._fate.committed(self._faulty.written)
        await self._fate.meet(holding=False)
        if self._fate.loses_answer():
            raise DatabaseUnavailable

    async def rollback(self) -> None:
        await self._inner.rollback()


class FaultyDatabase(Database):
    """One simulated process's hold on the file."""

    dialect = "sqlite"

    def __init__(self, inner: SqliteDatabase, fate: Fate, rewrite: Rewrite = unchanged) -> None:
        self._inner = inner
        self._fate = fate
        self._rewrite = rewrite

    async def open(self) -> None:
        await self._inner.open()
        self.read = FaultyConnection(self._inner.read, self._fate, self._rewrite, holding=False)

    async def close(self) -> None:
        """Let go at once; the file's own journal undoes what was not committed, as after a kill."""
        await self._inner.close()

    async def begin(self) -> Transaction:
        await self._fate.meet(holding=False)
        if self._fate.refuses():
            raise DatabaseUnavailable
        return FaultyTransaction(await self._inner.begin(), self._fate, self._rewrite)

    @asynccontextmanager
    async def scan(self) -> AsyncIterator[Connection]:
        driver = self._inner.connect(read_only=True)
        try:
            yield SqliteConnection(driver)
        finally:
            driver.close()


async def never() -> None:
    """Wait for what does not come: the task that crashed its process gets no further."""
    await asyncio.get_running_loop().create_future()
