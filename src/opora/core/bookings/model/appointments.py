"""An appointment from the hold on a time to its end."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

from opora.core.bookings.model.offerings import CancellationPolicy
from opora.core.kernel.model import Moves

NOTE_MAX = 2000
REASON_MAX = 500
HOLDS_MAX = 3
HOLD = "bookings.lapse"
UNANSWERED = "bookings.unanswered"


class Status(StrEnum):
    """Where an appointment stands; the first and the last are never shown as appointments."""

    HELD = "held"
    PENDING = "pending"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"
    COMPLETED = "completed"
    NO_SHOW = "no_show"
    LAPSED = "lapsed"


MOVES = Moves(
    {
        Status.HELD: frozenset({Status.PENDING, Status.CONFIRMED, Status.LAPSED}),
        Status.PENDING: frozenset({Status.CONFIRMED, Status.CANCELLED}),
        Status.CONFIRMED: frozenset({Status.COMPLETED, Status.NO_SHOW, Status.CANCELLED, Status.PENDING}),
        Status.CANCELLED: frozenset(),
        Status.COMPLETED: frozenset(),
        Status.NO_SHOW: frozenset(),
        Status.LAPSED: frozenset(),
    }
)
SHOWN = (Status.PENDING, Status.CONFIRMED, Status.CANCELLED, Status.COMPLETED, Status.NO_SHOW)
"""The statuses of document 1."""
COMING = frozenset({Status.PENDING, Status.CONFIRMED})
"""The statuses of what is still to take place."""


class Part(StrEnum):
    """What somebody is to an appointment."""

    CLIENT = "client"
    STAFF = "staff"
    OVERSEER = "overseer"


@dataclass(frozen=True, slots=True)
class Reach:
    """Whose appointments may be seen: everyone's, or those that `client_id` comes to or `staff_id` gives."""

    client_id: int | None = None
    staff_id: int | None = None
    is_everyones: bool = False


@dataclass(frozen=True, slots=True)
class Session:
    """The time of one member of staff given to one service, its buffers included, in minutes since the epoch."""

    staff_id: int
    service_id: int
    start_min: int
    busy_from_min: int
    busy_until_min: int
    capacity: int


@dataclass(frozen=True, slots=True)
class Seat:
    """One place of one session, which keeps the number of places it was opened with."""

    engagement_id: int
    place: int
    capacity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """A place in a session, from the hold on it to its end.

    Price, currency and terms are those of the booking, whatever the service asks later. `version` guards every change;
    `sequence` counts what calendars must hear of.
    """

    id: int
    uid: str
    service_id: int
    staff_id: int
    client_id: int
    status: Status
    starts_at: datetime
    ends_at: datetime
    timezone: str
    price_minor: int
    currency: str
    policy: CancellationPolicy
    capacity: int = 1
    engagement_id: int | None = None
    place: int | None = None
    series_id: int | None = None
    note: str = ""
    created_at: datetime
    changed_at: datetime
    expires_at: datetime | None = None
    cancelled_at: datetime | None = None
    cancelled_by: str | None = None
    reason: str | None = None
    fee_minor: int | None = None
    sequence: int = 0
    version: int = 1

    def confirm(self, now: datetime) -> Self:
        """Return it confirmed by who gives it; calendars hear of it as of any change of STATUS (RFC 5546 2.1.4)."""
        return self._move(Status.CONFIRMED, now, sequence=self.sequence + 1)

    def book(self, client_id: int, note: str, *, confirmed: bool, now: datetime) -> Self:
        """Return a held time taken up; raises IllegalMove where it is no hold any more."""
        status = Status.CONFIRMED if confirmed else Status.PENDING
        return self._move(status, now, client_id=client_id, note=note, expires_at=None, created_at=now)

    def lapse(self, now: datetime) -> Self:
        """Return a hold whose time is over, without its place."""
        return self._move(Status.LAPSED, now, engagement_id=None, place=None)

    def cancel(self, by: str, reason: str | None, fee_minor: int, now: datetime) -> Self:
        """Return it cancelled, without its place."""
        return self._move(
            Status.CANCELLED,
            now,
            engagement_id=None,
            place=None,
            cancelled_at=now,
            cancelled_by=by,
            reason=reason,
            fee_minor=fee_minor,
            sequence=self.sequence + 1,
        )

    def complete(self, now: datetime) -> Self:
        """Return it taken place."""
        return self._move(Status.COMPLETED, now)

    def miss(self, fee_minor: int, now: datetime) -> Self:
        """Return it missed by the client."""
        return self._move(Status.NO_SHOW, now, fee_minor=fee_minor)

    def seated(self, seat: Seat) -> Self:
        """Return it in its place."""
        return replace(self, engagement_id=seat.engagement_id, place=seat.place, capacity=seat.capacity)

    def moved(
        self, staff_id: int, starts_at: datetime, timezone: str, now: datetime, *, asks_again: bool = False
    ) -> Self:
        """Return it at another time, without a place there yet; where it `asks_again` it waits to be confirmed."""
        status = Status.PENDING if asks_again else self.status
        if status is not self.status:
            MOVES.check(self.status, status)
        return replace(
            self,
            staff_id=staff_id,
            starts_at=starts_at,
            ends_at=starts_at + (self.ends_at - self.starts_at),
            timezone=timezone,
            status=status,
            engagement_id=None,
            place=None,
            changed_at=now,
            sequence=self.sequence + 1,
            version=self.version + 1,
        )

    def in_series(self, series_id: int) -> Self:
        """Return it as a part of another series; saved together with another change."""
        return replace(self, series_id=series_id)

    def _move(self, status: Status, now: datetime, **changes: object) -> Self:
        MOVES.check(self.status, status)
        changes |= {"status": status, "changed_at": now, "version": self.version + 1}
        return replace(self, **changes)  # type: ignore[arg-type]  # the callers above name fields


@dataclass(frozen=True, slots=True)
class AppointmentFilter:
    """Which appointments of a list are wanted; None wants any."""

    starts_from: datetime | None = None
    starts_before: datetime | None = None
    status: Status | None = None
    service_id: int | None = None
    staff_id: int | None = None
    client_id: int | None = None
    series_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants to book. Without `staff_id` anybody who gives the service will do."""

    service_id: int
    starts_at: datetime
    staff_id: int | None = None
    client_id: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class HoldPolicy:
    """How long a held time and an offered one wait to be taken up."""

    hold_s: int = 600
    offer_s: int = 1800
