"""Moving appointments: out of the old time and into the new one in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from opora.core.bookings import events
from opora.core.bookings.errors import SlotNotOffered, SlotTaken
from opora.core.bookings.model.appointments import Appointment
from opora.core.bookings.model.hours import instant_of
from opora.core.bookings.model.offerings import Offering
from opora.core.bookings.model.series import Extent
from opora.core.bookings.ports.appointments import AppointmentViews, BookingTx
from opora.core.bookings.rules import booking, recurrence, series, slots
from opora.core.bookings.usecases.deciding import held_with_series, seen
from opora.core.bookings.usecases.desk import AROUND_MIN, Desk, tell
from opora.core.bookings.usecases.letters import tell_of_moved
from opora.core.bookings.usecases.openings import FindSlots
from opora.core.kernel.model import Actor
from opora.core.kernel.ports import Clock, UnitOfWork


@dataclass(frozen=True, slots=True)
class Target:
    """Where an appointment goes."""

    before: Appointment
    start_min: int
    staff_id: int


@dataclass(frozen=True, slots=True)
class MoveAppointment:
    """Move an appointment, or those of a series that follow it, or all of them; all or none."""

    unit: UnitOfWork[BookingTx]
    views: AppointmentViews
    find: FindSlots
    desk: Desk
    clock: Clock

    async def __call__(
        self,
        actor: Actor,
        id: int,
        starts_at: datetime,
        staff_id: int | None = None,
        extent: Extent = Extent.THIS,
    ) -> Sequence[Appointment]:
        """Return what was moved, this one first; raises SlotTaken, SlotNotOffered, TooLateToMove, AlreadyStarted."""
        known = await seen(self.views, actor, id)
        booking.refuse_changing(actor, known)
        offering = await self.find.offering(known.service_id)
        start_min = booking.whole_minute(starts_at)
        giver = booking.givers(offering, staff_id or known.staff_id)[0]
        try:
            async with self.unit() as tx:
                one = await held_with_series(tx, known, giver)
                moved = await self._move(tx, actor, offering, Target(one, start_min, giver), extent)
                moved.sort(key=lambda after: after.id != id)
                await tell_of_moved(tx, one, moved)
        except SlotTaken:
            raise await self.find.taken(actor, offering, giver, start_min) from None
        return moved

    async def _move(
        self, tx: BookingTx, actor: Actor, offering: Offering, wanted: Target, extent: Extent
    ) -> list[Appointment]:
        now, one = self.clock.now(), wanted.before
        extent = Extent.THIS if one.series_id is None else extent
        booking.refuse_unmovable(one)
        booking.refuse_started(one, now)
        coming = [one] if one.series_id is None else list(await tx.appointments.coming(one.series_id, now))
        members = series.extent(coming, one, extent)
        starts = series.shifted(members, one, wanted.start_min)
        for member in members:
            booking.refuse_costly_move(actor, member, now)
            exempt = booking.is_exempt(actor, wanted.staff_id)
            booking.refuse_early_or_late(offering, starts[member.id], now, exempt=exempt)
        if extent is Extent.FOLLOWING and len(members) < len(coming):
            members = await self._split(tx, members, one, starts[one.id], now)
        targets = [
            Target(member, starts[member.id], wanted.staff_id if member.staff_id == one.staff_id else member.staff_id)
            for member in members
        ]
        return await self._reseat(tx, actor, offering, targets, now)

    async def _split(
        self, tx: BookingTx, members: Sequence[Appointment], one: Appointment, start_min: int, now: datetime
    ) -> list[Appointment]:
        """Make the following appointments a series of their own; the old rule ends before them."""
        old = await tx.appointments.series(one.series_id or 0)
        if old is None:
            return list(members)
        rule = recurrence.parse(old.rrule)
        until = one.starts_at - timedelta(seconds=1)
        await tx.appointments.change_rule(
            old.id, recurrence.text_of(replace(rule, count=None, until=until, until_day=None))
        )
        new_rule = replace(rule, count=len(members), until=None, until_day=None)
        new = replace(
            old,
            id=await tx.appointments.next_series_id(),
            rrule=recurrence.text_of(new_rule),
            starts_at=instant_of(start_min),
            parent_id=old.id,
            created_at=now,
        )
        await tx.appointments.add_series(new)
        return [member.in_series(new.id) for member in members]

    async def _reseat(
        self, tx: BookingTx, actor: Actor, offering: Offering, targets: Sequence[Target], now: datetime
    ) -> list[Appointment]:
        """Give up every old place, then take every new one in the order of time; raises SlotTaken."""
        vacated, moved = [], []
        for target in targets:
            hours = await tx.diaries.hours(target.staff_id)
            zone = hours.timezone if hours is not None else target.before.timezone
            asks = booking.asks_again(actor, target.before, auto_confirm=offering.auto_confirm)
            after = target.before.moved(target.staff_id, instant_of(target.start_min), zone, now, asks_again=asks)
            await tx.appointments.save(after)
            vacated.append(await tx.appointments.leave(target.before.engagement_id or 0))
            moved.append(after)
        for target, after in sorted(zip(targets, moved, strict=True), key=lambda pair: pair[0].start_min):
            await self._take(tx, offering, target, after, now)
            await self.desk.watch(tx, after)
            was_at = target.before.starts_at
            await tell(tx, actor, events.AppointmentMoved, target.before, after, was_at=was_at)
        for freed in filter(None, vacated):
            await self.desk.offer(tx, freed, now)
        return moved

    async def _take(self, tx: BookingTx, offering: Offering, target: Target, after: Appointment, now: datetime) -> None:
        start = target.start_min
        diary = (await tx.diaries.read([target.staff_id], start - AROUND_MIN, start + AROUND_MIN, now))[0]
        length_min = round((after.ends_at - after.starts_at).total_seconds() / 60)
        same_length = replace(offering, duration_min=length_min)
        if not slots.is_offered(same_length, diary, start):
            raise SlotNotOffered(errors={"starts_at": ["is no start that is offered; GET /slots lists them"]})
        seat = None
        if slots.is_free(same_length, diary, start):
            seat = await self.desk.seat(tx, slots.session(same_length, target.staff_id, start), now)
        if seat is None:
            raise SlotTaken(starts_at=booking.told(instant_of(start)))
        await tx.appointments.settle(after.id, seat)


USE_CASES = (MoveAppointment,)
