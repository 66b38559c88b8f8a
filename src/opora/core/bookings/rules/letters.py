"""Which letters tell of an appointment, and when it is reminded of."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from opora.core.bookings.model.appointments import Appointment, Status
from opora.core.bookings.rules.booking import told
from opora.core.notifications.model.notices import Notice

REMINDERS = {"bookings.reminder_day": timedelta(hours=24), "bookings.reminder_hour": timedelta(hours=1)}
"""How long before the start each reminder fires."""


def about(appointment: Appointment) -> str:
    """Return the name by which an appointment's notices are withdrawn."""
    return f"appointment:{appointment.id}"


def data(appointments: Sequence[Appointment], names: tuple[str, str]) -> dict[str, object]:
    """Return what a notice says of appointments, in words of the first: `names` are of the service and who gives it."""
    first = appointments[0]
    return {
        "service": names[0],
        "staff": names[1],
        "starts_at": told(first.starts_at),
        "timezone": first.timezone,
        "appointment_ids": [one.id for one in appointments],
    }


def letter(kind: str, appointments: Sequence[Appointment], names: tuple[str, str], **more: object) -> Notice:
    """Return one letter to the client about appointments that were changed together."""
    first = appointments[0]
    return Notice(kind=kind, user_id=first.client_id, data=data(appointments, names) | more, about=about(first))


def reminders(appointment: Appointment, names: tuple[str, str], now: datetime) -> Iterator[Notice]:
    """Yield the reminders that are still ahead of a confirmed appointment; none for another."""
    if appointment.status is not Status.CONFIRMED:
        return
    for kind, ahead in REMINDERS.items():
        fire_at = appointment.starts_at - ahead
        if fire_at > now:
            yield Notice(
                kind=kind,
                user_id=appointment.client_id,
                data=data([appointment], names),
                dedup_key=f"{about(appointment)}:{appointment.version}:{kind}",
                fire_at=fire_at,
                about=about(appointment),
            )


def booked_kind(appointment: Appointment) -> str:
    """Return the letter that answers a booking: that it stands, or that it waits for confirmation."""
    return "bookings.confirmed" if appointment.status is Status.CONFIRMED else "bookings.requested"
