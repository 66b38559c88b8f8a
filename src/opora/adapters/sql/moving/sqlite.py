"""SQLite as an end of a move: the file is this process's alone until the end."""

import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from opora.adapters.sql.moving.ends import BATCH, Batch, MoveRefused, Target
from opora.adapters.sql.moving.rows import Shape, from_text
from opora.adapters.sql.sqlite import bound

WATCHERS = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND sql IS NOT NULL ORDER BY rowid"
WAIT_S = 0.5
"""How long another process may take to let go of the file."""
IS_MIGRATED = "SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'"


class SqliteEnd(Target):
    """One file in one transaction that excludes every other process, readers too."""

    def __init__(self, driver: sqlite3.Connection, path: Path) -> None:
        self._driver = driver
        self._watchers: list[tuple[str, str]] = []
        self.about = str(path)

    async def revision(self) -> str | None:
        if not self._value(IS_MIGRATED):
            return None
        return self._driver.execute("SELECT version_num FROM alembic_version").fetchone()[0]  # type: ignore[no-any-return]

    async def count(self, table: str) -> int:
        return self._value(f'SELECT count(*) FROM "{table}"')

    async def rows(self, shape: Shape) -> AsyncIterator[Batch]:
        readers = [from_text(kind) for kind in shape.kinds]
        turned = [(place, reader) for place, reader in enumerate(readers) if reader is not None]
        with closing(self._driver.execute(f'SELECT {shape.listed} FROM "{shape.name}"')) as found:
            while batch := found.fetchmany(BATCH):
                yield [read(row, turned) for row in batch] if turned else batch

    async def counters(self) -> Mapping[str, int]:
        return dict(self._driver.execute("SELECT name, value FROM id_sequences"))

    async def clear(self, tables: Sequence[str]) -> None:
        self._watchers = self._driver.execute(WATCHERS).fetchall()
        for name, _ in self._watchers:
            self._driver.execute(f'DROP TRIGGER "{name}"')
        for table in tables:
            self._driver.execute(f'DELETE FROM "{table}"')

    async def put(self, shape: Shape, batches: AsyncIterator[Batch]) -> None:
        places = ", ".join("?" * len(shape.columns))
        sql = f'INSERT INTO "{shape.name}" ({shape.listed}) VALUES ({places})'
        async for batch in batches:
            self._driver.executemany(sql, ([bound(value) for value in row] for row in batch))

    async def set_counters(self, counters: Mapping[str, int]) -> None:
        for name, value in counters.items():
            self._driver.execute("UPDATE id_sequences SET value = max(value, ?) WHERE name = ?", (value, name))

    async def watch(self) -> None:
        for _, sql in self._watchers:
            self._driver.execute(sql)
        strays = self._driver.execute("PRAGMA foreign_key_check").fetchall()
        if strays:
            tables = ", ".join(sorted({str(stray[0]) for stray in strays}))
            raise MoveRefused(f"{len(strays)} rows name rows that are not there, in {tables}", "`opora check` there")

    async def commit(self) -> None:
        self._driver.execute("COMMIT")

    def _value(self, sql: str) -> int:
        return int(self._driver.execute(sql).fetchone()[0])


def read(row: Sequence[object], turned: Sequence[tuple[int, Callable[[object], object]]]) -> list[object]:
    """Return a row with the values turned that SQLite keeps in another form."""
    values = list(row)
    for place, reader in turned:
        if values[place] is not None:
            values[place] = reader(values[place])
    return values


@contextmanager
def sqlite_end(path: Path) -> Iterator[SqliteEnd]:
    """Hold a file; what was not committed is undone at the end. Raises MoveRefused where another process has it open.

    A process that has the file open would go on writing to it after it was moved.
    """
    if not path.is_file():
        raise MoveRefused(f"there is no file {path}", "`opora db upgrade` makes the file that is moved into")
    driver = sqlite3.connect(path, isolation_level=None, timeout=WAIT_S)
    try:
        driver.execute("PRAGMA locking_mode=EXCLUSIVE")  # in WAL mode this alone keeps readers of other processes out
        driver.execute("PRAGMA foreign_keys=OFF")  # references are checked at the end, all together
        try:
            driver.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as fault:
            raise MoveRefused(f"{path} is in use ({fault})", "Stop `opora serve` and every worker first") from fault
        yield SqliteEnd(driver, path)
    finally:
        driver.close()
