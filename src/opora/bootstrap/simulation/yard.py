"""One file and a few connections that all seeds share: a fresh world costs a copy of bytes, not a schema.

SQLite keeps a journal here instead of a log beside the file, so that whatever the file holds can be replaced between
two seeds; connections see that by its change counter, and keep their statements, for the schema is the same.
"""

import os
import random
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

from opora.adapters.sql.sqlite import PRAGMAS, SqliteDatabase

COUNTERS = (24, 92)
"""Where a file tells how often it changed, and for which of its changes its size holds."""
CLOSED = "Cannot operate on a closed database."


class Lent:
    """A connection that a process has for as long as it lives; given back, it works for that process no more."""

    def __init__(self, driver: sqlite3.Connection, home: list[sqlite3.Connection]) -> None:
        self._driver: sqlite3.Connection | None = driver
        self._home = home

    def _living(self) -> sqlite3.Connection:
        if self._driver is None:
            raise sqlite3.ProgrammingError(CLOSED)
        return self._driver

    def execute(self, sql: str, parameters: Mapping[str, object] | Sequence[object] = ()) -> sqlite3.Cursor:
        """Run a statement."""
        return self._living().execute(sql, cast("Any", parameters))

    def executemany(self, sql: str, rows: Sequence[Mapping[str, object]]) -> sqlite3.Cursor:
        """Run a statement once a row."""
        return self._living().executemany(sql, cast("Any", rows))

    @property
    def in_transaction(self) -> bool:
        """Tell whether a transaction is open."""
        return self._living().in_transaction

    def close(self) -> None:
        """Undo what is open, as the journal does after a kill, and go home."""
        if self._driver is not None:
            self._driver.rollback()
            self._home.append(self._driver)
            self._driver = None


class Yard:
    """The file of the seed at hand, and the connections that wait for its processes."""

    def __init__(self, template: Path, folder: Path) -> None:
        self._template = template.read_bytes()
        self._file = os.open(folder / "world.db", os.O_RDWR | os.O_CREAT)
        self.path = folder / "world.db"
        self._changes = 0
        self._now: Callable[[], datetime] | None = None
        self.idle: dict[bool, list[sqlite3.Connection]] = {True: [], False: []}
        """Readers and writers that nobody has."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for driver in (*self.idle[True], *self.idle[False]):
            driver.close()
        os.close(self._file)

    def renew(self, now: Callable[[], datetime]) -> None:
        """Make the file as new, by a clock of its own."""
        self._now = now
        self._changes += 1 << 16  # more than a seed changes it
        fresh = bytearray(self._template)
        for place in COUNTERS:
            fresh[place : place + 4] = self._changes.to_bytes(4, "big")
        os.pwrite(self._file, fresh, 0)
        os.ftruncate(self._file, len(fresh))

    def now(self) -> datetime:
        """Return what the store of the seed at hand takes for the time."""
        if self._now is None:
            raise LookupError("no seed was begun")
        return self._now()


class YardDatabase(SqliteDatabase):
    """The store of one simulated process."""

    pragmas = PRAGMAS | {"journal_mode": "MEMORY", "synchronous": "OFF"}

    def __init__(self, yard: Yard, fraction: Callable[[], float] = random.random) -> None:
        super().__init__(yard.path, now=yard.now, fraction=fraction)
        self._yard = yard

    def connect(self, *, read_only: bool = False, any_thread: bool = False) -> sqlite3.Connection:
        """Lend a connection that another process left, or a new one."""
        home = self._yard.idle[read_only]
        driver = home.pop() if home else super().connect(read_only=read_only, any_thread=any_thread)
        return cast("sqlite3.Connection", Lent(driver, home))
