"""A SQLite file as it stood at one moment, taken while it is written to."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

PAGES_AT_ONCE = 4_000


class SnapshotBroken(Exception):
    """The file that was taken does not hold together; the message says where."""


def take_snapshot(source: Path, target: Path, progress: Callable[[int, int], None]) -> None:
    """Copy the database as it stands now into a new file, and check that; writers are not kept waiting.

    A read transaction is held for the whole copy: pages that are written meanwhile stay in the log, and the copy, which
    would else begin anew after each of them, comes to its end. Raises SnapshotBroken.
    """
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    os.close(descriptor)
    with closing(sqlite3.connect(source, isolation_level=None)) as read, closing(sqlite3.connect(target)) as written:
        read.execute("BEGIN")
        read.execute("SELECT count(*) FROM alembic_version").fetchone()
        read.backup(
            written, pages=PAGES_AT_ONCE, progress=lambda _, left, total: progress(total - left, total), sleep=0.0
        )
    check_file(target)


def check_file(file: Path) -> None:
    """Raise SnapshotBroken unless every page and every reference of a database that nobody uses is sound."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro&immutable=1", uri=True)) as base:
        try:
            told = base.execute("PRAGMA integrity_check(1)").fetchone()[0]
            stray = base.execute("PRAGMA foreign_key_check").fetchone()
        except sqlite3.DatabaseError as fault:
            raise SnapshotBroken(f"{file.name}: {fault}") from fault
    if told != "ok":
        raise SnapshotBroken(f"{file.name}: {told}")
    if stray is not None:
        raise SnapshotBroken(f"{file.name}: row {stray[1]} of {stray[0]} names a row of {stray[2]} that is not there")
