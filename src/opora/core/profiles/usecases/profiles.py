"""What people can do with profiles, and what a job does for them."""

from dataclasses import dataclass, replace

from opora.core.jobs.model import Claim
from opora.core.kernel.model import SYSTEM, Actor, Change
from opora.core.kernel.ports import Clock, Randomness, UnitOfWork
from opora.core.profiles.errors import NoSuchProfile
from opora.core.profiles.events import ProfileDeleted, ProfilesExpired, ProfilesGenerated
from opora.core.profiles.model.kept import KeepingPolicy
from opora.core.profiles.model.requests import Generated, GenerationRequest
from opora.core.profiles.ports.profiles import ProfileTx
from opora.core.profiles.rules import asking, keeping
from opora.core.profiles.rules.people import people
from opora.core.profiles.rules.workshop import Workshop

EXPIRE = "profiles.expire"
"""The kind of the job that hides profiles past their time."""
EXPIRED_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class GenerateProfiles:
    """Make coherent people, and keep them where asked."""

    unit: UnitOfWork[ProfileTx]
    workshop: Workshop
    clock: Clock
    randomness: Randomness
    policy: KeepingPolicy

    async def __call__(self, actor: Actor, request: GenerationRequest) -> Generated:
        """Raise InvalidGeneration naming every field at fault."""
        recipe = asking.recipe(request, self.workshop.tables, self.clock.now().date(), self._any_seed)
        made = list(people(self.workshop, recipe, request.index, request.count))
        generated = Generated(made, recipe, request.index, self.workshop.version)
        if not request.persist:
            return generated
        ttl_s = self.policy.ttl_s if request.ttl_seconds is None else request.ttl_seconds
        return await self._keep(actor, generated, ttl_s)

    def _any_seed(self) -> int:
        return int.from_bytes(self.randomness.token_bytes(8)) >> 64 - asking.RANDOM_SEED_BITS

    async def _keep(self, actor: Actor, generated: Generated, ttl_seconds: int | None) -> Generated:
        now, owner, locale = self.clock.now(), actor.subject, generated.recipe.locale
        async with self.unit() as tx:
            ids = tuple(await tx.profiles.next_ids(len(generated.profiles)))
            await tx.profiles.add(keeping.kept(generated, ids, owner, now, ttl_seconds))
            event = ProfilesGenerated(subject=ids[0], at=now, ids=ids, source_key=owner, locale=locale)
            await tx.outbox.add(event)
            new: dict[str, object] = {"ids": list(ids), "locale": locale}
            if not self.policy.is_sealed:  # a seed tells whoever has this program everything about the people
                new["seed"] = generated.recipe.seed
            await tx.audit.record(
                Change(actor=actor, action=event.topic, entity_type="profile", entity_id=str(ids[0]), at=now, new=new)
            )
        return replace(generated, ids=ids)


@dataclass(frozen=True, slots=True)
class DeleteProfile:
    """Hide a kept profile for good."""

    unit: UnitOfWork[ProfileTx]
    clock: Clock

    async def __call__(self, actor: Actor, id: int) -> None:
        """Raise NoSuchProfile where there is none within the caller's reach."""
        now = self.clock.now()
        async with self.unit() as tx:
            if not await tx.profiles.delete(id, keeping.reach(actor), now):
                raise NoSuchProfile(profile_id=id)
            await tx.outbox.add(ProfileDeleted(subject=id, at=now))
            await tx.audit.record(
                Change(actor=actor, action=ProfileDeleted.topic, entity_type="profile", entity_id=str(id), at=now)
            )


@dataclass(frozen=True, slots=True)
class ExpireProfiles:
    """Delete profiles past their time, some hundreds a transaction; a cron slot runs it."""

    unit: UnitOfWork[ProfileTx]
    clock: Clock

    async def __call__(self, claim: Claim) -> None:
        """End the job with how many went."""
        expired = 0
        while gone := await self._some():
            expired += gone
        async with self.unit() as tx:
            await tx.jobs.finish(claim, {"expired": expired})

    async def _some(self) -> int:
        now = self.clock.now()
        async with self.unit() as tx:
            ids = tuple(await tx.profiles.expire(now, EXPIRED_AT_ONCE))
            if ids:
                event = ProfilesExpired(subject=ids[0], at=now, ids=ids)
                await tx.outbox.add(event)
                await tx.audit.record(
                    Change(
                        actor=SYSTEM,
                        action=event.topic,
                        entity_type="profile",
                        entity_id=str(ids[0]),
                        at=now,
                        new={"ids": list(ids)},
                    )
                )
        return len(ids)


USE_CASES = (GenerateProfiles, DeleteProfile, ExpireProfiles)
