"""Loading the numbering registry, and finding anew where numbers are."""

from collections.abc import Sequence
from dataclasses import dataclass

from opora.core.jobs.model import Claim, NewJob
from opora.core.kernel.model import Actor
from opora.core.kernel.ports import Clock, UnitOfWork
from opora.core.numbers.model.registry import NumberRange
from opora.core.numbers.ports.numbers import NumberingRegistry
from opora.core.numbers.ports.transaction import NumberTx
from opora.core.numbers.rules.zones import zones_of
from opora.core.numbers.usecases.directories import REZONE
from opora.core.numbers.usecases.traces import entry

REZONED_AT_ONCE = 5000


@dataclass(frozen=True, slots=True)
class LoadRegistry:
    """Replace the numbering registry by what an operator brought."""

    unit: UnitOfWork[NumberTx]
    clock: Clock

    async def __call__(self, actor: Actor, ranges: Sequence[NumberRange]) -> int:
        """Return the new version; numbers that are there already get their zones by a job."""
        now = self.clock.now()
        async with self.unit() as tx:
            version = await tx.registry.replace(ranges, now)
            await tx.jobs.add(NewJob(kind=REZONE, payload={"version": version}, dedup_key=f"rezone:{version}"))
            new = {"version": version, "ranges": len(ranges)}
            await tx.audit.record(entry(actor, "registry.loaded", ("numbering_registry", version), now, new=new))
        return version


@dataclass(frozen=True, slots=True)
class RezoneNumbers:
    """Find the zones of numbers anew: of an area whose zone changed, or of all after the registry was loaded.

    Cut off, it begins again; what is right already costs no write.
    """

    unit: UnitOfWork[NumberTx]
    registry: NumberingRegistry

    async def __call__(self, claim: Claim) -> None:
        """End the job with how many changed."""
        geo_id = claim.payload.get("geo_id")
        area = geo_id if isinstance(geo_id, int) else None
        plan = await self.registry.newest()
        changed, after = 0, 0
        while True:
            async with self.unit() as tx:
                some = await tx.numbers.placements(after, area, REZONED_AT_ONCE)
                areas = await tx.geo.zones(sorted({one.geo_id for one in some if one.geo_id is not None}))
                zones = [zones_of(one.phone, plan, areas.get(one.geo_id or 0)) for one in some]
                sets = await tx.zones.ids(zones)
                moved = {
                    one.id: sets[zone] for one, zone in zip(some, zones, strict=True) if sets[zone] != one.zone_set
                }
                await tx.numbers.set_zones(moved)
            changed += len(moved)
            if len(some) < REZONED_AT_ONCE:
                break
            after = some[-1].id
        async with self.unit() as tx:
            await tx.jobs.finish(claim, {"changed": changed})


USE_CASES = (LoadRegistry, RezoneNumbers)
