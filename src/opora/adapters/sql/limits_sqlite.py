"""Limits in a SQLite file of their own: exact over the processes of one machine, with no server.

The driver is called on the event loop: a statement takes less than handing it to a thread would. The file is not
the database's, so that counting calls never waits for a business transaction; what is in it may be lost (no fsync,
and a file that is damaged is made anew), because it says nothing that is older than a window.

A transaction's locks and writes cost more than its statement. Where several calls come in one turn of the event loop
those of the next turn are run by one transaction; a call that comes alone is run at once.
"""

import asyncio
import random
import re
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Asked:
    """A statement that waits for the end of this turn of the event loop, and where its rows are awaited."""

    text: str
    values: Sequence[object]
    rows: asyncio.Future[Rows]

    def answer(self, rows: Rows) -> None:
        """Give the rows to whoever still waits."""
        if not self.rows.done():
            self.rows.set_result(rows)

    def fail(self, error: Exception) -> None:
        """Raise in whoever still waits."""
        if not self.rows.done():
            self.rows.set_exception(error)


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
        self._turning: asyncio.AbstractEventLoop | None = None
        self._asked_in_turn = 0
        self._is_crowded = False
        self._waiting: list[Asked] = []
        self._retries: set[asyncio.Task[None]] = set()

    def clock(self) -> Parameters:
        """See LimitStore."""
        return {"now": self._now_us()}

    async def fetch(self, sql: str, parameters: Parameters) -> Rows:
        """See LimitStore."""
        text, names = positional(sql)
        values = [parameters[name] for name in names]
        loop = asyncio.get_running_loop()
        self._asked_in_turn += 1
        if self._turning is not loop:
            self._turning = loop
            loop.call_soon(self._turn)
        if self._is_crowded:
            self._waiting.append(asked := Asked(text, values, loop.create_future()))
            return await asked.rows
        try:
            return self.opened().execute(text, values).fetchall()
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
        """Let the file go; who still waits is told that it is gone."""
        failed(self._waiting, Unavailable("the file of limits is closed"))
        self._waiting = []
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def _turn(self) -> None:
        """End a turn of the event loop: run what waited for it, and see whether calls come together."""
        self._is_crowded, self._asked_in_turn, self._turning = self._asked_in_turn > 1, 0, None
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        try:
            ran_for(self.opened(), waiting)
        except Exception as error:  # nobody else would tell those who wait
            self._ask_again(waiting, error)

    def _ask_again(self, waiting: Sequence[Asked], error: Exception) -> None:
        try:
            refuse_unless_busy(error)
        except Unavailable as refused:
            failed(waiting, refused)
            return
        retry = asyncio.get_running_loop().create_task(self._again(waiting))
        self._retries.add(retry)
        retry.add_done_callback(self._retries.discard)

    async def _again(self, waiting: Sequence[Asked]) -> None:
        """Run what another process held up."""
        try:
            await self._patiently(lambda driver: ran_for(driver, waiting))
        except BaseException as error:
            failed(waiting, error if isinstance(error, Unavailable) else Unavailable("the file of limits was let go"))
            if not isinstance(error, Exception):
                raise

    async def _patiently[T](self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do the work, again and again while another process writes; the event loop goes on in between."""
        give_up_s = time.monotonic() + self._busy_s
        while True:
            try:
                return work(self.opened())
            except sqlite3.Error as error:
                refuse_unless_busy(error)
                if time.monotonic() > give_up_s:
                    raise Unavailable("the file of limits is busy") from error
            await asyncio.sleep(random.random() / 1_000)  # noqa: S311 - spreads the waiting, keeps no secret

    def opened(self) -> sqlite3.Connection:
        """Return the connection, made when it is first needed; raises sqlite3.Error where it cannot be."""
        return self._opened or self._open()

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


def refuse_unless_busy(error: Exception) -> None:
    """Raise Unavailable unless another process is writing just now, which passes."""
    if getattr(error, "sqlite_errorcode", 0) & 0xFF not in BUSY:
        raise Unavailable("the file of limits does not answer") from error


def failed(waiting: Sequence[Asked], error: Unavailable) -> None:
    """Tell everybody who waits."""
    for asked in waiting:
        asked.fail(error)


def ran_for(driver: sqlite3.Connection, waiting: Sequence[Asked]) -> None:
    """Run statements in one transaction, or the only one in its own, and give each its rows once they are kept."""
    if len(waiting) == 1:
        waiting[0].answer(driver.execute(waiting[0].text, waiting[0].values).fetchall())
        return
    driver.execute("BEGIN IMMEDIATE")
    try:
        found = [driver.execute(asked.text, asked.values).fetchall() for asked in waiting]
        driver.execute("COMMIT")
    except BaseException:  # of a value that cannot be bound too: no transaction may stay open
        with suppress(sqlite3.Error):  # where the transaction is over, its end is what is told
            driver.execute("ROLLBACK")
        raise
    for asked, rows in zip(waiting, found, strict=True):
        asked.answer(rows)


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
