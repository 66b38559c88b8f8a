"""What people can do with phone numbers that are there: change one or many, look at one."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import batched

from opora.core.kernel.model import Actor
from opora.core.kernel.ports import Clock, UnitOfWork
from opora.core.numbers.errors.numbers import (
    NoSuchNumber,
    TooManyNumbers,
)
from opora.core.numbers.errors.projects import NoSuchGeo, NoSuchProvider
from opora.core.numbers.events.numbers import NumberStatusChanged, NumbersUpdated
from opora.core.numbers.model.numbers import (
    BULK_MAX,
    CallingPolicy,
    NumberChanges,
    NumberFilter,
    PhoneNumber,
    Refused,
    UpdateOutcome,
)
from opora.core.numbers.model.projects import ProjectReach
from opora.core.numbers.model.registry import NumberingPlan, NumberRange
from opora.core.numbers.ports.numbers import NumberingRegistry, NumberViews
from opora.core.numbers.ports.transaction import NumberTx
from opora.core.numbers.rules import changing
from opora.core.numbers.rules.reach import reach
from opora.core.numbers.rules.zones import zones_of
from opora.core.numbers.usecases.traces import differences, entry

READ_AT_ONCE = 500
CHANGED_AT_ONCE = 2000
IDS_TOLD_MAX = 1000
"""How many ids an audit entry names."""


@dataclass(frozen=True, slots=True)
class UpdateNumber:
    """Change one number: its status by the table, what is kept of its calls, where it belongs."""

    unit: UnitOfWork[NumberTx]
    registry: NumberingRegistry
    clock: Clock
    policy: CallingPolicy

    async def __call__(self, actor: Actor, id: int, changes: NumberChanges) -> PhoneNumber:
        """Raise NoSuchNumber, IllegalMove with what is allowed, InvalidNumberChange, NoSuchProvider, NoSuchGeo."""
        changing.refuse_bad_changes(changes)
        plan = await self.registry.plan()
        now = self.clock.now()
        async with self.unit() as tx:
            before = await tx.numbers.get(id, reach(actor))
            project = await tx.projects.read(before.project_id, reach(actor)) if before else None
            if before is None or project is None:
                raise NoSuchNumber(number_id=id)
            after = changing.changed(before, changes, project.attempts_max, now, self.policy)
            (after,) = await placed(tx, plan, changes, [after])
            await tx.numbers.save(after, before)
            if after.status is not before.status:
                await tx.outbox.add(moved(after, before))
            old, new = differences(before, after)
            action = "number.updated" if after.status is before.status else "number.status_changed"
            await tx.audit.record(entry(actor, action, ("phone_number", id), now, old, new))
        return after


@dataclass(frozen=True, slots=True)
class UpdateNumbers:
    """Change many numbers at once, in one transaction; one that may not move is told of and holds up no other."""

    unit: UnitOfWork[NumberTx]
    registry: NumberingRegistry
    clock: Clock
    policy: CallingPolicy

    async def __call__(
        self, actor: Actor, wanted: Sequence[int] | NumberFilter, changes: NumberChanges
    ) -> UpdateOutcome:
        """Raise TooManyNumbers, InvalidNumberChange, NoSuchProvider, NoSuchGeo; a stranger's number is not found."""
        changing.refuse_bad_changes(changes)
        seen = reach(actor)
        plan = await self.registry.plan()
        refused: list[Refused] = []
        updated: list[int] = []
        async with self.unit() as tx:
            ids = await self._ids(tx, wanted, seen)
            limits: dict[int, int] = {}
            for some in batched(ids, CHANGED_AT_ONCE):
                numbers = await tx.numbers.several(some, seen)
                refused += changing.missing(some, numbers)
                for project_id in {one.project_id for one in numbers} - limits.keys():
                    project = await tx.projects.read(project_id, seen)
                    limits[project_id] = project.attempts_max if project else 0
                pairs, more = changing.changed_all(numbers, changes, limits, self.clock.now(), self.policy)
                refused += more
                after = await placed(tx, plan, changes, [one for one, _ in pairs])
                await tx.numbers.save_all([(one, pair[1]) for one, pair in zip(after, pairs, strict=True)])
                updated += [one.id for one in after]
            if updated:
                await self._tell(tx, actor, updated, changes)
        return UpdateOutcome(updated=len(updated), refused=len(refused), errors=tuple(refused))

    async def _ids(self, tx: NumberTx, wanted: Sequence[int] | NumberFilter, seen: ProjectReach) -> Sequence[int]:
        if isinstance(wanted, NumberFilter):
            ids = sorted(await tx.numbers.matching(wanted, seen, BULK_MAX + 1))
        else:
            ids = sorted(set(wanted))
        if len(ids) > BULK_MAX or (not ids and not isinstance(wanted, NumberFilter)):
            raise TooManyNumbers(errors={"ids": [f"name 1 to {BULK_MAX} numbers; the filter or the list means others"]})
        return ids

    async def _tell(self, tx: NumberTx, actor: Actor, updated: Sequence[int], changes: NumberChanges) -> None:
        now = self.clock.now()
        await tx.outbox.add(NumbersUpdated(subject=updated[0], at=now, updated=len(updated)))
        new = {"updated": len(updated), "ids": list(updated[:IDS_TOLD_MAX]), "set": changing.words(changes)}
        await tx.audit.record(entry(actor, "numbers.updated", ("phone_number", updated[0]), now, new=new))


@dataclass(frozen=True, slots=True)
class Placed:
    """A number, where it was given out as far as that is known, and the zones it may lie in."""

    number: PhoneNumber
    place: NumberRange | None
    timezones: Sequence[str]


@dataclass(frozen=True, slots=True)
class ShowNumber:
    """Tell all that is known of a number."""

    numbers: NumberViews
    registry: NumberingRegistry

    async def __call__(self, actor: Actor, id: int) -> Placed:
        """Raise NoSuchNumber where there is none within the caller's reach."""
        number = await self.numbers.one(id, reach(actor))
        if number is None:
            raise NoSuchNumber(number_id=id)
        plan = await self.registry.plan()
        return Placed(number, plan.find(number.phone), await self.numbers.timezones(number.zone_set))


async def placed(
    tx: NumberTx, plan: NumberingPlan, changes: NumberChanges, numbers: Sequence[PhoneNumber]
) -> Sequence[PhoneNumber]:
    """Return numbers with the zones that follow from a new area; raises NoSuchProvider, NoSuchGeo."""
    if isinstance(changes.provider_id, int) and not await tx.providers.present([changes.provider_id]):
        raise NoSuchProvider(provider_id=changes.provider_id)
    if not changing.moves_area(changes):
        return numbers
    area_zone = None
    if isinstance(changes.geo_id, int):
        areas = await tx.geo.zones([changes.geo_id])
        if changes.geo_id not in areas:
            raise NoSuchGeo(geo_id=changes.geo_id)
        area_zone = areas[changes.geo_id]
    zones = [zones_of(one.phone, plan, area_zone) for one in numbers]
    sets = await tx.zones.ids(zones)
    return [changing.in_zones(one, sets[zone]) for one, zone in zip(numbers, zones, strict=True)]


def moved(after: PhoneNumber, before: PhoneNumber) -> NumberStatusChanged:
    """Return the event of a number that took another status."""
    return NumberStatusChanged(
        subject=after.id,
        at=after.updated_at,
        project_id=after.project_id,
        old_status=str(before.status),
        new_status=str(after.status),
    )


USE_CASES = (UpdateNumber, UpdateNumbers, ShowNumber)
