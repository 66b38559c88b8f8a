"""What is done at the desk inside a transaction: places given and freed, the next in line served, facts announced."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from opora.core.bookings import events
from opora.core.bookings.model.appointments import HOLD, UNANSWERED, Appointment, HoldPolicy, Seat, Session, Status
from opora.core.bookings.model.hours import DAY_MIN, instant_of
from opora.core.bookings.model.offerings import DURATION_MIN_MAX, Offering
from opora.core.bookings.model.waiting import LOOKED_AT_MAX, Entry, Freed
from opora.core.bookings.ports.appointments import BookingTx
from opora.core.bookings.rules import booking, slots, waiting
from opora.core.bookings.usecases.letters import tell_of_offer
from opora.core.jobs.model import NewJob
from opora.core.kernel.model import SYSTEM, Actor, Change
from opora.core.kernel.ports import Identifiers

AROUND_MIN = DAY_MIN + 3 * DURATION_MIN_MAX
"""How far around a span a diary is read: no session with its buffers is longer."""


@dataclass(frozen=True, slots=True)
class Desk:
    """The steps that several use cases share; each is taken inside the caller's transaction."""

    identifiers: Identifiers
    policy: HoldPolicy

    def draft(self, id: int, offering: Offering, session: Session, timezone: str, now: datetime) -> Appointment:
        """Return a new hold of nobody's on a session, at today's price and terms."""
        return Appointment(
            id=id,
            uid=f"{self.identifiers.task_id()}@opora",
            service_id=offering.id,
            staff_id=session.staff_id,
            client_id=0,
            status=Status.HELD,
            starts_at=instant_of(session.start_min),
            ends_at=instant_of(session.start_min + offering.duration_min),
            timezone=timezone,
            price_minor=offering.price_minor,
            currency=offering.currency,
            policy=offering.policy,
            capacity=offering.capacity,
            created_at=now,
            changed_at=now,
        )

    async def seat(self, tx: BookingTx, session: Session, now: datetime) -> Seat | None:
        """Claim a place; where only holds past their time are in the way, they lapse first, and whoever waits for that
        time goes before.
        """
        seat = await tx.appointments.claim(session)
        if seat is not None:
            return seat
        expired = await tx.appointments.holds_in_way(session, now)
        if not expired:
            return None
        await tx.diaries.lock([session.staff_id])
        for hold_id in expired:
            hold = await tx.appointments.get(hold_id)
            if hold is not None and hold.status is Status.HELD and booking.spent(hold, now):
                await self.lapse(tx, hold, now)
        return await tx.appointments.claim(session)

    async def lapse(self, tx: BookingTx, hold: Appointment, now: datetime) -> None:
        """Let a hold go, with the offer it stood for; its diary is held by the caller."""
        entry = await tx.waitlist.of_hold(hold.id)
        if entry is not None:
            await tx.waitlist.save(entry.lapse())
        await self.vacate(tx, hold.lapse(now), hold.engagement_id, now)

    async def vacate(self, tx: BookingTx, after: Appointment, engagement_id: int | None, now: datetime) -> None:
        """Store an appointment that gave its place up, and offer the place to the next in line."""
        await tx.appointments.save(after)
        freed = await tx.appointments.leave(engagement_id or 0)
        if freed is not None:
            await self.offer(tx, freed, now)

    async def offer(self, tx: BookingTx, freed: Freed, now: datetime) -> None:
        """Hold what was freed for whoever waits longest, and so on while there is time left for another."""
        for entry in await tx.waitlist.next_for(freed, now, LOOKED_AT_MAX):
            await self._offer_to(tx, entry, freed, now)

    async def _offer_to(self, tx: BookingTx, entry: Entry, freed: Freed, now: datetime) -> None:
        offering = await tx.offerings.get(entry.service_id)
        if offering is None or not offering.is_active or freed.staff_id not in offering.staff_ids:
            return
        around = (freed.from_min - AROUND_MIN, freed.until_min + AROUND_MIN)
        diary = (await tx.diaries.read([freed.staff_id], *around, now))[0]
        start = waiting.place_for(entry, offering, diary, freed, now)
        if start is None or diary.availability is None:
            return
        session = slots.session(offering, freed.staff_id, start)
        seat = await tx.appointments.claim(session)
        if seat is None:
            return
        id = (await tx.appointments.next_ids(1))[0]
        draft = self.draft(id, offering, session, diary.availability.timezone, now)
        hold = booking.held(draft.seated(seat), entry.client_id, now, self.policy.offer_s)
        await tx.appointments.add(hold)
        await tx.waitlist.save(entry.offer(hold.id))
        await self.watch(tx, hold)
        await told_offer(tx, entry, hold, now)
        await tell_of_offer(tx, hold, round(((hold.expires_at or now) - now).total_seconds() / 60))

    async def watch(self, tx: BookingTx, appointment: Appointment) -> None:
        """Add the job that looks after what must not stay as it is: a hold, or a wish for confirmation."""
        payload = {"appointment_id": appointment.id, "staff_id": appointment.staff_id}
        if appointment.status is Status.HELD:
            await tx.jobs.add(NewJob(kind=HOLD, payload=payload, run_at=appointment.expires_at))
        elif appointment.status is Status.PENDING:
            await tx.jobs.add(NewJob(kind=UNANSWERED, payload=payload, run_at=appointment.starts_at))


async def told_offer(tx: BookingTx, entry: Entry, hold: Appointment, now: datetime) -> None:
    """Announce an offer from the waitlist and write it down."""
    expires_at = hold.expires_at or now
    await tx.outbox.add(
        events.WaitlistOffered(
            subject=entry.id,
            at=now,
            client_id=entry.client_id,
            hold_id=hold.id,
            starts_at=hold.starts_at,
            expires_at=expires_at,
        )
    )
    await tx.audit.record(
        Change(
            actor=SYSTEM,
            action=events.WaitlistOffered.topic,
            entity_type="waitlist_entry",
            entity_id=str(entry.id),
            at=now,
            new={"hold_id": hold.id, "starts_at": booking.told(hold.starts_at)},
        )
    )


async def tell(
    tx: BookingTx,
    actor: Actor,
    fact: type[events.AppointmentEvent],
    before: Appointment | None,
    after: Appointment,
    **more: Any,
) -> None:
    """Announce what happened to an appointment and write it down."""
    await tx.outbox.add(
        fact(
            subject=after.id,
            at=after.changed_at,
            client_id=after.client_id,
            staff_id=after.staff_id,
            service_id=after.service_id,
            status=str(after.status),
            starts_at=after.starts_at,
            ends_at=after.ends_at,
            **more,
        )
    )
    await tx.audit.record(
        Change(
            actor=actor,
            action=fact.topic,
            entity_type="appointment",
            entity_id=str(after.id),
            at=after.changed_at,
            old=None if before is None else shown(before),
            new=shown(after),
        )
    )


def shown(appointment: Appointment) -> dict[str, object]:
    """Return what the audit log keeps of an appointment."""
    kept: dict[str, object] = {
        "status": str(appointment.status),
        "staff_id": appointment.staff_id,
        "client_id": appointment.client_id,
        "service_id": appointment.service_id,
        "starts_at": booking.told(appointment.starts_at),
    }
    return kept if appointment.fee_minor is None else kept | {"fee_minor": appointment.fee_minor}


def by_id(ids: Sequence[int]) -> list[int]:
    """Return ids in the order in which diaries are held, each once."""
    return sorted(set(ids))
