"""Letters of appointments: kept with the change they tell of, and looked at again when they fire."""

from collections.abc import Sequence
from dataclasses import dataclass

from opora.core.bookings.model.appointments import Appointment, Status
from opora.core.bookings.model.calendars import Invitation
from opora.core.bookings.ports.appointments import AppointmentViews, BookingTx
from opora.core.bookings.ports.calendars import CalendarFiles
from opora.core.bookings.rules import booking, calendars
from opora.core.bookings.rules import letters as rules
from opora.core.bookings.rules.booking import told
from opora.core.bookings.usecases.words import CalendarWords
from opora.core.notifications.model.letters import Attachment
from opora.core.notifications.model.notices import KeptNotice
from opora.core.notifications.ports.channels import Attachments, Relevance


async def tell_of_booked(tx: BookingTx, appointments: Sequence[Appointment]) -> None:
    """Write one letter of what was booked or confirmed together, and a reminder of each."""
    first = appointments[0]
    names = await tx.offerings.names_around(first.service_id, first.staff_id)
    kind = rules.booked_kind(first)
    await tx.notices.add(rules.letter(kind, appointments, names, further_count=len(appointments) - 1))
    await remind(tx, appointments, names)


async def tell_of_moved(tx: BookingTx, was: Appointment, appointments: Sequence[Appointment]) -> None:
    """Write one letter of what was moved together; nothing reminds of the old times any more."""
    first = appointments[0]
    names = await tx.offerings.names_around(first.service_id, first.staff_id)
    for one in appointments:
        await tx.notices.withdraw(rules.about(one))
    more = {"was_at": told(was.starts_at), "further_count": len(appointments) - 1}
    await tx.notices.add(rules.letter("bookings.moved", appointments, names, **more))
    await remind(tx, appointments, names)


async def tell_of_cancelled(tx: BookingTx, appointments: Sequence[Appointment]) -> None:
    """Write one letter of what was cancelled together; nothing about it leaves after that."""
    first = appointments[0]
    names = await tx.offerings.names_around(first.service_id, first.staff_id)
    for one in appointments:
        await tx.notices.withdraw(rules.about(one))
    more = {
        "fee_minor": sum(one.fee_minor or 0 for one in appointments),
        "currency": first.currency,
        "further_count": len(appointments) - 1,
    }
    await tx.notices.add(rules.letter("bookings.cancelled", appointments, names, **more))


async def tell_of_offer(tx: BookingTx, hold: Appointment, minutes: int) -> None:
    """Write to who waited that a time is kept for them."""
    names = await tx.offerings.names_around(hold.service_id, hold.staff_id)
    await tx.notices.add(rules.letter("bookings.offered", [hold], names, kept_minutes=minutes))


async def remind(tx: BookingTx, appointments: Sequence[Appointment], names: tuple[str, str]) -> None:
    """Keep the reminders of confirmed appointments."""
    for one in appointments:
        for notice in rules.reminders(one, names, one.changed_at):
            await tx.notices.add(notice)


@dataclass(frozen=True, slots=True)
class ReminderRelevance(Relevance):
    """Whether a reminder still tells of an appointment at its time: the last look before it leaves."""

    views: AppointmentViews

    async def __call__(self, notice: KeptNotice) -> bool:
        """Hold for a confirmed appointment that starts when the reminder says, and for no other."""
        id = int(notice.about.rpartition(":")[2])
        appointment = await self.views.one(id, booking.EVERYONES)
        if appointment is None or appointment.status is not Status.CONFIRMED:
            return False
        return told(appointment.starts_at) == notice.data["starts_at"]


@dataclass(frozen=True, slots=True)
class InvitationFiles(Attachments):
    """The calendar files that go with a letter: one an appointment, for a message of RFC 5546 has one UID."""

    views: AppointmentViews
    words: CalendarWords
    files: CalendarFiles

    async def __call__(self, notice: KeptNotice) -> Sequence[Attachment]:
        """Return a request for each appointment of its client as it stands now, or a cancellation once cancelled."""
        ids = notice.data["appointment_ids"]
        found = [await self.views.one(id, booking.EVERYONES) for id in ids]  # type: ignore[attr-defined]  # JSON
        known = [one for one in found if one is not None and one.client_id == notice.user_id]
        return [self._file(one) for one in await self.words(known)]

    def _file(self, invitation: Invitation) -> Attachment:
        method = calendars.method(invitation.appointment)
        return Attachment(
            name=f"appointment-{invitation.appointment.id}.ics",
            media_type="text/calendar",
            content=self.files.write([invitation], method),
            parameters={"method": str(method), "charset": "utf-8"},
        )


USE_CASES = (ReminderRelevance, InvitationFiles)
