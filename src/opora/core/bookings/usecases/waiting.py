"""Getting on the waitlist and off it."""

from dataclasses import dataclass
from datetime import datetime

from opora.core.bookings.errors import NoSuchEntry
from opora.core.bookings.model.appointments import Status
from opora.core.bookings.model.waiting import Entry, WaitStatus
from opora.core.bookings.ports.appointments import BookingTx
from opora.core.bookings.ports.offerings import People
from opora.core.bookings.ports.waiting import WaitlistViews
from opora.core.bookings.rules import booking, waiting
from opora.core.bookings.usecases.booking import refuse_stranger
from opora.core.bookings.usecases.desk import Desk
from opora.core.bookings.usecases.openings import FindSlots
from opora.core.kernel.model import Actor, Change
from opora.core.kernel.ports import Clock, UnitOfWork


@dataclass(frozen=True, slots=True)
class JoinWaitlist:
    """Wait for a service within a span, to be offered what frees, in the order of coming."""

    unit: UnitOfWork[BookingTx]
    find: FindSlots
    people: People
    clock: Clock

    async def __call__(
        self,
        actor: Actor,
        service_id: int,
        starts_from: datetime,
        starts_before: datetime,
        staff_id: int | None = None,
        client_id: int | None = None,
    ) -> Entry:
        """Return the entry; raises NoSuchOffering, SlotNotOffered, InvalidPeriod, AlreadyWaiting."""
        now = self.clock.now()
        client_id = booking.client_of(actor, client_id)
        await refuse_stranger(self.people, actor, client_id)
        offering = await self.find.offering(service_id)
        booking.givers(offering, staff_id)
        span = waiting.span(starts_from, starts_before, now)
        async with self.unit() as tx:
            waiting.refuse_more(await tx.waitlist.open_entries(client_id))
            entry = Entry(
                id=await tx.waitlist.next_id(),
                client_id=client_id,
                service_id=service_id,
                staff_id=staff_id,
                starts_from=span.start,
                starts_before=span.end,
                created_at=now,
            )
            await tx.waitlist.add(entry)
            await tx.audit.record(change(actor, "waitlist.joined", entry, now))
        return entry


@dataclass(frozen=True, slots=True)
class LeaveWaitlist:
    """Stop waiting; a time that was offered goes to the next in line."""

    unit: UnitOfWork[BookingTx]
    views: WaitlistViews
    desk: Desk
    clock: Clock

    async def __call__(self, actor: Actor, id: int) -> None:
        """Raise NoSuchEntry; an entry that has ended is let be."""
        now = self.clock.now()
        known = await self.views.one(id, waiting.reach(actor))
        if known is None:
            raise NoSuchEntry(entry_id=id)
        async with self.unit() as tx:
            hold = None if known.hold_id is None else await tx.appointments.get(known.hold_id)
        async with self.unit() as tx:
            if hold is not None:
                await tx.diaries.lock([hold.staff_id])
                hold = await tx.appointments.get(hold.id)
            entry = await tx.waitlist.get(id) or known
            if entry.status not in {WaitStatus.WAITING, WaitStatus.OFFERED}:
                return
            await tx.waitlist.save(entry.withdraw())
            if hold is not None and hold.status is Status.HELD:
                await self.desk.vacate(tx, hold.lapse(now), hold.engagement_id, now)
            await tx.audit.record(change(actor, "waitlist.left", entry, now))


def change(actor: Actor, action: str, entry: Entry, now: datetime) -> Change:
    """Return the audit entry of a change of the waitlist."""
    return Change(
        actor=actor,
        action=action,
        entity_type="waitlist_entry",
        entity_id=str(entry.id),
        at=now,
        new={"client_id": entry.client_id, "service_id": entry.service_id},
    )


USE_CASES = (JoinWaitlist, LeaveWaitlist)
