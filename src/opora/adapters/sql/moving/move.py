"""Copying an installation's rows from one store into another, and comparing two of them."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from opora.adapters.sql.moving.ends import Batch, End, MoveRefused, Target
from opora.adapters.sql.moving.postgres import postgres_end
from opora.adapters.sql.moving.rows import SEEDED, Compared, Shape, Tally, compared, shapes
from opora.adapters.sql.moving.sqlite import sqlite_end

SQLITE = "sqlite:///"

type Progress = Callable[[int, int], None]
"""Told how many rows are behind, of how many."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two installations beside each other: every table, and the counters of ids that are behind on the other side."""

    tables: Sequence[Compared]
    counters_behind: Mapping[str, tuple[int, int]]

    @property
    def rows(self) -> int:
        """How many rows the first side has."""
        return sum(one.rows for one in self.tables)

    @property
    def different(self) -> Sequence[Compared]:
        """The tables whose rows differ."""
        return [one for one in self.tables if not one.is_equal]

    @property
    def is_equal(self) -> bool:
        """Whether the other side may take the place of the first."""
        return not self.different and not self.counters_behind


@asynccontextmanager
async def end_of(url: str) -> AsyncIterator[Target]:
    """Hold the store at an address, alone, in one transaction."""
    if url.startswith(SQLITE):
        with sqlite_end(Path(url.removeprefix(SQLITE))) as end:
            yield end
        return
    async with postgres_end(url) as remote:
        yield remote


async def copy(url: str, to: str, progress: Progress) -> Comparison:
    """Copy everything, compare what arrived, and commit only where both sides are equal.

    Raises MoveRefused, with nothing changed, where the schemas differ, the target holds anything, either side is in
    use, or what arrived differs.
    """
    async with end_of(url) as source, end_of(to) as target:
        await require_same_schema(source, target)
        await require_empty(target)
        return await filled(source, target, progress)


async def filled(source: End, target: Target, progress: Progress) -> Comparison:
    """Fill an empty target, read it back, and commit it where it is equal."""
    tables = shapes()
    total = 2 * sum([await source.count(shape.name) for shape in tables])
    told = Told(progress, total)
    await target.clear([shape.name for shape in reversed(tables) if shape.name in SEEDED])
    sent: dict[str, Tally] = {}
    for shape in tables:
        sent[shape.name] = Tally()
        await target.put(shape, tallied(source, shape, sent[shape.name], told))
    await target.set_counters(await source.counters())
    await target.watch()
    arrived = [compared(shape.name, sent[shape.name], await tally(target, shape, told)) for shape in tables]
    comparison = Comparison(arrived, behind(await source.counters(), await target.counters()))
    if not comparison.is_equal:
        names = ", ".join([one.table for one in comparison.different] + sorted(comparison.counters_behind))
        raise MoveRefused(f"what arrived differs, in {names}; nothing was kept", "Please report it")
    await target.commit()
    return comparison


async def compare(url: str, to: str, progress: Progress) -> Comparison:
    """Read both sides whole and put them beside each other; raises MoveRefused where they cannot be compared."""
    async with end_of(url) as source, end_of(to) as target:
        await require_same_schema(source, target)
        total = 0
        for shape in shapes():
            total += await source.count(shape.name) + await target.count(shape.name)
        told = Told(progress, total)
        tables = [
            compared(shape.name, await tally(source, shape, told), await tally(target, shape, told))
            for shape in shapes()
        ]
        return Comparison(tables, behind(await source.counters(), await target.counters()))


class Told:
    """Adds up how far the work has come."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress = progress
        self._total = total
        self._done = 0

    def add(self, rows: int) -> None:
        """So many rows more are behind."""
        self._done += rows
        self._progress(self._done, max(self._total, self._done))


async def tallied(end: End, shape: Shape, tally: Tally, told: Told) -> AsyncIterator[Batch]:
    """Pass the rows of a table on, adding them up."""
    async for batch in end.rows(shape):
        tally.take(batch)
        told.add(len(batch))
        yield batch


async def tally(end: End, shape: Shape, told: Told) -> Tally:
    """Add a whole table up."""
    found = Tally()
    async for _ in tallied(end, shape, found, told):
        pass
    return found


def behind(here: Mapping[str, int], there: Mapping[str, int]) -> Mapping[str, tuple[int, int]]:
    """Name the counters that would hand out an id a second time on the other side."""
    both = here.keys() & there.keys()
    return {name: (here[name], there[name]) for name in sorted(both) if there[name] < here[name]}


async def require_same_schema(source: End, target: End) -> None:
    """Raise MoveRefused unless both sides stand at one revision."""
    here, there = await source.revision(), await target.revision()
    if here is None:
        raise MoveRefused(f"{source.about} holds no installation", "Check OPORA_DATABASE_URL, or OPORA_HOME")
    if here != there:
        raise MoveRefused(
            f"{source.about} stands at {here}, {target.about} at {there or 'nothing'}",
            "Bring both to one release: `opora db upgrade`, with OPORA_DATABASE_URL naming each in turn",
        )


async def require_empty(target: End) -> None:
    """Raise MoveRefused where the target holds more than a new database does."""
    for shape in shapes():
        if shape.name not in SEEDED and await target.count(shape.name):
            raise MoveRefused(
                f"{target.about} is not empty: there are rows in {shape.name}",
                "Give a new database, migrated by `opora db upgrade` and never served from",
            )
