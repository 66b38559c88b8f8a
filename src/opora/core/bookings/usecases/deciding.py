"""Confirming, cancelling and ending appointments."""

from collections.abc import Sequence
from dataclasses import dataclass

from opora.core.bookings import events
from opora.core.bookings.errors import NoSuchAppointment
from opora.core.bookings.model.appointments import Appointment, Status
from opora.core.bookings.model.series import Extent
from opora.core.bookings.ports.appointments import AppointmentViews, BookingTx
from opora.core.bookings.rules import booking, cancellation, series
from opora.core.bookings.usecases.booking import numbers
from opora.core.bookings.usecases.desk import Desk, by_id, tell
from opora.core.bookings.usecases.letters import tell_of_booked, tell_of_cancelled
from opora.core.jobs.model import Claim
from opora.core.kernel.errors import Stale
from opora.core.kernel.model import SYSTEM, Actor, Money
from opora.core.kernel.ports import Clock, UnitOfWork

UNANSWERED = "It was not confirmed in time."


async def seen(views: AppointmentViews, actor: Actor, id: int) -> Appointment:
    """Return an appointment within the caller's reach; raises NoSuchAppointment."""
    found = await views.one(id, booking.reach(actor))
    if found is None:
        raise NoSuchAppointment(appointment_id=id)
    return found


async def held_with_series(tx: BookingTx, known: Appointment, *others: int) -> Appointment:
    """Hold the diaries that a change of an appointment and of its series may touch; return it as it now is."""
    givers = [] if known.series_id is None else await tx.appointments.givers(known.series_id)
    await tx.diaries.lock(by_id([known.staff_id, *givers, *others]))
    found = await tx.appointments.get(known.id)
    if found is None or found.staff_id != known.staff_id:
        raise Stale(appointment_id=known.id)
    return found


@dataclass(frozen=True, slots=True)
class ConfirmAppointment:
    """Say that a pending appointment will take place."""

    unit: UnitOfWork[BookingTx]
    views: AppointmentViews
    clock: Clock

    async def __call__(self, actor: Actor, id: int) -> Appointment:
        """Raise NotYoursToDecide for others than who gives it, AlreadyStarted once its time has come."""
        known = await seen(self.views, actor, id)
        booking.refuse_deciding(actor, known)
        now = self.clock.now()
        async with self.unit() as tx:
            before = await tx.appointments.get(id) or known
            after = before.confirm(now)
            booking.refuse_started(before, now)
            await tx.appointments.save(after)
            await tell(tx, actor, events.AppointmentConfirmed, before, after)
            await tell_of_booked(tx, [after])
        return after


@dataclass(frozen=True, slots=True)
class QuoteCancellation:
    """Say what a cancellation would cost if it were made now."""

    views: AppointmentViews
    clock: Clock

    async def __call__(self, actor: Actor, id: int) -> Money:
        """Raise the refusals that the cancellation itself would meet."""
        known = await seen(self.views, actor, id)
        now = self.clock.now()
        booking.refuse_changing(actor, known)
        booking.refuse_started(known, now)
        known.cancel(actor.subject, None, 0, now)
        return cancellation.fee(known, actor, now)


@dataclass(frozen=True, slots=True)
class CancelAppointment:
    """Cancel an appointment, or those of a series that follow it, or all of them."""

    unit: UnitOfWork[BookingTx]
    views: AppointmentViews
    desk: Desk
    clock: Clock

    async def __call__(
        self, actor: Actor, id: int, reason: str | None = None, extent: Extent = Extent.THIS
    ) -> Sequence[Appointment]:
        """Return what was cancelled, this one first; each has its own fee."""
        known = await seen(self.views, actor, id)
        booking.refuse_changing(actor, known)
        now = self.clock.now()
        cancelled = []
        async with self.unit() as tx:
            one = await held_with_series(tx, known)
            booking.refuse_started(one, now)
            one.cancel(actor.subject, reason, 0, now)
            of_series = () if one.series_id is None else await tx.appointments.coming(one.series_id, now)
            for before in series.extent(of_series, one, extent if one.series_id is not None else Extent.THIS):
                fee_minor = cancellation.fee(before, actor, now).amount_minor
                after = before.cancel(actor.subject, reason, fee_minor, now)
                await self.desk.vacate(tx, after, before.engagement_id, now)
                await tell(tx, actor, events.AppointmentCancelled, before, after, fee_minor=fee_minor)
                cancelled.append(after)
            cancelled.sort(key=lambda after: after.id != id)
            await tell_of_cancelled(tx, cancelled)
        return cancelled


@dataclass(frozen=True, slots=True)
class CompleteAppointment:
    """Say that an appointment took place."""

    unit: UnitOfWork[BookingTx]
    views: AppointmentViews
    clock: Clock

    async def __call__(self, actor: Actor, id: int) -> Appointment:
        """Raise NotYoursToDecide, NotStarted before its time."""
        known = await seen(self.views, actor, id)
        booking.refuse_deciding(actor, known)
        now = self.clock.now()
        async with self.unit() as tx:
            before = await tx.appointments.get(id) or known
            after = before.complete(now)
            booking.refuse_unstarted(before, now)
            await tx.appointments.save(after)
            await tell(tx, actor, events.AppointmentCompleted, before, after)
        return after


@dataclass(frozen=True, slots=True)
class MissAppointment:
    """Say that the client did not come."""

    unit: UnitOfWork[BookingTx]
    views: AppointmentViews
    clock: Clock

    async def __call__(self, actor: Actor, id: int) -> Appointment:
        """Return it with its fee; raises NotYoursToDecide, NotStarted before its time."""
        known = await seen(self.views, actor, id)
        booking.refuse_deciding(actor, known)
        now = self.clock.now()
        async with self.unit() as tx:
            before = await tx.appointments.get(id) or known
            fee_minor = cancellation.missed_fee(before).amount_minor
            after = before.miss(fee_minor, now)
            booking.refuse_unstarted(before, now)
            await tx.appointments.save(after)
            await tell(tx, actor, events.AppointmentMissed, before, after, fee_minor=fee_minor)
        return after


@dataclass(frozen=True, slots=True)
class CancelUnanswered:
    """Cancel an appointment that nobody confirmed before its time; a job runs it then."""

    unit: UnitOfWork[BookingTx]
    desk: Desk
    clock: Clock

    async def __call__(self, claim: Claim) -> None:
        """One that was answered or moved meanwhile is let be."""
        id, staff_id = numbers(claim, "appointment_id", "staff_id")
        now = self.clock.now()
        async with self.unit() as tx:
            await tx.diaries.lock([staff_id])
            before = await tx.appointments.get(id)
            if before is not None and before.status is Status.PENDING and before.staff_id == staff_id:
                if before.starts_at <= now:
                    after = before.cancel(SYSTEM.subject, UNANSWERED, 0, now)
                    await self.desk.vacate(tx, after, before.engagement_id, now)
                    await tell(tx, SYSTEM, events.AppointmentCancelled, before, after, fee_minor=0)
                    await tell_of_cancelled(tx, [after])
                else:
                    await self.desk.watch(tx, before)
            await tx.jobs.finish(claim)


USE_CASES = (
    ConfirmAppointment,
    QuoteCancellation,
    CancelAppointment,
    CompleteAppointment,
    MissAppointment,
    CancelUnanswered,
)
