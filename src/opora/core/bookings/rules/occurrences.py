"""The days on which a rule recurs, period by period, and the instants of a series."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from opora.core.bookings.model.hours import instant_of
from opora.core.bookings.model.series import SERIES_DAYS_MAX, SERIES_MAX, Frequency, Recurrence, WeekdayRule
from opora.core.bookings.rules.recurrence import last_day, refused
from opora.core.bookings.rules.zones import minute_at, wall

WEEK = 7
DECEMBER = 12
ONE_DAY = timedelta(days=1)

type Period = tuple[date, date]
"""The first day and the day after the last."""


def starts(rule: Recurrence, start_min: int, zone: ZoneInfo) -> list[int]:
    """Return the instants of a series whose first candidate is `start_min`, at the same time of the local day.

    Raises InvalidRule where there is none, more than the bound, or one beyond the bound of days.
    """
    first, wall_min = wall(start_min, zone)
    if ends_late(rule, first):
        raise refused(f"ends within {SERIES_DAYS_MAX} days of the first appointment")
    found: list[int] = []
    for day in days(rule, first):
        minute = minute_at(day, wall_min, zone)
        if rule.until is not None and instant_of(minute) > rule.until:
            break
        if rule.until_day is not None and day > rule.until_day:
            break
        found.append(minute)
        if len(found) == rule.count:
            break
        if len(found) > SERIES_MAX:
            raise refused(f"makes at most {SERIES_MAX} appointments")
    if rule.count is not None and len(found) < rule.count:
        raise refused(f"makes its {rule.count} appointments within {SERIES_DAYS_MAX} days, not {len(found)}")
    if not found:
        raise refused("matches no day")
    return found


def ends_late(rule: Recurrence, first: date) -> bool:
    """Tell whether a rule's own end lies beyond the bound."""
    end = rule.until.date() if rule.until is not None else rule.until_day
    return end is not None and end > last_day(first)


def days(rule: Recurrence, first: date) -> Iterator[date]:
    """Yield the days of a rule from `first` on, in order, as far as the bound; COUNT and UNTIL are the caller's."""
    rule = filled(rule, first)
    bound = last_day(first)
    for begin, end in periods(rule, first, bound):
        matching = [day for day in each(begin, end) if matches(rule, day, begin, end)]
        for day in chosen(matching, rule.by_position):
            if first <= day <= bound:
                yield day


def filled(rule: Recurrence, first: date) -> Recurrence:
    """Return the rule with what the first day stands for where the rule names no day."""
    if rule.by_weekday or rule.by_month_day or rule.frequency is Frequency.DAILY:
        return rule
    changes: dict[str, object] = {}
    if rule.frequency is Frequency.WEEKLY:
        changes["by_weekday"] = (WeekdayRule(first.weekday()),)
    else:
        changes["by_month_day"] = (first.day,)
    if rule.frequency is Frequency.YEARLY and not rule.by_month:
        changes["by_month"] = (first.month,)
    return replace(rule, **changes)  # type: ignore[arg-type]  # fields named just above


def periods(rule: Recurrence, first: date, bound: date) -> Iterator[Period]:
    """Yield every `every`th day, week, month or year from the one that holds `first`, up to `bound`."""
    if rule.frequency is Frequency.DAILY:
        length, begin = 1, first
    else:
        length, begin = WEEK, first - timedelta(days=(first.weekday() - rule.week_start) % WEEK)
    if rule.frequency in {Frequency.DAILY, Frequency.WEEKLY}:
        while begin <= bound:
            yield begin, begin + timedelta(days=length)
            begin += timedelta(days=length * rule.every)
        return
    months = 1 if rule.frequency is Frequency.MONTHLY else DECEMBER
    begin = first.replace(day=1) if months == 1 else first.replace(month=1, day=1)
    while begin <= bound:
        yield begin, later(begin, months)
        begin = later(begin, months * rule.every)


def later(month: date, by: int) -> date:
    """Return the first of the month `by` months later, or the last day there is."""
    number = month.year * DECEMBER + month.month - 1 + by
    return date.max if number >= date.max.year * DECEMBER else date(number // DECEMBER, number % DECEMBER + 1, 1)


def each(begin: date, end: date) -> Iterator[date]:
    """Yield the days of a period."""
    return (begin + timedelta(days=number) for number in range((end - begin).days))


def matches(rule: Recurrence, day: date, begin: date, end: date) -> bool:
    """Tell whether a day of a period is one the rule names."""
    if rule.by_month and day.month not in rule.by_month:
        return False
    if rule.by_month_day:
        from_end = day.day - (later(day.replace(day=1), 1) - day.replace(day=1)).days - 1
        if day.day not in rule.by_month_day and from_end not in rule.by_month_day:
            return False
    if not rule.by_weekday:
        return True
    if rule.frequency is Frequency.YEARLY and rule.by_month:
        begin = day.replace(day=1)
        end = later(begin, 1)
    nth, nth_last = (day - begin).days // WEEK + 1, -((end - ONE_DAY - day).days // WEEK + 1)
    return any(one.weekday == day.weekday() and one.ordinal in {0, nth, nth_last} for one in rule.by_weekday)


def chosen(matching: list[date], positions: tuple[int, ...]) -> list[date]:
    """Return the days of a period that BYSETPOS picks, in order; all where it picks none."""
    if not positions:
        return matching
    count = len(matching)
    return [day for place, day in enumerate(matching, 1) if place in positions or place - count - 1 in positions]
