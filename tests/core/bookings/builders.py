"""Services, hours and appointments of the tests."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from opora.core.bookings.model.appointments import Appointment, Status
from opora.core.bookings.model.hours import Availability, Busy, Diary, WeeklyHours
from opora.core.bookings.model.offerings import CancellationPolicy, Offering
from opora.core.bookings.rules import slots
from opora.core.kernel.model import Actor

NOW = datetime(2030, 1, 7, 6, tzinfo=UTC)
"""A Monday, nine in the morning in Moscow."""
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
STAFF_SCOPES = frozenset(
    {
        "services:read",
        "services:write",
        "availability:write",
        "appointments:read",
        "appointments:write",
        "appointments:manage",
    }
)
CLIENT = Actor(
    user_id=1,
    scopes=frozenset({"services:read", "appointments:read", "appointments:write"}),
    roles=frozenset({"client"}),
)
STRANGER = replace(CLIENT, user_id=2)
STAFF = Actor(user_id=10, scopes=STAFF_SCOPES, roles=frozenset({"staff"}))
COLLEAGUE = replace(STAFF, user_id=11)
ADMIN = Actor(user_id=99, scopes=frozenset({"admin"}), roles=frozenset({"admin"}))


def an_offering(**changes: Any) -> Offering:
    """Return an hour of one place with staff 10, every hour on the hour."""
    plain: dict[str, Any] = {
        "id": 1,
        "name": "Consultation",
        "duration_min": 60,
        "price_minor": 250_000,
        "staff_ids": (10,),
        "created_at": NOW,
    }
    fields = plain | changes
    return Offering(**({"step_min": fields["duration_min"]} | fields))


def hours(*weekly: tuple[int, int, int], zone: str = "Europe/Moscow", user_id: int = 10, **more: Any) -> Availability:
    """Return hours of these weekdays and minutes."""
    return Availability(user_id=user_id, timezone=zone, weekly=tuple(WeeklyHours(*one) for one in weekly), **more)


def office_hours(user_id: int = 10, zone: str = "Europe/Moscow") -> Availability:
    """Return nine to six from Monday to Friday."""
    return hours(*((day, 540, 1080) for day in range(5)), user_id=user_id, zone=zone)


def a_diary(availability: Availability | None, *busy: Busy) -> Diary:
    """Return the diary of staff 10."""
    return Diary(10, availability, tuple(sorted(busy, key=lambda one: one.from_min)))


def taken(offering: Offering, start_min: int, places: int = 1) -> Busy:
    """Return a session of a service with so many places taken."""
    session = slots.session(offering, 10, start_min)
    return Busy(session.busy_from_min, session.busy_until_min, start_min, offering.id, places, offering.capacity)


def an_appointment(**changes: Any) -> Appointment:
    """Return a confirmed hour of client 1 with staff 10, booked now for the day after tomorrow at the same time."""
    plain: dict[str, Any] = {
        "id": 5,
        "uid": "5@opora",
        "service_id": 1,
        "staff_id": 10,
        "client_id": 1,
        "status": Status.CONFIRMED,
        "starts_at": NOW + 2 * DAY,
        "ends_at": NOW + 2 * DAY + HOUR,
        "timezone": "Europe/Moscow",
        "price_minor": 250_000,
        "currency": "RUB",
        "policy": CancellationPolicy(),
        "engagement_id": 7,
        "place": 0,
        "created_at": NOW,
        "changed_at": NOW,
    }
    return Appointment(**(plain | changes))
