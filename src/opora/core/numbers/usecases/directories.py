"""What people can do with providers and areas."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from opora.core.jobs.model import NewJob
from opora.core.kernel.model import Actor
from opora.core.kernel.ports import Clock, UnitOfWork
from opora.core.numbers.errors.projects import NoSuchGeo, NoSuchProvider
from opora.core.numbers.model.projects import Geo, Provider
from opora.core.numbers.ports.transaction import NumberTx
from opora.core.numbers.rules.projects import refuse_bad_geo, refuse_bad_provider
from opora.core.numbers.usecases.traces import differences, entry

REZONE = "numbers.rezone"
"""The kind of the job that finds the zones of numbers anew."""


@dataclass(frozen=True, slots=True)
class CreateProvider:
    """Make a provider of numbers."""

    unit: UnitOfWork[NumberTx]
    clock: Clock

    async def __call__(self, actor: Actor, fields: Mapping[str, object]) -> Provider:
        """Raise InvalidProvider, naming every field at fault."""
        now = self.clock.now()
        async with self.unit() as tx:
            blank = Provider(id=await tx.providers.next_id(), name="", contact_info={}, created_at=now, updated_at=now)
            provider = replace(blank, **fields)  # type: ignore[arg-type]  # the edge's struct has the same field types
            refuse_bad_provider(provider)
            await tx.providers.add(provider)
            new = differences(blank, provider)[1]
            await tx.audit.record(entry(actor, "provider.created", ("provider", provider.id), now, new=new))
        return provider


@dataclass(frozen=True, slots=True)
class UpdateProvider:
    """Change a provider."""

    unit: UnitOfWork[NumberTx]
    clock: Clock

    async def __call__(self, actor: Actor, id: int, changes: Mapping[str, object]) -> Provider:
        """Change the fields named; raises NoSuchProvider, InvalidProvider."""
        now = self.clock.now()
        async with self.unit() as tx:
            before = await tx.providers.get(id)
            if before is None:
                raise NoSuchProvider(provider_id=id)
            after = replace(before, **changes, updated_at=now, version=before.version + 1)  # type: ignore[arg-type]  # the same
            refuse_bad_provider(after)
            await tx.providers.save(after)
            old, new = differences(before, after)
            await tx.audit.record(entry(actor, "provider.updated", ("provider", id), now, old, new))
        return after


@dataclass(frozen=True, slots=True)
class DeleteProvider:
    """Remove a provider that nothing refers to."""

    unit: UnitOfWork[NumberTx]
    clock: Clock

    async def __call__(self, actor: Actor, id: int) -> None:
        """Raise NoSuchProvider, or ProviderInUse while a project or a number refers to it."""
        now = self.clock.now()
        async with self.unit() as tx:
            if not await tx.providers.remove(id):
                raise NoSuchProvider(provider_id=id)
            await tx.audit.record(entry(actor, "provider.deleted", ("provider", id), now))


@dataclass(frozen=True, slots=True)
class CreateGeo:
    """Make an area."""

    unit: UnitOfWork[NumberTx]
    clock: Clock

    async def __call__(self, actor: Actor, fields: Mapping[str, object]) -> Geo:
        """Raise InvalidGeo, naming every field at fault."""
        now = self.clock.now()
        async with self.unit() as tx:
            blank = Geo(id=await tx.geo.next_id(), country_code="", created_at=now)
            geo = replace(blank, **fields)  # type: ignore[arg-type]  # the edge's struct has the same field types
            refuse_bad_geo(geo)
            await tx.geo.add(geo)
            await tx.audit.record(entry(actor, "geo.created", ("geo", geo.id), now, new=differences(blank, geo)[1]))
        return geo


@dataclass(frozen=True, slots=True)
class UpdateGeo:
    """Change an area; a new zone reaches its numbers by a job."""

    unit: UnitOfWork[NumberTx]
    clock: Clock

    async def __call__(self, actor: Actor, id: int, changes: Mapping[str, object]) -> Geo:
        """Change the fields named; raises NoSuchGeo, InvalidGeo."""
        now = self.clock.now()
        async with self.unit() as tx:
            before = await tx.geo.get(id)
            if before is None:
                raise NoSuchGeo(geo_id=id)
            after = replace(before, **changes, version=before.version + 1)  # type: ignore[arg-type]  # the same
            refuse_bad_geo(after)
            await tx.geo.save(after)
            if after.timezone != before.timezone:
                await tx.jobs.add(NewJob(kind=REZONE, payload={"geo_id": id}, request_id=actor.origin.request_id))
            old, new = differences(before, after)
            await tx.audit.record(entry(actor, "geo.updated", ("geo", id), now, old, new))
        return after


@dataclass(frozen=True, slots=True)
class DeleteGeo:
    """Remove an area that nothing refers to."""

    unit: UnitOfWork[NumberTx]
    clock: Clock

    async def __call__(self, actor: Actor, id: int) -> None:
        """Raise NoSuchGeo, or GeoInUse while a project or a number refers to it."""
        now = self.clock.now()
        async with self.unit() as tx:
            if not await tx.geo.remove(id):
                raise NoSuchGeo(geo_id=id)
            await tx.audit.record(entry(actor, "geo.deleted", ("geo", id), now))


USE_CASES = (CreateProvider, UpdateProvider, DeleteProvider, CreateGeo, UpdateGeo, DeleteGeo)
