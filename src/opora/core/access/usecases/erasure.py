"""What is held on a person: shown to them whole, and erased when they ask."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from opora.core.access.events import KeyWithdrawn, UserErased
from opora.core.access.model.keys import ApiKey, KeyState
from opora.core.access.model.proofs import Purpose
from opora.core.access.ports.keys import RememberedKeys
from opora.core.access.ports.personal import PersonalRegistry
from opora.core.access.ports.rates import RateGate
from opora.core.access.ports.tokens import RememberedStandings
from opora.core.access.ports.transaction import AccessTx
from opora.core.access.rules.changes import key_change, user_change
from opora.core.access.rules.letters import about
from opora.core.access.rules.names import key_name, user_name
from opora.core.access.rules.people import erased_user, known, person, refuse_losing_last_admin
from opora.core.access.rules.tokens import TokenPolicy
from opora.core.access.usecases.keys import DENIAL_S
from opora.core.access.usecases.refusals import refuse_name
from opora.core.jobs.model import Claim
from opora.core.kernel.model import Actor
from opora.core.kernel.ports import Clock, UnitOfWork

ERASE_RECORDS = "access.erase_records"


@dataclass(frozen=True, slots=True)
class ExportOwnRecords:
    """Give a person everything that every context holds on them, record by record."""

    registry: PersonalRegistry

    async def __call__(self, actor: Actor) -> AsyncIterator[tuple[str, AsyncIterator[Mapping[str, object]]]]:
        """Return each section with its records; raise NoSuchUser for a caller who is no person."""
        user_id = person(actor)
        return self._sections(user_id)

    async def _sections(self, user_id: int) -> AsyncIterator[tuple[str, AsyncIterator[Mapping[str, object]]]]:
        for records in self.registry.all():
            yield records.section, records.held(user_id)


@dataclass(frozen=True, slots=True)
class EraseOneself:
    """Erase what is personal of who asks: nobody can come in as them, and their number names nobody any more.

    What other contexts hold is erased by a job that the event starts.
    """

    unit: UnitOfWork[AccessTx]
    clock: Clock
    standings: RememberedStandings
    remembered: RememberedKeys
    gate: RateGate
    policy: TokenPolicy

    async def __call__(self, actor: Actor) -> None:
        """Raise NoSuchUser for a caller who is no person, or LastAdmin."""
        user_id = person(actor)
        now = self.clock.now()
        keys = []
        async with self.unit() as tx:
            before = known(await tx.users.get(user_id), user_id)
            after = erased_user(before, now)
            refuse_losing_last_admin(before, after, await tx.users.admins_besides(user_id))
            await tx.users.save(after)
            for key in await tx.keys.owned_by(user_id):
                if key.state is not KeyState.REVOKED:
                    keys.append(await _withdraw(tx, actor, key, now))
            await tx.sessions.erase_all(user_id)
            await tx.devices.forget(user_id)
            await tx.second_factors.remove(user_id)
            for purpose in Purpose:
                await tx.one_time_tokens.drop(user_id, purpose)
            await tx.notices.withdraw(about(user_id))
            await tx.audit.record(user_change(actor, "user.erased", before, after, now))
            await tx.outbox.add(UserErased(subject=user_id, at=now))
        self.standings.outdate(user_id)
        await refuse_name(self.gate, user_name(user_id), self.policy.refusal_s)
        for key in keys:
            self.remembered.replace(key)
            await refuse_name(self.gate, key_name(key.id), DENIAL_S)


async def _withdraw(tx: AccessTx, actor: Actor, key: ApiKey, now: datetime) -> ApiKey:
    after = key.move(KeyState.REVOKED)
    await tx.keys.save(after)
    await tx.audit.record(key_change(actor, "key.revoked", key, after, now))
    await tx.outbox.add(KeyWithdrawn(subject=key.id, at=now))
    return after


@dataclass(frozen=True, slots=True)
class EraseRecords:
    """Have every context erase what it holds on a person who was erased."""

    unit: UnitOfWork[AccessTx]
    registry: PersonalRegistry

    async def __call__(self, claim: Claim) -> None:
        """What a lost worker has done before is done again, and changes nothing."""
        user_id = int(str(claim.event["subject"]))
        for records in self.registry.all():
            await records.erase(user_id)
        async with self.unit() as tx:
            await tx.jobs.finish(claim)
