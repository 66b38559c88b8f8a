"""What becomes of somebody's appointments when they have themselves erased."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from opora.core.access.ports.personal import PersonalRecords
from opora.core.bookings import events
from opora.core.bookings.model.appointments import COMING, Appointment
from opora.core.bookings.ports.appointments import AppointmentViews, BookingTx
from opora.core.bookings.ports.erasure import BookingRows
from opora.core.bookings.rules import cancellation
from opora.core.bookings.rules import letters as rules
from opora.core.bookings.usecases.desk import Desk, tell
from opora.core.bookings.usecases.letters import tell_of_cancelled
from opora.core.kernel.errors import Stale
from opora.core.kernel.model import SYSTEM, Actor, Interval
from opora.core.kernel.ports import Clock, UnitOfWork

GONE = "The account was erased."
AHEAD = timedelta(days=36_500)
AT_ONCE = 200
"""Appointments that are read together; each is cancelled in a transaction of its own."""


@dataclass(frozen=True, slots=True)
class BookingRecords(PersonalRecords):
    """What bookings hold on a person; with them go the appointments that are still to come.

    Those they would have come to cost what their own cancellation would cost now; those they would have given cost
    nothing, and their clients get a letter. Either way the time is free again.
    """

    rows: BookingRows
    unit: UnitOfWork[BookingTx]
    views: AppointmentViews
    desk: Desk
    clock: Clock
    section = "bookings"

    def held(self, user_id: int) -> AsyncIterator[Mapping[str, object]]:
        """Yield the rows."""
        return self.rows.held(user_id)

    async def erase(self, user_id: int) -> None:
        """First take them off every service, so that nothing more is booked with them; then cancel what was."""
        await self.rows.erase(user_id)
        while found := await self._coming(user_id):
            for one in found:
                await self._cancel(user_id, one)

    async def _coming(self, user_id: int) -> list[Appointment]:
        now = self.clock.now()
        found = await self.views.of_person(user_id, Interval(now, now + AHEAD), AT_ONCE)
        return [one for one in found if one.status in COMING and one.starts_at > now]

    async def _cancel(self, user_id: int, known: Appointment) -> None:
        now = self.clock.now()
        async with self.unit() as tx:
            await tx.diaries.lock([known.staff_id])
            before = await tx.appointments.get(known.id)
            if before is None or before.staff_id != known.staff_id or before.status not in COMING:
                raise Stale(appointment_id=known.id)  # the job looks again
            client = Actor(user_id=user_id)
            fee_minor = cancellation.fee(before, client, now).amount_minor if before.client_id == user_id else 0
            after = before.cancel(SYSTEM.subject, GONE, fee_minor, now)
            await self.desk.vacate(tx, after, before.engagement_id, now)
            await tell(tx, SYSTEM, events.AppointmentCancelled, before, after, fee_minor=fee_minor)
            if before.client_id == user_id:
                await tx.notices.withdraw(rules.about(after))
            else:
                await tell_of_cancelled(tx, [after])
