"""What people can do with the list of numbers never to be called."""

from dataclasses import dataclass
from itertools import batched

from opora.core.kernel.model import Actor
from opora.core.kernel.ports import Clock, UnitOfWork
from opora.core.numbers.errors.numbers import NoSuchSuppression
from opora.core.numbers.errors.projects import NoSuchProject
from opora.core.numbers.events.numbers import NumberSuppressed
from opora.core.numbers.model.numbers import NumberStatus, Suppression
from opora.core.numbers.ports.transaction import NumberTx
from opora.core.numbers.rules import lifecycle, suppressing
from opora.core.numbers.rules.phones import PhonePolicy, normalised_field
from opora.core.numbers.rules.reach import reach
from opora.core.numbers.usecases.numbers import moved
from opora.core.numbers.usecases.traces import entry

SAVED_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class SuppressNumber:
    """Put a number on the list of those never called; where it is in a campaign, it leaves it."""

    unit: UnitOfWork[NumberTx]
    clock: Clock
    policy: PhonePolicy

    async def __call__(self, actor: Actor, phone_number: str, project_id: int | None, reason: str) -> Suppression:
        """Raise InvalidPhone, NoSuchProject, InvalidSuppression for every project, SuppressionExists."""
        phone = normalised_field("phone_number", phone_number, self.policy.region)
        seen = reach(actor)
        suppressing.refuse_homeless(project_id, seen)
        now = self.clock.now()
        async with self.unit() as tx:
            if project_id is not None and await tx.projects.read(project_id, seen) is None:
                raise NoSuchProject(project_id=project_id)
            made = Suppression(
                id=await tx.suppressions.next_id(),
                phone=phone,
                project_id=project_id,
                reason=reason,
                created_by=actor.subject,
                created_at=now,
            )
            await tx.suppressions.add(made)
            numbers = [one for one in await tx.numbers.by_phone(phone, seen) if suppressing.concerns(made, one)]
            pairs = [(lifecycle.suppressed(one, now), one) for one in numbers]
            for some in batched(pairs, SAVED_AT_ONCE):
                await tx.numbers.save_all(some)
            for after, before in pairs:
                await tx.outbox.add(moved(after, before))
                status = {"status": str(NumberStatus.SUPPRESSED)}
                subject = ("phone_number", after.id)
                await tx.audit.record(
                    entry(actor, "number.status_changed", subject, now, {"status": str(before.status)}, status)
                )
            await tx.outbox.add(NumberSuppressed(subject=made.id, at=now, project_id=project_id))
            new = {"phone": phone, "project_id": project_id, "reason": reason}
            await tx.audit.record(entry(actor, "suppression.added", ("suppression", made.id), now, new=new))
        return made


@dataclass(frozen=True, slots=True)
class RemoveSuppression:
    """Take an entry off the list: the number may be added again; where it was suppressed it stays so."""

    unit: UnitOfWork[NumberTx]
    clock: Clock
    policy: PhonePolicy

    async def __call__(self, actor: Actor, id: int) -> None:
        """Raise NoSuchSuppression; PermissionDenied for one of every project, unless the caller sees them all."""
        async with self.unit() as tx:
            found = await tx.suppressions.get(id, reach(actor))
            if found is None:
                raise NoSuchSuppression(suppression_id=id)
            await lifted(tx, found, actor, self.clock)

    async def of_phone(self, actor: Actor, phone_number: str, project_id: int | None) -> None:
        """Do the same for the entry of a number in any spelling; raises InvalidPhone besides."""
        phone = normalised_field("phone_number", phone_number, self.policy.region)
        async with self.unit() as tx:
            found = await tx.suppressions.of_phone(phone, project_id, reach(actor))
            if found is None:
                raise NoSuchSuppression
            await lifted(tx, found, actor, self.clock)


async def lifted(tx: NumberTx, found: Suppression, actor: Actor, clock: Clock) -> None:
    """Remove an entry; raises PermissionDenied for one of every project, unless the caller sees them all."""
    suppressing.refuse_beyond_reach(found.project_id, reach(actor))
    await tx.suppressions.remove(found.id)
    old = {"phone": found.phone, "project_id": found.project_id, "reason": found.reason}
    await tx.audit.record(entry(actor, "suppression.removed", ("suppression", found.id), clock.now(), old))


USE_CASES = (SuppressNumber, RemoveSuppression)
