"""Limits in a SQLite file of their own: exact over the processes of one machine, with no server.

The driver is called on the event loop: a statement takes less than handing it to a thread would. The file is not
the database's, so that counting calls never waits for a business transaction; what is in it may be lost (no fsync,
and a file that is damaged is made anew), because it says nothing that is older than a window.
"""

import asyncio
import random
import re
import sqlite3
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from opora.adapters.sql.connection import PLACEHOLDER
from opora.adapters.sql.limits import LimitStore, Parameters, Rows
from opora.core.kernel.errors import Unavailable

TABLES = """
CREATE TABLE IF NOT EXISTS rate_cells (
  name TEXT PRIMARY KEY, anchor_us INTEGER NOT NULL, spent_us INTEGER NOT NULL, interval_us INTEGER NOT NULL,
  dead_at_us INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS rate_denials (name TEXT PRIMARY KEY, until_us INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS rate_epochs (
  subject TEXT PRIMARY KEY, epoch_us INTEGER NOT NULL, until_us INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS rate_counts (
  span TEXT NOT NULL, start_s INTEGER NOT NULL, subject TEXT NOT NULL, allowed INTEGER NOT NULL,
  refused INTEGER NOT NULL, PRIMARY KEY (span, start_s, subject)
) WITHOUT ROWID;
"""
OPEN_WITHIN_S = 5.0
BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def wall_us() -> int:
    """Return microseconds since 1970: the clock that all processes of a machine share."""
    return time.time_ns() // 1_000


@lru_cache(maxsize=256)
def positional(sql: str) -> tuple[str, tuple[str, ...]]:
    """Rewrite each `:name` to `?` and name them in order: the driver binds a tuple faster than a mapping.

    Not `?1`: CPython before 3.12.4 takes that for a name and warns that a tuple was given.
    """
    names: list[str] = []

    def marked(match: re.Match[str]) -> str:
        name = match.group(1)
        if name is None:
            return match.group(0)
        names.append(name)
        return "?"

    return PLACEHOLDER.sub(marked, sql), tuple(names)


class SqliteLimits(LimitStore):
    """The file, opened when it is first needed."""

    now_us = ":now"
    least = "min"
    greatest = "max"

    def __init__(self, path: Path, *, busy_s: float = 0.05, now_us: Callable[[], int] = wall_us) -> None:
        """Ask again for `busy_s` at most while another process writes."""
        self._path = path
        self._busy_s = busy_s
        self._now_us = now_us
        self._opened: sqlite3.Connection | None = None

    def clock(self) -> Parameters:
        """See LimitStore."""
        return {"now": self._now_us()}

    async def fetch(self, sql: str, parameters: Parameters) -> Rows:
        """See LimitStore."""
        text, names = positional(sql)
        values = [parameters[name] for name in names]
        try:
            return (self._opened or self._open()).execute(text, values).fetchall()
        except sqlite3.Error as error:
            refuse_unless_busy(error)
        return await self._patiently(lambda driver: driver.execute(text, values).fetchall())

    async def all_or_none(self, statements: Sequence[tuple[str, Parameters]]) -> Rows:
        """See LimitStore."""
        return await self._patiently(lambda driver: ran_together(driver, statements))

    def unfolded(self, name: str) -> str:
        """See LimitStore."""
        return f"json_each(:{name})"

    def close(self) -> None:
        """Let the file go."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    async def _patiently(self, work: Callable[[sqlite3.Connection], list[Sequence[Any]]]) -> list[Sequence[Any]]:
        """Do the work, again and again while another process writes; the event loop goes on in between."""
        give_up_s = time.monotonic() + self._busy_s
        while True:
            try:
                return work(self._opened or self._open())
            except sqlite3.Error as error:
                refuse_unless_busy(error)
                if time.monotonic() > give_up_s:
                    raise Unavailable("the file of limits is busy") from error
            await asyncio.sleep(random.random() / 1_000)  # noqa: S311 - spreads the waiting, keeps no secret

    def _open(self) -> sqlite3.Connection:
        try:
            self._opened = self._opened_file()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise
            for suffix in ("", "-wal", "-shm"):  # damaged, perhaps by a loss of power: it holds nothing worth mending
                self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
            self._opened = self._opened_file()
        return self._opened

    def _opened_file(self) -> sqlite3.Connection:
        driver = sqlite3.connect(self._path, isolation_level=None, timeout=OPEN_WITHIN_S, check_same_thread=False)
        try:
            driver.execute("PRAGMA journal_mode = WAL")
            driver.execute("PRAGMA synchronous = OFF")
            driver.executescript(TABLES)
            driver.execute("PRAGMA busy_timeout = 0")  # waiting is done on the event loop
        except sqlite3.Error:
            driver.close()
            raise
        return driver


def refuse_unless_busy(error: sqlite3.Error) -> None:
    """Raise Unavailable unless another process is writing just now, which passes."""
    if getattr(error, "sqlite_errorcode", 0) & 0xFF not in BUSY:
        raise Unavailable("the file of limits does not answer") from error


def ran_together(driver: sqlite3.Connection, statements: Sequence[tuple[str, Parameters]]) -> list[Sequence[Any]]:
    """Run statements in one transaction; when one gives no row, undo all and return none."""
    driver.execute("BEGIN IMMEDIATE")
    rows: list[Sequence[Any]] = []
    end = "ROLLBACK"
    try:
        for sql, parameters in statements:
            text, names = positional(sql)
            found = driver.execute(text, [parameters[name] for name in names]).fetchall()
            if not found:
                return []
            rows += found
        end = "COMMIT"
    finally:
        driver.execute(end)
    return rows
