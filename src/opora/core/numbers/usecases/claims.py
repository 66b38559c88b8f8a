"""Handing numbers out for calling, and what a job does for those that were never given back."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from opora.core.jobs.model import Claim
from opora.core.kernel.model import SYSTEM, Actor
from opora.core.kernel.ports import Clock, UnitOfWork
from opora.core.kernel.rules import instant
from opora.core.numbers.errors.projects import NoSuchProject
from opora.core.numbers.events.numbers import NumbersClaimed
from opora.core.numbers.model.numbers import CallingPolicy, PhoneNumber
from opora.core.numbers.model.projects import EVERY_PROJECT, Project, ProjectStatus
from opora.core.numbers.model.schedules import Schedule
from opora.core.numbers.ports.numbers import ClaimGround, ClaimTerms
from opora.core.numbers.ports.transaction import NumberTx
from opora.core.numbers.rules import calls as rules
from opora.core.numbers.rules import lifecycle
from opora.core.numbers.rules.reach import reach
from opora.core.numbers.rules.schedules import open_sets
from opora.core.numbers.usecases.numbers import moved
from opora.core.numbers.usecases.traces import differences, entry

SWEEP = "numbers.sweep"
"""The kind of the job that gives up on calls and claims that nobody ended."""
SWEPT_AT_ONCE = 200
CALLS_MAX = 200
"""How many calls of a number are weighed together."""


type Move = tuple[PhoneNumber, PhoneNumber, Actor]
"""A number after and before, and who moved it."""


class NoneReason(StrEnum):
    """Why a claim gave nothing."""

    PAUSED = "project_paused"
    CLOSED = "outside_calling_hours"
    FULL = "in_progress_max_reached"
    NOTHING_DUE = "nothing_due"


@dataclass(frozen=True, slots=True)
class Claimed:
    """The numbers handed out; where there are none, why."""

    numbers: Sequence[PhoneNumber]
    none_reason: NoneReason | None = None


@dataclass(frozen=True, slots=True)
class ClaimNumbers:
    """Hand out numbers of a project that may be called now, each to one caller only, under a lease."""

    unit: UnitOfWork[NumberTx]
    clock: Clock
    policy: CallingPolicy

    async def __call__(self, actor: Actor, project_id: int, limit: int) -> Claimed:
        """Raise NoSuchProject. Fewer than `limit` come where fewer may be called now."""
        now = self.clock.now()
        async with self.unit() as tx:
            ground = await tx.numbers.ground(project_id, reach(actor))
            if ground is None:
                raise NoSuchProject(project_id=project_id)
            project = ground.project
            if project.status is not ProjectStatus.ACTIVE:
                return Claimed((), NoneReason.PAUSED)
            zone_sets = open_now(ground, now)
            if not zone_sets:
                return Claimed((), NoneReason.CLOSED if ground.waiting else NoneReason.NOTHING_DUE)
            room = await self._room(tx, project, limit)
            if room <= 0:
                return Claimed((), NoneReason.FULL)
            terms = ClaimTerms(
                now=now,
                lease_until=now + self.policy.lease,
                zone_sets=zone_sets,
                attempts_max=project.attempts_max,
            )
            numbers = await tx.numbers.claim(project_id, terms, room)
            if not numbers:
                return Claimed((), NoneReason.NOTHING_DUE)
            ids = tuple(one.id for one in numbers)
            await tx.outbox.add(NumbersClaimed(subject=project_id, at=now, ids=ids))
            new = {"ids": list(ids), "lease_until": instant(terms.lease_until)}
            await tx.audit.record(entry(actor, "numbers.claimed", ("project", project_id), now, new=new))
        return Claimed(numbers)

    async def _room(self, tx: NumberTx, project: Project, limit: int) -> int:
        """Return how many may be handed out; claims of a project with a bound wait for one another."""
        if project.in_progress_max is None:
            return limit
        await tx.projects.get(project.id, EVERY_PROJECT)
        out = await tx.numbers.in_progress(project.id, project.in_progress_max)
        return min(limit, project.in_progress_max - out)


def open_now(ground: ClaimGround, now: datetime) -> Sequence[int]:
    """Return the sets of zones in which a project's hours are open and numbers wait."""
    project = ground.project
    schedule = Schedule(tuple(ground.windows), frozenset(project.holidays), project.zone_mode, project.timezone)
    return open_sets(schedule, list(ground.waiting), ground.waiting, now)


@dataclass(frozen=True, slots=True)
class SweepCalls:
    """Give up on calls whose end was never told and on claims whose lease ended; a cron slot runs it.

    Such a number counts as unanswered for a cause unknown: it is called again after a pause, not at once, for nobody
    knows whether the call took place.
    """

    unit: UnitOfWork[NumberTx]
    clock: Clock
    policy: CallingPolicy

    async def __call__(self, claim: Claim) -> None:
        """End the job with how many of each there were."""
        counts = {"calls": 0, "claims": 0}
        while swept := await self._calls():
            counts["calls"] += swept
        while released := await self._claims():
            counts["claims"] += released
        async with self.unit() as tx:
            await tx.jobs.finish(claim, counts)

    async def _calls(self) -> int:
        now = self.clock.now()
        async with self.unit() as tx:
            found = await tx.calls.endless(now - self.policy.lease, SWEPT_AT_ONCE)
            await tx.calls.save([rules.swept(call, now) for call in found])
            ids = sorted({call.number_id for call in found if call.number_id is not None})
            numbers = await tx.numbers.several(ids, EVERY_PROJECT)
            await settle(tx, [(number, SYSTEM) for number in numbers], self.clock, self.policy)
        return len(found)

    async def _claims(self) -> int:
        now = self.clock.now()
        async with self.unit() as tx:
            found = await tx.numbers.overdue(now, SWEPT_AT_ONCE)
            for number in found:
                project = await tx.projects.read(number.project_id, EVERY_PROJECT)
                attempts_max = project.attempts_max if project else 0
                after = lifecycle.released(number, attempts_max, now)
                await tx.numbers.save(after, number)
                await trace(tx, [(after, number, SYSTEM)])
        return len(found)


async def settle(
    tx: NumberTx, numbers: Sequence[tuple[PhoneNumber, Actor]], clock: Clock, policy: CallingPolicy
) -> None:
    """Bring locked numbers, each with who tells of it, to where all their calls together have them."""
    if not numbers:
        return
    projects = [
        await tx.projects.read(id, EVERY_PROJECT) for id in sorted({number.project_id for number, _ in numbers})
    ]
    attempts_max = {project.id: project.attempts_max for project in projects if project is not None}
    calls = await tx.calls.of_numbers([number.id for number, _ in numbers], CALLS_MAX)
    now = clock.now()
    moves: list[Move] = []
    for number, actor in numbers:
        if number.project_id in attempts_max:
            bound = attempts_max[number.project_id]
            after = rules.settled(number, calls.get(number.id, ()), bound, now, policy)
            if replace(after, updated_at=number.updated_at) != number:
                moves.append((after, number, actor))
    await tx.numbers.save_all([(after, before) for after, before, _ in moves])
    await trace(tx, [move for move in moves if move[0].status is not move[1].status])


async def trace(tx: NumberTx, moves: Sequence[Move]) -> None:
    """Announce and audit that numbers took another status."""
    await tx.outbox.add(*(moved(after, before) for after, before, _ in moves))
    entries = []
    for after, before, actor in moves:
        old, new = differences(before, after)
        subject = ("phone_number", after.id)
        entries.append(entry(actor, "number.status_changed", subject, after.updated_at, old, new))
    await tx.audit.record(*entries)


USE_CASES = (ClaimNumbers, SweepCalls)
