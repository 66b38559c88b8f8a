"""Facts that appointments announce."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from opora.core.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointmentEvent(Event):
    """Something happened to the appointment `subject`."""

    client_id: int
    staff_id: int
    service_id: int
    status: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointmentBooked(AppointmentEvent):
    """An appointment was made; `status` tells whether it waits for confirmation."""

    topic: ClassVar[str] = "appointment.booked"


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointmentConfirmed(AppointmentEvent):
    """Who gives the service confirmed a pending appointment."""

    topic: ClassVar[str] = "appointment.confirmed"


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointmentMoved(AppointmentEvent):
    """An appointment has another time; `was_at` is the old one."""

    topic: ClassVar[str] = "appointment.moved"
    was_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointmentCancelled(AppointmentEvent):
    """An appointment will not take place; `fee_minor` is what that costs the client."""

    topic: ClassVar[str] = "appointment.cancelled"
    fee_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointmentCompleted(AppointmentEvent):
    """An appointment took place."""

    topic: ClassVar[str] = "appointment.completed"


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointmentMissed(AppointmentEvent):
    """The client did not come; `fee_minor` is what that costs them."""

    topic: ClassVar[str] = "appointment.no_show"
    fee_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitlistOffered(Event):
    """A freed time is held for the next on the waitlist; `subject` is their entry."""

    topic: ClassVar[str] = "waitlist.offered"
    client_id: int
    hold_id: int
    starts_at: datetime
    expires_at: datetime
