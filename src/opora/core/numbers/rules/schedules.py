"""When a project may call: windows of a week on somebody's clock. Pure, told the instant."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from opora.core.numbers.errors.projects import InvalidSchedule
from opora.core.numbers.model.projects import ZoneMode
from opora.core.numbers.model.schedules import DAY_MIN, WINDOWS_MAX, CallingWindow, Schedule

TIME = re.compile(r"([0-9]{2}):([0-9]{2})(?::00(?:\.0+)?)?")
DAY = timedelta(days=1)


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """Return a zone by its IANA name."""
    return ZoneInfo(name)


def is_open_on(windows: Iterable[CallingWindow], holidays: frozenset[date], local: datetime) -> bool:
    """Tell whether a clock that shows `local` is inside a window; a window is never open on a holiday.

    One that runs past midnight belongs to the day it started on, and is closed too if that was a holiday.
    """
    today = local.date()
    if today in holidays:
        return False
    minute = local.hour * 60 + local.minute
    yesterday = today - DAY
    for window in windows:
        if not window.is_active:
            continue
        if window.weekday == today.weekday() and window.start_minute <= minute:
            if window.is_overnight or minute < window.end_minute:
                return True
        elif window.is_overnight and window.weekday == yesterday.weekday() and minute < window.end_minute:
            return yesterday not in holidays
    return False


def is_open(schedule: Schedule, zones: Sequence[str], now: datetime) -> bool:
    """Tell whether a number that may lie in any of these zones may be called now: it must be open in all of them.

    Where the hours follow each number's clock and its zone is unknown, it may not. No windows, no calls.
    """
    clocks = (schedule.timezone,) if schedule.zone_mode is ZoneMode.PROJECT else zones
    return bool(clocks) and all(
        is_open_on(schedule.windows, schedule.holidays, now.astimezone(zone(name))) for name in clocks
    )


def open_sets(
    schedule: Schedule, waiting: Sequence[int], sets: Mapping[int, tuple[str, ...]], now: datetime
) -> list[int]:
    """Return which of the waiting sets of zones may be called now, beginning with another one each minute."""
    found = [one for one in waiting if is_open(schedule, sets.get(one, ()), now)]
    start = int(now.timestamp() // 60) % len(found) if found else 0
    return found[start:] + found[:start]


def minutes(text: str) -> int | None:
    """Read a time of day such as 09:00 as minutes; 24:00 is the end of the day. None for anything else."""
    match = TIME.fullmatch(text)
    if match is None:
        return None
    hour, minute = int(match[1]), int(match[2])
    total = hour * 60 + minute
    return total if minute < 60 and total <= DAY_MIN else None  # noqa: PLR2004  # minutes of an hour


def clock_time(minute: int) -> str:
    """Write minutes of a day as a time."""
    return f"{minute // 60:02}:{minute % 60:02}"


def week(items: Sequence[tuple[int, str, str, bool]]) -> list[CallingWindow]:
    """Return windows of `(weekday, start, end, is_active)`; raises InvalidSchedule that names every entry at fault."""
    errors: dict[str, list[str]] = {}
    windows: list[CallingWindow] = []
    if len(items) > WINDOWS_MAX:
        raise InvalidSchedule(errors={"items": [f"takes at most {WINDOWS_MAX} entries"]})
    for place, (weekday, start, end, is_active) in enumerate(items):
        start_minute, end_minute = minutes(start), minutes(end)
        for name, minute in (("start_time", start_minute), ("end_time", end_minute)):
            if minute is None:
                errors[f"items.{place}.{name}"] = ["is a time such as 09:00"]
        if start_minute is not None and end_minute is not None:
            try:
                windows.append(CallingWindow(weekday, start_minute, end_minute, is_active))
            except ValueError as fault:
                errors[f"items.{place}"] = [str(fault)]
    if errors:
        raise InvalidSchedule(errors=errors)
    return windows


def words(window: CallingWindow) -> str:
    """Write a window as people read it."""
    days = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    off = "" if window.is_active else " (off)"
    return f"{days[window.weekday]} {clock_time(window.start_minute)}–{clock_time(window.end_minute)}{off}"
