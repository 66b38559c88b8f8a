"""Appointments that recur: the rule they follow and what became of each."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from opora.core.bookings.model.appointments import Appointment

SERIES_MAX = 104
SERIES_DAYS_MAX = 731
INTERVAL_MAX = 366
RULE_LENGTH_MAX = 500


class Frequency(StrEnum):
    """How often a rule recurs; finer ones than a day are not taken."""

    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"
    YEARLY = "YEARLY"


@dataclass(frozen=True, slots=True)
class WeekdayRule:
    """A weekday from 0, Monday; `ordinal` 2 is the second of its month or year, -1 the last, 0 every one."""

    weekday: int
    ordinal: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence:
    """The part of an RFC 5545 rule that is taken. It ends by `count`, or by a last local day or instant."""

    frequency: Frequency
    every: int = 1
    count: int | None = None
    until: datetime | None = None
    until_day: date | None = None
    by_weekday: tuple[WeekdayRule, ...] = ()
    by_month_day: tuple[int, ...] = ()
    by_month: tuple[int, ...] = ()
    by_position: tuple[int, ...] = ()
    week_start: int = 0


class OnConflict(StrEnum):
    """What becomes of a series one of whose times is not free."""

    FAIL = "fail"
    SKIP = "skip"
    NEAREST = "nearest"


class Extent(StrEnum):
    """How much of a series a change is about."""

    THIS = "this"
    FOLLOWING = "following"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Appointments made by one rule; a change of the following ones splits it in two."""

    id: int
    client_id: int
    service_id: int
    staff_id: int
    rrule: str
    timezone: str
    starts_at: datetime
    parent_id: int | None = None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Clash:
    """A time of a series that could not be had: why, and where it went instead, if anywhere."""

    starts_at: datetime
    code: str
    moved_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class BookedSeries:
    """What became of a series."""

    series: Series
    appointments: tuple[Appointment, ...]
    conflicts: tuple[Clash, ...] = ()
