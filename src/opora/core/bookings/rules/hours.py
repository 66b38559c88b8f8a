"""Which hours fit together, and which spans of instants they open."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from itertools import groupby, pairwise
from zoneinfo import ZoneInfo

from opora.core.bookings.errors import InvalidAvailability
from opora.core.bookings.model.hours import (
    CLOSURES_MAX,
    DAY_MIN,
    EXCEPTIONS_MAX,
    WEEKLY_MAX,
    Availability,
    minute_of,
)
from opora.core.bookings.rules.zones import minute_at, zone_of

WEEKDAYS = 7
TICK = timedelta(microseconds=1)
ORDER = "ends after it starts, within one day (24:00 is its end)"

type Span = tuple[int, int]


def checked(availability: Availability) -> Availability:
    """Return the hours in order; raises InvalidAvailability or InvalidZone that names every field at fault."""
    zone_of(availability.timezone)
    errors: dict[str, list[str]] = {}
    for name, found, most in (
        ("weekly", len(availability.weekly), WEEKLY_MAX),
        ("exceptions", len(availability.exceptions), EXCEPTIONS_MAX),
        ("blackouts", len(availability.closures), CLOSURES_MAX),
    ):
        if found > most:
            errors[name] = [f"takes at most {most} entries, not {found}"]
    for place, hours in enumerate(availability.weekly):
        if not 0 <= hours.weekday < WEEKDAYS:
            errors.setdefault(f"weekly.{place}.weekday", []).append("is 0 (Monday) to 6 (Sunday)")
        if not 0 <= hours.start_min < hours.end_min <= DAY_MIN:
            errors.setdefault(f"weekly.{place}.end", []).append(ORDER)
    for place, one in enumerate(availability.exceptions):
        if (one.start_min is None) != (one.end_min is None):
            errors.setdefault(f"exceptions.{place}.end", []).append("stands beside a start, or neither does")
        elif one.start_min is not None and not 0 <= one.start_min < (one.end_min or 0) <= DAY_MIN:
            errors.setdefault(f"exceptions.{place}.end", []).append(ORDER)
    for place, closure in enumerate(availability.closures):
        if closure.ends_at <= closure.starts_at:
            errors.setdefault(f"blackouts.{place}.ends_at", []).append("is after starts_at")
    if not errors:
        errors = _clashing(availability)
    if errors:
        raise InvalidAvailability(errors=errors)
    return Availability(
        user_id=availability.user_id,
        timezone=availability.timezone,
        weekly=tuple(sorted(availability.weekly, key=lambda one: (one.weekday, one.start_min))),
        exceptions=tuple(sorted(availability.exceptions, key=lambda one: (one.day, one.start_min or 0))),
        closures=tuple(sorted(availability.closures, key=lambda one: (one.starts_at, one.ends_at))),
    )


def _clashing(availability: Availability) -> dict[str, list[str]]:
    """Name the lists of hours in which two of one day overlap, or a closed day has hours as well."""
    errors = {}
    weekly = sorted((one.weekday, one.start_min, one.end_min) for one in availability.weekly)
    if any(one[0] == next[0] and next[1] < one[2] for one, next in pairwise(weekly)):
        errors["weekly"] = ["two of one day overlap"]
    for _, several in groupby(sorted(availability.exceptions, key=lambda one: one.day), key=lambda one: one.day):
        spans = sorted((one.start_min or 0, one.end_min or DAY_MIN) for one in several)
        if any(next[0] < one[1] for one, next in pairwise(spans)):
            errors["exceptions"] = ["two of one day overlap"]
    return errors


def windows(availability: Availability, first: date, last: date) -> list[Span]:
    """Return the opening hours of these local days, both included, as spans of minutes since the epoch, in order."""
    zone = zone_of(availability.timezone)
    by_weekday: list[list[Span]] = [[] for _ in range(WEEKDAYS)]
    for one in availability.weekly:
        by_weekday[one.weekday].append((one.start_min, one.end_min))
    by_day: dict[date, list[Span]] = {}
    for other in availability.exceptions:
        spans = by_day.setdefault(other.day, [])
        if other.start_min is not None and other.end_min is not None:
            spans.append((other.start_min, other.end_min))
    found = []
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        found += _opened(day, by_day.get(day, by_weekday[day.weekday()]), zone)
    found.sort()
    return found


def _opened(day: date, hours: Iterable[Span], zone: ZoneInfo) -> list[Span]:
    spans = [(minute_at(day, start, zone), minute_at(day, end, zone)) for start, end in hours]
    return [(start, end) for start, end in spans if start < end]  # hours that lie within a gap are none


def joined(spans: Sequence[Span]) -> list[Span]:
    """Return spans in order with those that touch or overlap made one."""
    whole: list[Span] = []
    for start, end in spans:
        if whole and start <= whole[-1][1]:
            if end > whole[-1][1]:
                whole[-1] = (whole[-1][0], end)
        else:
            whole.append((start, end))
    return whole


def without(spans: Sequence[Span], closed: Sequence[Span]) -> list[Span]:
    """Return what is left of disjoint spans in order when others, in order, are taken out."""
    left: list[Span] = []
    for start, end in spans:
        at = start
        for shut, reopened in closed:
            if shut >= end or reopened <= at:
                continue
            if shut > at:
                left.append((at, shut))
            at = max(at, reopened)
        if at < end:
            left.append((at, end))
    return left


def closed_spans(availability: Availability) -> list[Span]:
    """Return the closures in minutes, in order; one that ends within a minute closes the whole of it."""
    spans = [(minute_of(one.starts_at), minute_of(one.ends_at - TICK) + 1) for one in availability.closures]
    return joined(sorted(spans))
