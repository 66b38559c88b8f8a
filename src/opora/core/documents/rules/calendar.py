"""Working days: which day is one, and which is the n-th after another."""

from datetime import date, datetime, timedelta
from functools import lru_cache

from opora.core.documents.model.calendars import BusinessCalendar

DAY = timedelta(days=1)
SATURDAY = 5


def today(calendar: BusinessCalendar, now: datetime) -> date:
    """Return the date at the branch."""
    return now.astimezone(calendar.zone).date()


def is_working(calendar: BusinessCalendar, day: date) -> bool:
    """Tell whether the bank works on that day."""
    if day in worked_weekends(calendar):
        return True
    return day.weekday() < SATURDAY and day not in days_off(calendar, day.year)


def received_on(calendar: BusinessCalendar, at: datetime) -> date:
    """Return the working day that something counts as received on."""
    local = at.astimezone(calendar.zone)
    day = local.date()
    if is_working(calendar, day) and local.time() < calendar.closes_at:
        return day
    return after(calendar, day, 1)


def after(calendar: BusinessCalendar, day: date, count: int) -> date:
    """Return the `count`-th working day after a day; the day itself for none."""
    while count > 0:
        day += DAY
        count -= is_working(calendar, day)
    return day


def between(calendar: BusinessCalendar, start: date, end: date) -> int:
    """Count the working days after `start` up to `end`, both ends of years that follow one another."""
    return sum(is_working(calendar, start + DAY * number) for number in range(1, (end - start).days + 1))


@lru_cache(maxsize=256)
def days_off(calendar: BusinessCalendar, year: int) -> frozenset[date]:
    """Return the holidays of a year, the days that make up for them, and the days off that were moved into it."""
    elsewhere = {one.worked for one in calendar.moved}
    holidays = {date(year, month, day) for month, day in calendar.holidays}
    off = holidays | {one.off for one in calendar.moved if one.off.year == year}
    for holiday in sorted(holidays):
        made_up = (holiday.month, holiday.day) not in calendar.not_made_up_for
        if holiday.weekday() >= SATURDAY and made_up and holiday not in elsewhere:
            instead = holiday
            while instead in off or instead.weekday() >= SATURDAY:
                instead += DAY
            off.add(instead)
    return frozenset(off)


@lru_cache(maxsize=16)
def worked_weekends(calendar: BusinessCalendar) -> frozenset[date]:
    """Return the weekends that are worked because their day off was moved; a holiday stays one."""
    worked = {one.worked for one in calendar.moved if (one.worked.month, one.worked.day) not in calendar.holidays}
    return frozenset(worked)
