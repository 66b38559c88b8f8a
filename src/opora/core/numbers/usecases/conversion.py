"""Counting how well campaigns do, on demand and by the clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from opora.core.jobs.model import Claim
from opora.core.kernel.model import Actor, PageRequest
from opora.core.kernel.ports import Clock, UnitOfWork
from opora.core.numbers.errors.projects import NoSuchProject
from opora.core.numbers.events.projects import ConversionCalculated
from opora.core.numbers.model.conversion import Conversion
from opora.core.numbers.ports.calls import ConversionViews
from opora.core.numbers.ports.projects import ProjectViews
from opora.core.numbers.ports.transaction import NumberTx
from opora.core.numbers.rules.conversion import conversion
from opora.core.numbers.rules.reach import reach
from opora.core.numbers.usecases.traces import entry

RECALCULATE = "numbers.recalculate"
"""The kind of the job that counts every project."""
TIDY = "numbers.tidy"
"""The kind of the job that folds changes of counts and lets old rows go."""
PROJECTS_AT_ONCE = 100
FOLDED_AT_ONCE = 10_000
FORGOTTEN_AT_ONCE = 5000


@dataclass(frozen=True, slots=True)
class CountingPolicy:
    """How old figures may grow, how long each of them and each event of a call is kept.

    Past `every_kept_for` only the last figures of a day stay.
    """

    fresh_for: timedelta = timedelta(hours=1)
    every_kept_for: timedelta = timedelta(days=30)
    events_kept_for: timedelta = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class RecalculateConversion:
    """Count a campaign now."""

    unit: UnitOfWork[NumberTx]
    clock: Clock

    async def __call__(self, actor: Actor, project_id: int) -> Conversion:
        """Raise NoSuchProject. The counts are maintained: it costs the same at any size."""
        now = self.clock.now()
        async with self.unit() as tx:
            if await tx.projects.read(project_id, reach(actor)) is None:
                raise NoSuchProject(project_id=project_id)
            figures = await counted(tx, project_id, self.clock)
            new: dict[str, object] = {
                "total_numbers": figures.total_numbers,
                "processed_numbers": figures.processed_numbers,
                "success_numbers": figures.success_numbers,
            }
            await tx.audit.record(entry(actor, "project.conversion_calculated", ("project", project_id), now, new=new))
        return figures


@dataclass(frozen=True, slots=True)
class ShowConversion:
    """Tell how a campaign does and did."""

    projects: ProjectViews
    views: ConversionViews
    clock: Clock

    async def __call__(self, actor: Actor, project_id: int, limit: int) -> tuple[Conversion, Sequence[Conversion]]:
        """Return the newest figures and the history; before the first count, those of now. Raises NoSuchProject."""
        seen = reach(actor)
        if await self.projects.one(project_id, seen) is None:
            raise NoSuchProject(project_id=project_id)
        history = (await self.views.history(project_id, seen, PageRequest(limit))).items
        if history:
            return history[0], history
        return conversion(0, project_id, await self.views.counts(project_id, seen), self.clock.now()), ()


@dataclass(frozen=True, slots=True)
class RecalculateAll:
    """Count every campaign whose figures have grown old; a cron slot runs it."""

    unit: UnitOfWork[NumberTx]
    clock: Clock
    policy: CountingPolicy

    async def __call__(self, claim: Claim) -> None:
        """End the job with how many were counted."""
        total, after = 0, 0
        while some := await self._some(after):
            total += len(some)
            after = some[-1]
        async with self.unit() as tx:
            await tx.jobs.finish(claim, {"projects": total})

    async def _some(self, after: int) -> list[int]:
        before = self.clock.now() - self.policy.fresh_for
        async with self.unit() as tx:
            ids = list(await tx.conversions.due(before, after, PROJECTS_AT_ONCE))
            for project_id in ids:
                await counted(tx, project_id, self.clock)
        return ids


async def counted(tx: NumberTx, project_id: int, clock: Clock) -> Conversion:
    """Count a project, keep the figures and announce them."""
    now = clock.now()
    figures = conversion(await tx.conversions.next_id(), project_id, await tx.tally.of(project_id), now)
    await tx.conversions.add(figures)
    event = ConversionCalculated(
        subject=project_id,
        at=now,
        total_numbers=figures.total_numbers,
        processed_numbers=figures.processed_numbers,
        success_numbers=figures.success_numbers,
        failed_numbers=figures.failed_numbers,
    )
    await tx.outbox.add(event)
    return figures


@dataclass(frozen=True, slots=True)
class TidyNumbers:
    """Fold changes of counts into the counts, and let events and figures past their time go; a cron slot runs it."""

    unit: UnitOfWork[NumberTx]
    clock: Clock
    policy: CountingPolicy

    async def __call__(self, claim: Claim) -> None:
        """End the job with how many rows of each went."""
        counts = {"folded": 0, "events": 0, "figures": 0}
        while rows := await self._fold():
            counts["folded"] += rows
        while rows := await self._forget():
            counts["events"] += rows
        while rows := await self._thin():
            counts["figures"] += rows
        async with self.unit() as tx:
            await tx.jobs.finish(claim, counts)

    async def _fold(self) -> int:
        async with self.unit() as tx:
            return await tx.tally.fold(FOLDED_AT_ONCE)

    async def _forget(self) -> int:
        before = self.clock.now() - self.policy.events_kept_for
        async with self.unit() as tx:
            return await tx.calls.forget(before, FORGOTTEN_AT_ONCE)

    async def _thin(self) -> int:
        before = self.clock.now() - self.policy.every_kept_for
        async with self.unit() as tx:
            return await tx.conversions.thin(before, FORGOTTEN_AT_ONCE)


USE_CASES = (RecalculateConversion, ShowConversion, RecalculateAll, TidyNumbers)
