"""Many seeds, one after another, each on a fresh copy of one small file."""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from opora.bootstrap.simulation.faults import Rewrite, unchanged
from opora.bootstrap.simulation.invariants import HISTORY
from opora.bootstrap.simulation.world import Run, played

MEMORY = Path("/dev/shm")  # noqa: S108  # a folder of our own is made in it
"""Files that need no disk: nothing here is to survive the machine."""
KEPT = {"jobs", "outbox", "audit_log", "audit_seal", "idempotency_keys", "id_sequences"}


def prepare(file: Path) -> None:
    """Leave in a migrated file what the simulation needs, and add the history of every job."""
    with closing(sqlite3.connect(file, isolation_level=None)) as driver:
        driver.execute("PRAGMA foreign_keys=OFF")
        names = [name for (name,) in driver.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for name in names:
            if name not in KEPT and not name.startswith("sqlite_"):
                driver.execute(f"DROP TABLE {name}")
        driver.execute("DELETE FROM id_sequences WHERE name <> 'audit_log'")
        driver.executescript(HISTORY)
        driver.execute("VACUUM")
        driver.execute("PRAGMA journal_mode=WAL")


def runs(seeds: range, template: Path, rewrite: Rewrite = unchanged) -> Iterator[Run]:
    """Play seeds on copies of a prepared file."""
    with tempfile.TemporaryDirectory(prefix="opora-simulation-", dir=MEMORY if MEMORY.is_dir() else None) as folder:
        for seed in seeds:
            file = Path(shutil.copyfile(template, Path(folder) / "world.db"))
            yield played(seed, file, rewrite)
            for left in Path(folder).iterdir():
                left.unlink()
