"""When somebody works: weekly hours in a named zone, days that differ, and spans that are closed."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

DAY_MIN = 1440
WEEKLY_MAX = 70
EXCEPTIONS_MAX = 1000
CLOSURES_MAX = 200
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def minute_of(at: datetime) -> int:
    """Return the whole minutes from the epoch to an instant."""
    return int((at - EPOCH).total_seconds() // 60)


def instant_of(minute: int) -> datetime:
    """Return the instant of a minute since the epoch."""
    return EPOCH + timedelta(minutes=minute)


@dataclass(frozen=True, slots=True)
class WeeklyHours:
    """Hours of every week: `weekday` from 0, Monday; minutes of the local day, the end up to 1440."""

    weekday: int
    start_min: int
    end_min: int


@dataclass(frozen=True, slots=True)
class DayException:
    """One day whose hours replace the weekly ones; without times the day is closed."""

    day: date
    start_min: int | None = None
    end_min: int | None = None


@dataclass(frozen=True, slots=True)
class Closure:
    """A span of instants in which nobody comes, whatever the hours say."""

    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Availability:
    """The working hours of one member of staff."""

    user_id: int
    timezone: str
    weekly: tuple[WeeklyHours, ...] = ()
    exceptions: tuple[DayException, ...] = ()
    closures: tuple[Closure, ...] = ()


@dataclass(frozen=True, slots=True)
class Busy:
    """A session in a diary, in minutes since the epoch, its buffers in `from_min` and `until_min`."""

    from_min: int
    until_min: int
    start_min: int
    service_id: int
    taken: int
    capacity: int


@dataclass(frozen=True, slots=True)
class Diary:
    """The time of one member of staff: their hours, and their sessions in order; sessions never overlap."""

    staff_id: int
    availability: Availability | None = None
    busy: tuple[Busy, ...] = ()


@dataclass(frozen=True, slots=True)
class Slot:
    """A start that may be booked, and how many places are left in its session."""

    start_min: int
    end_min: int
    staff_id: int
    places: int
