"""The newest schema, laid into an empty SQLite file in one go instead of by every migration there ever was."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from opora.adapters.sql.revisions import folder
from opora.adapters.sql.sqlite import instant_text

SCRIPT = "blank.sql"
LAID_AT = "0001-01-01T00:00:00.000000Z"
"""Stands in the script for the time at which it is laid."""
WAIT_S = 30.0


def script() -> Path:
    """Return where the schema stands as SQL: dumped of a file that every migration has been through.

    `make docs` renews it; a test compares the two.
    """
    return folder() / SCRIPT


def lay(file: Path) -> bool:
    """Lay the schema and what comes with it, all or none, and tell whether there was room: only where nothing is yet.

    Of several processes at once one does; the others find the file taken.
    """
    with closing(sqlite3.connect(file, timeout=WAIT_S, isolation_level=None)) as driver:
        driver.execute("BEGIN IMMEDIATE")
        if driver.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
            driver.execute("ROLLBACK")
            return False
        text = script().read_text(encoding="utf-8").replace(LAID_AT, instant_text(datetime.now(UTC)))
        for statement in statements(text.splitlines(keepends=True)):
            driver.execute(statement)
        driver.execute("COMMIT")
        return True


def statements(lines: Iterable[str]) -> Iterator[str]:
    """Give the statements of a script one by one; a trigger has semicolons of its own."""
    waiting = ""
    for line in lines:
        waiting += line
        if line.endswith(";\n") and sqlite3.complete_statement(waiting):
            yield waiting
            waiting = ""


def dumped(file: Path) -> str:
    """Return the script of a file that has just been migrated."""
    with closing(sqlite3.connect(file)) as driver:
        noted = driver.execute("SELECT applied_at FROM schema_history").fetchall()
        text = "\n".join(one for one in driver.iterdump() if one not in {"BEGIN TRANSACTION;", "COMMIT;"})
    for (applied_at,) in noted:
        text = text.replace(applied_at, LAID_AT)
    return text + "\n"
