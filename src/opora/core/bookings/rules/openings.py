"""The span of time in which free starts are looked for."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from opora.core.bookings.errors import InvalidPeriod
from opora.core.bookings.model.hours import DAY_MIN, instant_of, minute_of
from opora.core.bookings.rules.zones import minute_at

SPAN_DAYS_MAX = 62
SLOTS_MAX = 25_000
TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Span:
    """Starts from `from_min` on and before `before_min`, in minutes since the epoch."""

    from_min: int
    before_min: int


def span(start: str, end: str, zone: ZoneInfo) -> Span:
    """Return the span between two instants or days; an end that is a day includes it. Raises InvalidPeriod.

    A day is one of the zone; an instant says its own zone.
    """
    errors: dict[str, list[str]] = {}
    bounds = []
    for name, text in (("from", start), ("to", end)):
        try:
            bounds.append(edge(text, zone, is_end=name == "to"))
        except ValueError:
            errors[name] = ["is an instant with its zone such as 2030-01-07T09:00:00Z, or a day such as 2030-01-07"]
    if not errors and bounds[1] <= bounds[0]:
        errors["to"] = ["is after from"]
    elif not errors and bounds[1] - bounds[0] > SPAN_DAYS_MAX * DAY_MIN + DAY_MIN // 24:  # clocks put back
        errors["to"] = [f"lies within {SPAN_DAYS_MAX} days of from"]
    if errors:
        raise InvalidPeriod(errors=errors)
    return Span(*bounds)


def edge(text: str, zone: ZoneInfo, *, is_end: bool) -> int:
    """Return one end of a span; raises ValueError for what is neither a day nor an instant of a bearable year."""
    if len(text) <= len("2030-01-07"):
        day = bearable(date.fromisoformat(text))
        return minute_at(day + timedelta(days=1 if is_end else 0), 0, zone)
    at = datetime.fromisoformat(text.replace(" ", "+"))  # a plus that came unescaped in a query
    if at.tzinfo is None:
        raise ValueError("an instant says its zone")
    bearable(at.date())
    return minute_of(at - TICK) + 1  # within a minute means from the next one on, or up to it


def bearable(day: date) -> date:
    """Return a day that every zone can bear; raises ValueError for another."""
    if not 1970 < day.year < 2400:  # noqa: PLR2004  # the store counts minutes from 1970 in 28 bits
        raise ValueError("no such year is booked")
    return day


def cut(starts: list[int]) -> int:
    """Return how many starts, which are in order, one answer holds: it never parts those of one instant."""
    if len(starts) <= SLOTS_MAX:
        return len(starts)
    end = SLOTS_MAX
    while end > 0 and starts[end - 1] == starts[end]:
        end -= 1
    return end


def told(minute: int) -> str:
    """Return a minute since the epoch as an instant that `span` reads."""
    return instant_of(minute).strftime("%Y-%m-%dT%H:%M:%SZ")
