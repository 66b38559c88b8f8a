"""Many seeds, one after another, each in the same yard made as new."""

import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from opora.bootstrap.simulation.composition import composition
from opora.bootstrap.simulation.faults import Rewrite, unchanged
from opora.bootstrap.simulation.invariants import HISTORY
from opora.bootstrap.simulation.life import Run
from opora.bootstrap.simulation.town import played_in_town
from opora.bootstrap.simulation.world import played
from opora.bootstrap.simulation.yard import Yard

MEMORY = Path("/dev/shm")  # noqa: S108  # a folder of our own is made in it
"""Files that need no disk: nothing here is to survive the machine."""


def in_memory() -> Path | None:
    """Return the folder for files that need no disk, where the machine has one."""
    return MEMORY if MEMORY.is_dir() else None


def prepare(file: Path) -> None:
    """Make a migrated file the template of all seeds: with the history of every job, and no log beside it."""
    with closing(sqlite3.connect(file, isolation_level=None)) as driver:
        driver.executescript(HISTORY)
        driver.execute("PRAGMA journal_mode=DELETE")
        driver.execute("VACUUM")


def runs(seeds: range, template: Path, rewrite: Rewrite = unchanged) -> Iterator[Run]:
    """Play seeds, each on what a prepared file holds."""
    with (
        tempfile.TemporaryDirectory(prefix="opora-simulation-", dir=in_memory()) as folder,
        Yard(template, Path(folder)) as yard,
    ):
        for seed in seeds:
            yield played(seed, yard, rewrite)


def town_runs(seeds: range, template: Path, rewrite: Rewrite = unchanged, names: Sequence[str] = ()) -> Iterator[Run]:
    """Play seeds of the whole program, each on what a founded file holds; `names` are the districts to play."""
    root = composition()
    with (
        tempfile.TemporaryDirectory(prefix="opora-simulation-", dir=in_memory()) as folder,
        Yard(template, Path(folder)) as yard,
    ):
        for seed in seeds:
            yield played_in_town(seed, yard, root, rewrite, names)
