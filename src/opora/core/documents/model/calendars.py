"""When the bank works: a branch's zone and hours, its holidays, and the days that were moved."""

from dataclasses import dataclass
from datetime import date, time, tzinfo


@dataclass(frozen=True, slots=True)
class DayMoved:
    """A day off taken from one date to another: `off` is free instead of `worked`."""

    worked: date
    off: date


@dataclass(frozen=True, slots=True, kw_only=True)
class BusinessCalendar:
    """A branch's calendar. What comes in after `closes_at`, or on a day off, counts as come on the next working day.

    `holidays` are (month, day) of every year. One that falls on a weekend is made up for on the next working day,
    unless it is among `not_made_up_for` or the year's decree moved it elsewhere.
    """

    zone: tzinfo
    closes_at: time = time(18)
    holidays: frozenset[tuple[int, int]] = frozenset()
    not_made_up_for: frozenset[tuple[int, int]] = frozenset()
    moved: tuple[DayMoved, ...] = ()
