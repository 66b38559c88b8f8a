"""Holding a time, taking it up, and booking one outright."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from opora.core.bookings.errors import ClientUnknown, HoldSpent, NoSuchHold, SlotNotOffered
from opora.core.bookings.events import AppointmentBooked
from opora.core.bookings.model.appointments import Appointment, Status, Wish
from opora.core.bookings.model.hours import Diary
from opora.core.bookings.model.offerings import Offering
from opora.core.bookings.ports.appointments import BookingTx
from opora.core.bookings.ports.offerings import People
from opora.core.bookings.rules import booking, slots
from opora.core.bookings.usecases.desk import Desk, tell
from opora.core.bookings.usecases.letters import tell_of_booked
from opora.core.bookings.usecases.openings import FindSlots
from opora.core.bookings.usecases.turns import Turns
from opora.core.jobs.model import Claim
from opora.core.kernel.model import Actor
from opora.core.kernel.ports import Clock, UnitOfWork


@dataclass(frozen=True, slots=True)
class Search:
    """A start that somebody wants, and the diaries in which it may be booked, the emptiest first."""

    offering: Offering
    start_min: int
    diaries: tuple[Diary, ...]

    def without(self, staff_ids: Collection[int]) -> "Search":
        """Return the search without those whose time is gone."""
        return replace(self, diaries=tuple(one for one in self.diaries if one.staff_id not in staff_ids))

    @property
    def time(self) -> tuple[int, int]:
        """Return what others may want at the same moment: the service and its start."""
        return self.offering.id, self.start_min


async def look(find: FindSlots, actor: Actor, wish: Wish, now: datetime) -> Search:
    """Return where a wish may be fulfilled; raises SlotNotOffered, SlotTaken, NoSuchOffering."""
    offering = await find.offering(wish.service_id)
    start = booking.whole_minute(wish.starts_at)
    exempt = booking.is_exempt(actor, wish.staff_id)
    booking.refuse_early_or_late(offering, start, now, exempt=exempt)
    diaries = await find.around(offering, booking.givers(offering, wish.staff_id), start, now)
    if not any(slots.is_offered(offering, diary, start) for diary in diaries):
        raise SlotNotOffered(errors={"starts_at": ["is no start that is offered; GET /slots lists them"]})
    able = [diary for diary in diaries if slots.is_free(offering, diary, start)]
    if not able:
        raise await find.taken(actor, offering, wish.staff_id, start)
    able.sort(key=lambda diary: (len(diary.busy), diary.staff_id))
    return Search(offering, start, tuple(able))


async def claim(tx: BookingTx, desk: Desk, search: Search, now: datetime) -> Appointment | None:
    """Return a draft that has a place, with the first who has one; None where others came first."""
    for diary in search.diaries:
        session = slots.session(search.offering, diary.staff_id, search.start_min)
        seat = await desk.seat(tx, session, now)
        if seat is not None:
            id = (await tx.appointments.next_ids(1))[0]
            zone = diary.availability.timezone if diary.availability is not None else "UTC"
            return desk.draft(id, search.offering, session, zone, now).seated(seat)
    return None


async def refuse_stranger(people: People, actor: Actor, client_id: int) -> None:
    """Raise ClientUnknown where staff book for somebody who is no active user."""
    if client_id != actor.user_id and not await people.is_active(client_id):
        raise ClientUnknown(errors={"client_id": ["is no active user"]})


@dataclass(frozen=True, slots=True)
class HoldSlot:
    """Keep a time for somebody while they make up their mind."""

    unit: UnitOfWork[BookingTx]
    find: FindSlots
    desk: Desk
    turns: Turns
    clock: Clock

    async def __call__(self, actor: Actor, wish: Wish) -> Appointment:
        """Return the hold; raises SlotTaken, SlotNotOffered, TooManyHolds."""
        now = self.clock.now()
        client_id = booking.client_of(actor, None)
        search = await look(self.find, actor, wish, now)
        async with self.turns.of(search.time) as turn:
            hold = await self._held(client_id, search.without(turn.gone), now)
            if hold is not None:
                turn.give(hold)
                return hold
        raise await self.find.taken(actor, search.offering, wish.staff_id, search.start_min)

    async def _held(self, client_id: int, search: Search, now: datetime) -> Appointment | None:
        if not search.diaries:
            return None
        async with self.unit() as tx:
            booking.refuse_more_holds(await tx.appointments.open_holds(client_id, now))
            draft = await claim(tx, self.desk, search, now)
            if draft is None:
                return None
            hold = booking.held(draft, client_id, now, self.desk.policy.hold_s)
            await tx.appointments.add(hold)
            await self.desk.watch(tx, hold)
        return hold


@dataclass(frozen=True, slots=True)
class BookAppointment:
    """Book one appointment: confirmed at once, or pending where the service wants its staff to confirm."""

    unit: UnitOfWork[BookingTx]
    find: FindSlots
    people: People
    desk: Desk
    turns: Turns
    clock: Clock

    async def __call__(self, actor: Actor, wish: Wish) -> Appointment:
        """Return the appointment; raises SlotTaken with the next free starts, SlotNotOffered, NotForOthers."""
        now = self.clock.now()
        client_id = booking.client_of(actor, wish.client_id)
        await refuse_stranger(self.people, actor, client_id)
        search = await look(self.find, actor, wish, now)
        async with self.turns.of(search.time) as turn:
            booked = await self._booked(actor, wish, client_id, search.without(turn.gone), now)
            if booked is not None:
                turn.give(booked)
                return booked
        raise await self.find.taken(actor, search.offering, wish.staff_id, search.start_min)

    async def _booked(
        self, actor: Actor, wish: Wish, client_id: int, search: Search, now: datetime
    ) -> Appointment | None:
        if not search.diaries:
            return None
        async with self.unit() as tx:
            draft = await claim(tx, self.desk, search, now)
            if draft is None:
                return None
            confirmed = search.offering.auto_confirm
            booked = replace(draft.book(client_id, wish.note, confirmed=confirmed, now=now), version=1)
            await tx.appointments.add(booked)
            await self.desk.watch(tx, booked)
            await tell(tx, actor, AppointmentBooked, None, booked)
            await tell_of_booked(tx, [booked])
        return booked


@dataclass(frozen=True, slots=True)
class TakeUpHold:
    """Book the time that a hold or an offer of the waitlist keeps."""

    unit: UnitOfWork[BookingTx]
    people: People
    desk: Desk
    clock: Clock

    async def __call__(
        self,
        actor: Actor,
        hold_id: int,
        *,
        service_id: int | None = None,
        starts_at: datetime | None = None,
        staff_id: int | None = None,
        client_id: int | None = None,
        note: str = "",
    ) -> Appointment:
        """Return the appointment; raises NoSuchHold, HoldSpent, InvalidBooking where the wish is not what is held."""
        now = self.clock.now()
        client_id = booking.client_of(actor, client_id)
        await refuse_stranger(self.people, actor, client_id)
        async with self.unit() as tx:
            hold = await tx.appointments.get(hold_id)
            if hold is None or hold.client_id != actor.user_id:
                raise NoSuchHold(hold_id=hold_id)
            booking.refuse_other_wish(hold, service_id, starts_at, staff_id)
            if booking.spent(hold, now):
                raise HoldSpent(hold_id=hold_id)
            offering = await tx.offerings.get(hold.service_id)
            booked = hold.book(client_id, note, confirmed=offering is None or offering.auto_confirm, now=now)
            await tx.appointments.save(booked)
            entry = await tx.waitlist.of_hold(hold_id)
            if entry is not None:
                await tx.waitlist.save(entry.take())
            await self.desk.watch(tx, booked)
            await tell(tx, actor, AppointmentBooked, None, booked)
            await tell_of_booked(tx, [booked])
        return booked


@dataclass(frozen=True, slots=True)
class LapseHold:
    """Let a hold go whose time is over, and offer the time to the next in line; a job runs it then."""

    unit: UnitOfWork[BookingTx]
    desk: Desk
    clock: Clock

    async def __call__(self, claim: Claim) -> None:
        """A hold that was taken up is let be; one that still lives, by this clock, is looked at again."""
        hold_id, staff_id = numbers(claim, "appointment_id", "staff_id")
        now = self.clock.now()
        async with self.unit() as tx:
            await tx.diaries.lock([staff_id])
            hold = await tx.appointments.get(hold_id)
            if hold is not None and hold.status is Status.HELD:
                if booking.spent(hold, now):
                    await self.desk.lapse(tx, hold, now)
                else:
                    await self.desk.watch(tx, hold)
            await tx.jobs.finish(claim)


def numbers(claim: Claim, *names: str) -> Sequence[int]:
    """Return these numbers of a job's payload."""
    return [int(str(claim.payload[name])) for name in names]


USE_CASES = (Desk, Turns, HoldSlot, BookAppointment, TakeUpHold, LapseHold)
