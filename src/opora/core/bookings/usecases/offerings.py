"""Making, changing and retiring services."""

from dataclasses import dataclass, replace

from opora.core.bookings.errors import InvalidOffering, NoSuchOffering
from opora.core.bookings.model.offerings import Offering
from opora.core.bookings.ports.appointments import BookingTx
from opora.core.bookings.ports.offerings import OfferingViews, People
from opora.core.bookings.rules import offerings as rules
from opora.core.kernel.model import Actor, Change
from opora.core.kernel.ports import Clock, UnitOfWork


async def refuse_strangers(people: People, staff_ids: tuple[int, ...]) -> None:
    """Raise InvalidOffering where somebody who is to give a service is no active member of staff."""
    strangers = sorted(set(staff_ids) - await people.staff(staff_ids))
    if strangers:
        told = ", ".join(str(one) for one in strangers[:10])
        raise InvalidOffering(errors={"staff_ids": [f"are active users in the role staff; these are not: {told}"]})


@dataclass(frozen=True, slots=True)
class AddOffering:
    """Offer a new service."""

    unit: UnitOfWork[BookingTx]
    people: People
    clock: Clock

    async def __call__(self, actor: Actor, draft: Offering) -> Offering:
        """Return it with its id; staff who name nobody give it themselves. Raises InvalidOffering, NotYourOffering."""
        own = () if actor.user_id is None or actor.may(rules.OVERSEE) else (actor.user_id,)
        draft = rules.checked(replace(draft, staff_ids=draft.staff_ids or own, created_at=self.clock.now()))
        rules.refuse_others(actor, draft.staff_ids)
        await refuse_strangers(self.people, draft.staff_ids)
        async with self.unit() as tx:
            offering = replace(draft, id=await tx.offerings.next_id(), policy=rules.ordered(draft.policy))
            await tx.offerings.add(offering)
            await tx.audit.record(change(actor, "service.created", None, offering, self.clock))
        return offering


@dataclass(frozen=True, slots=True)
class ChangeOffering:
    """Change what a service is; appointments that were booked keep their times, price and terms."""

    unit: UnitOfWork[BookingTx]
    views: OfferingViews
    people: People
    clock: Clock

    async def __call__(self, actor: Actor, id: int, changes: dict[str, object]) -> Offering:
        """Change the fields named; raises NoSuchOffering, NotYourOffering, InvalidOffering."""
        known = await self.views.one(id)
        if known is None:
            raise NoSuchOffering(service_id=id)
        after = rules.checked(replace(rules.changed(known, changes), version=known.version + 1))
        rules.refuse_others(actor, known.staff_ids, after.staff_ids)
        await refuse_strangers(self.people, after.staff_ids)
        after = replace(after, policy=rules.ordered(after.policy))
        async with self.unit() as tx:
            await tx.offerings.save(after)
            await tx.audit.record(change(actor, "service.changed", known, after, self.clock))
        return after


@dataclass(frozen=True, slots=True)
class RetireOffering:
    """Offer a service no more; what is booked stays."""

    unit: UnitOfWork[BookingTx]
    views: OfferingViews
    clock: Clock

    async def __call__(self, actor: Actor, id: int) -> None:
        """Raise NoSuchOffering, NotYourOffering."""
        known = await self.views.one(id)
        if known is None:
            raise NoSuchOffering(service_id=id)
        rules.refuse_others(actor, known.staff_ids)
        async with self.unit() as tx:
            await tx.offerings.save(replace(known, is_active=False, version=known.version + 1))
            await tx.audit.record(change(actor, "service.retired", known, None, self.clock))


def change(actor: Actor, action: str, before: Offering | None, after: Offering | None, clock: Clock) -> Change:
    """Return the audit entry of a change of a service."""
    one = after or before
    return Change(
        actor=actor,
        action=action,
        entity_type="service",
        entity_id=str(one.id if one else 0),
        at=clock.now(),
        old=None if before is None else shown(before),
        new=None if after is None else shown(after),
    )


def shown(offering: Offering) -> dict[str, object]:
    """Return what the audit log keeps of a service."""
    return {
        "name": offering.name,
        "duration_min": offering.duration_min,
        "capacity": offering.capacity,
        "price_minor": offering.price_minor,
        "currency": offering.currency,
        "staff_ids": list(offering.staff_ids),
    }


USE_CASES = (AddOffering, ChangeOffering, RetireOffering)
