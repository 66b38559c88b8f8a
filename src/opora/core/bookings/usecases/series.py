"""Booking appointments that recur."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from opora.core.bookings.errors import SlotNotOffered, SlotTaken
from opora.core.bookings.events import AppointmentBooked
from opora.core.bookings.model.appointments import Appointment, Wish
from opora.core.bookings.model.hours import Diary, instant_of
from opora.core.bookings.model.offerings import Offering
from opora.core.bookings.model.series import BookedSeries, Clash, OnConflict, Recurrence, Series
from opora.core.bookings.ports.appointments import BookingTx
from opora.core.bookings.ports.offerings import People
from opora.core.bookings.rules import booking, occurrences, recurrence, series, slots
from opora.core.bookings.rules.zones import zone_of
from opora.core.bookings.usecases.booking import refuse_stranger
from opora.core.bookings.usecases.desk import Desk, tell
from opora.core.bookings.usecases.letters import tell_of_booked
from opora.core.bookings.usecases.openings import FindSlots
from opora.core.kernel.model import Actor
from opora.core.kernel.ports import Clock, UnitOfWork


@dataclass(frozen=True, slots=True)
class Plan:
    """A series fitted into a diary."""

    offering: Offering
    diary: Diary
    timezone: str
    rrule: str
    fit: series.Fit


@dataclass(frozen=True, slots=True)
class BookSeries:
    """Book a series: whole, without what clashes, or with the nearest free time for it."""

    unit: UnitOfWork[BookingTx]
    find: FindSlots
    people: People
    desk: Desk
    clock: Clock

    async def __call__(
        self, actor: Actor, wish: Wish, rrule: str, on_conflict: OnConflict, timezone: str | None = None
    ) -> BookedSeries:
        """Return the series with its conflicts; raises InvalidRule, or SlotTaken with them where it must be whole."""
        now = self.clock.now()
        client_id = booking.client_of(actor, wish.client_id)
        rule = recurrence.parse(rrule)
        await refuse_stranger(self.people, actor, client_id)
        plan = await self._plan(actor, wish, rule, on_conflict, timezone)
        refuse_clashes(plan.fit.clashes, on_conflict, len(plan.fit.starts))
        async with self.unit() as tx:
            await tx.diaries.lock([plan.diary.staff_id])
            booked = await self._book(tx, actor, wish, client_id, plan, now)
            refuse_clashes(booked.conflicts, on_conflict, len(booked.appointments))
            await tell_of_booked(tx, booked.appointments)
        return booked

    async def _plan(
        self, actor: Actor, wish: Wish, rule: Recurrence, on_conflict: OnConflict, timezone: str | None
    ) -> Plan:
        """Fit the rule into the diary where it clashes least."""
        now = self.clock.now()
        offering = await self.find.offering(wish.service_id)
        start = booking.whole_minute(wish.starts_at)
        exempt = booking.is_exempt(actor, wish.staff_id)
        earliest, before = booking.bookable(offering, now, exempt=exempt)
        booking.refuse_early_or_late(offering, start, now, exempt=exempt)
        zone_of(timezone or "UTC")
        plans = []
        for staff_id in booking.givers(offering, wish.staff_id):
            hours = await self.find.diaries.hours(staff_id)
            if hours is None:
                continue
            zone = timezone or hours.timezone
            starts = occurrences.starts(rule, start, zone_of(zone))
            reach = (starts[0] - series.NEAR_MIN, starts[-1] + series.NEAR_MIN)
            diary = (await self.find.read([staff_id], *reach, now))[0]
            fit = series.fit(offering, diary, starts, on_conflict, earliest, before)
            plans.append(Plan(offering, diary, zone, recurrence.text_of(rule), fit))
        if not plans:
            raise SlotNotOffered(errors={"staff_id": ["nobody who gives this service has working hours"]})
        return min(plans, key=lambda plan: (len(plan.fit.clashes), plan.diary.staff_id))

    async def _book(
        self, tx: BookingTx, actor: Actor, wish: Wish, client_id: int, plan: Plan, now: datetime
    ) -> BookedSeries:
        made = Series(
            id=await tx.appointments.next_series_id(),
            client_id=client_id,
            service_id=plan.offering.id,
            staff_id=plan.diary.staff_id,
            rrule=plan.rrule,
            timezone=plan.timezone,
            starts_at=wish.starts_at,
            created_at=now,
        )
        await tx.appointments.add_series(made)
        booked: list[Appointment] = []
        late: list[Clash] = []
        ids = await tx.appointments.next_ids(len(plan.fit.starts))
        for id, start in zip(ids, plan.fit.starts, strict=True):
            session = slots.session(plan.offering, plan.diary.staff_id, start)
            seat = await self.desk.seat(tx, session, now)
            if seat is None:
                late.append(Clash(instant_of(start), SlotTaken.code))
                continue
            draft = self.desk.draft(id, plan.offering, session, plan.timezone, now).seated(seat).in_series(made.id)
            one = replace(draft.book(client_id, wish.note, confirmed=plan.offering.auto_confirm, now=now), version=1)
            await tx.appointments.add(one)
            await self.desk.watch(tx, one)
            await tell(tx, actor, AppointmentBooked, None, one)
            booked.append(one)
        return BookedSeries(made, tuple(booked), (*plan.fit.clashes, *late))


def refuse_clashes(clashes: Sequence[Clash], on_conflict: OnConflict, had: int) -> None:
    """Raise SlotTaken, naming every clash, where the series must be whole or nothing is left of it."""
    if clashes and (on_conflict is OnConflict.FAIL or not had):
        raise SlotTaken(
            "Not every time of this series is free.",
            conflicts=[{"starts_at": booking.told(one.starts_at), "code": one.code} for one in clashes],
        )


USE_CASES = (BookSeries,)
