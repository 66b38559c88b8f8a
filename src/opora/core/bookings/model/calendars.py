"""Calendars as programs read them: invitations, and feeds under an address that cannot be guessed."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from opora.core.bookings.model.appointments import Appointment

FEEDS_MAX = 10
FEED_APPOINTMENTS_MAX = 1000
FEED_PAST_DAYS = 30
FEED_AHEAD_DAYS = 366
TOKEN_BYTES = 32
TOKEN_PREFIX = "opc_"  # noqa: S105  # what every token begins with
"""By this the log knows what to strike out of an address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A private calendar of one person; only the digest of its token is kept."""

    id: int
    user_id: int
    digest: bytes
    created_at: datetime
    revoked_at: datetime | None = None


class Method(StrEnum):
    """What a calendar message asks of who reads it (RFC 5546)."""

    REQUEST = "REQUEST"
    CANCEL = "CANCEL"
    PUBLISH = "PUBLISH"


@dataclass(frozen=True, slots=True)
class Person:
    """A name and an address, as an invitation shows them."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Invitation:
    """An appointment with the words around it."""

    appointment: Appointment
    service: str
    staff: Person
    client: Person
