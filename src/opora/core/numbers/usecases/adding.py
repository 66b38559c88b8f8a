"""What people can do with numbers that are new: add one, add many."""

import asyncio
from array import array
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import batched

from opora.core.kernel.errors import DomainError, Stale
from opora.core.kernel.model import Actor
from opora.core.kernel.ports import Clock, UnitOfWork
from opora.core.numbers.errors.numbers import InvalidPhone, NumberExists, NumberSuppressed, TooManyNumbers
from opora.core.numbers.errors.projects import NoSuchGeo, NoSuchProject, NoSuchProvider
from opora.core.numbers.events.numbers import NumbersAdded
from opora.core.numbers.model.numbers import (
    BULK_MAX,
    NO_PROJECT,
    BulkOutcome,
    Fault,
    GivenNumber,
    NewNumber,
    NumberStatus,
    PhoneNumber,
)
from opora.core.numbers.model.projects import ProjectReach
from opora.core.numbers.model.registry import NumberingPlan
from opora.core.numbers.ports.intake import Sheaf
from opora.core.numbers.ports.numbers import NumberingRegistry
from opora.core.numbers.ports.transaction import NumberTx
from opora.core.numbers.rules import adding
from opora.core.numbers.rules.cells import phones_of
from opora.core.numbers.rules.phones import PhonePolicy, normalised_field
from opora.core.numbers.rules.reach import reach
from opora.core.numbers.rules.zone_runs import ZonesOfMany, zone_runs
from opora.core.numbers.rules.zones import zones_of
from opora.core.numbers.usecases.traces import entry

READ_AT_ONCE = 500
BRINGS_MAX = 5
"""How often numbers are brought in that others add to at the same moment."""
IDS_TOLD_MAX = 1000
"""How many ids an audit entry names."""


@dataclass(frozen=True, slots=True)
class Adding:
    """Who adds numbers, what they see, where numbers lie, and the time."""

    actor: Actor
    reach: ProjectReach
    plan: NumberingPlan
    now: datetime


async def checked(tx: NumberTx, items: Sequence[adding.Item], by: Adding) -> tuple[list[adding.Item], list[Fault]]:
    """Return the items whose project is within reach and whose provider and area are there, and the faults."""
    known = adding.Known(
        projects=await tx.projects.present({item.project_id for item in items}, by.reach),
        providers=await tx.providers.present(
            sorted({item.provider_id for item in items if item.provider_id is not None})
        ),
        areas=await tx.geo.zones(sorted({item.geo_id for item in items if item.geo_id is not None})),
    )
    return adding.sorted_out(items, known)


async def kept(tx: NumberTx, project_id: int, items: Sequence[adding.Item], by: Adding) -> list[Fault]:
    """Add the items to a project and return what was not taken: suppressed ones and duplicates."""
    barred = await tx.numbers.suppressed(project_id, [item.phone for item in items])
    wanted = [item for item in items if item.phone not in barred]
    areas = await tx.geo.zones(sorted({item.geo_id for item in wanted if item.geo_id is not None}))
    zones = [zones_of(item.phone, by.plan, areas.get(item.geo_id or 0)) for item in wanted]
    sets = await tx.zones.ids(zones)
    new = [
        NewNumber(
            index=item.place,
            phone=item.phone,
            provider_id=item.provider_id,
            geo_id=item.geo_id,
            zone_set=sets[zone],
        )
        for item, zone in zip(wanted, zones, strict=True)
    ]
    ids = (await tx.numbers.add(project_id, new, by.now)).ids if new else {}
    if ids:
        await tx.outbox.add(NumbersAdded(subject=project_id, at=by.now, created=len(ids)))
        told = {"created": len(ids), "ids": sorted(ids.values())[:IDS_TOLD_MAX]}
        await tx.audit.record(entry(by.actor, "numbers.added", ("project", project_id), by.now, new=told))
    return adding.not_taken(items, barred, ids)


@dataclass(frozen=True, slots=True)
class AddNumber:
    """Add one number to a project."""

    unit: UnitOfWork[NumberTx]
    registry: NumberingRegistry
    clock: Clock
    policy: PhonePolicy

    async def __call__(self, actor: Actor, given: GivenNumber) -> PhoneNumber:
        """Raise InvalidPhone, NoSuchProject, NoSuchProvider, NoSuchGeo, NumberSuppressed or NumberExists."""
        phone = normalised_field("phone_number", given.phone_number, self.policy.region)
        seen = reach(actor)
        adding.refuse_homeless(given, seen)
        by = Adding(actor, seen, await self.registry.plan(), self.clock.now())
        project_id = given.project_id or NO_PROJECT
        item = adding.Item(0, phone, project_id, given.provider_id, given.geo_id)
        async with self.unit() as tx:
            _, faults = await checked(tx, [item], by)
            faults = faults or await kept(tx, project_id, [item], by)
            if faults:
                raise REFUSALS[faults[0].code]
            (number,) = [one for one in await tx.numbers.by_phone(phone, seen) if one.project_id == project_id]
        return number


REFUSALS: Mapping[str, type[DomainError]] = {
    kind.code: kind for kind in (NoSuchProject, NoSuchProvider, NoSuchGeo, NumberSuppressed, NumberExists)
}
"""The refusal of one number by the code of its fault."""


@dataclass(frozen=True, slots=True)
class AddNumbers:
    """Add up to 50,000 numbers in one transaction; a bad one is told of and holds up no other."""

    unit: UnitOfWork[NumberTx]
    registry: NumberingRegistry
    clock: Clock
    policy: PhonePolicy

    async def __call__(self, actor: Actor, given: Sequence[GivenNumber]) -> BulkOutcome:
        """Raise TooManyNumbers; all else is told of each number by its place in what was sent."""
        if not 1 <= len(given) <= BULK_MAX:
            raise TooManyNumbers(errors={"items": [f"takes 1 to {BULK_MAX} numbers"]})
        seen = reach(actor)
        items, faults = await self._read(given, seen)
        by = Adding(actor, seen, await self.registry.plan(), self.clock.now())
        for _ in range(BRINGS_MAX - 1):
            with suppress(Stale):  # somebody else added one of them at the same moment
                return adding.outcome(len(given), faults + await self._add(items, by))
        return adding.outcome(len(given), faults + await self._add(items, by))

    async def _add(self, items: Sequence[adding.Item], by: Adding) -> list[Fault]:
        """Add what can be added and return the faults of the rest."""
        async with self.unit() as tx:
            good, faults = await checked(tx, items, by)
            by_project: defaultdict[int, list[adding.Item]] = defaultdict(list)
            for item in good:
                by_project[item.project_id].append(item)
            for project_id, some in sorted(by_project.items()):
                faults += await brought_in(tx, project_id, some, by)
        return faults

    async def _read(self, given: Sequence[GivenNumber], seen: ProjectReach) -> tuple[list[adding.Item], list[Fault]]:
        items: list[adding.Item] = []
        faults: list[Fault] = []
        read = phones_of(self.policy.region)
        for some in batched(enumerate(given), READ_AT_ONCE):
            phones = read([one.phone_number for _, one in some])
            for (index, one), phone in zip(some, phones, strict=True):
                if isinstance(phone, InvalidPhone):
                    faults.append(Fault(index, phone.code, str(phone)))
                elif one.project_id is None and seen.user_id is not None:
                    faults.append(Fault(index, NoSuchProject.code, "Name the project of this number."))
                else:
                    items.append(adding.Item(index, phone, one.project_id or NO_PROJECT, one.provider_id, one.geo_id))
            await asyncio.sleep(0)  # others have their turn between five hundred and five hundred
        return items, faults


async def brought_in(tx: NumberTx, project_id: int, items: Sequence[adding.Item], by: Adding) -> list[Fault]:
    """Add many items to a project, as an import does, and return what was not taken: suppressed ones and duplicates."""
    first = adding.first_by_phone(items)
    areas = await tx.geo.zones(sorted({item.geo_id for item in first if item.geo_id is not None}))
    present: set[int] = set()
    barred: set[int] = set()
    ids: list[int] = []
    for some in batched(first, tx.intake.rows_at_once):
        brought = await tx.intake.bring_in(await sheaf_of(tx, project_id, some, areas, by))
        present |= brought.present
        barred |= brought.suppressed
        ids += brought.ids
    if present:  # of those that are there, some may be barred as well
        barred |= await tx.numbers.suppressed(project_id, sorted(present))
    if ids:
        await tx.tally.change(project_id, {NumberStatus.NEW: len(ids)})
        await tx.outbox.add(NumbersAdded(subject=project_id, at=by.now, created=len(ids)))
        told = {"created": len(ids), "ids": sorted(ids)[:IDS_TOLD_MAX]}
        await tx.audit.record(entry(by.actor, "numbers.added", ("project", project_id), by.now, new=told))
    if len(ids) == len(items):
        return []
    kept_ids = {item.place: item.place for item in first if item.phone not in present}
    return adding.not_taken(items, barred, kept_ids)


async def sheaf_of(
    tx: NumberTx, project_id: int, items: Sequence[adding.Item], areas: Mapping[int, str | None], by: Adding
) -> Sheaf:
    """Return items, ascending and each number once, as an import brings them in."""
    numbers = array("q", [item.phone for item in items])
    geo = array("q", [item.geo_id or 0 for item in items])
    found = ZonesOfMany(numbers, zone_runs(numbers))
    found.by_plan(by.plan)
    if areas:
        found.by_area(geo, areas)
    ids = await tx.zones.ids(found.sets)
    by_place = [ids[zones] for zones in found.sets]
    return Sheaf(
        project_id=project_id,
        import_number=None,
        numbers=numbers,
        zone_sets=array("q", map(by_place.__getitem__, found.places)),
        providers=array("q", [item.provider_id or 0 for item in items]),
        geo=geo,
        now=by.now,
    )


USE_CASES = (AddNumber, AddNumbers)
