"""Business calendars from files: the one that ships with the program, or a bank's own."""

from datetime import date, time, tzinfo
from pathlib import Path

import msgspec

from opora.core.documents.model.calendars import BusinessCalendar, DayMoved

RUSSIA = Path(__file__).with_name("calendars") / "russia.json"


class Year(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a year's decree moved, and which decree it was."""

    decree: str
    moved: tuple[DayMoved, ...]


class CalendarFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of a calendar: where its facts come from, holidays as `MM-DD`, moved days by year."""

    origin: str
    holidays: tuple[str, ...]
    not_made_up_for: tuple[str, ...]
    years: dict[str, Year]


def read_calendar(zone: tzinfo, closes_at: time = time(18), file: Path = RUSSIA) -> BusinessCalendar:
    """Return the calendar of a file; raises ValueError or OSError for one that cannot be read."""
    held = msgspec.json.decode(file.read_bytes(), type=CalendarFile)
    return BusinessCalendar(
        zone=zone,
        closes_at=closes_at,
        holidays=days(held.holidays),
        not_made_up_for=days(held.not_made_up_for),
        moved=tuple(one for year in held.years.values() for one in year.moved),
    )


def days(texts: tuple[str, ...]) -> frozenset[tuple[int, int]]:
    """Read `MM-DD` as month and day."""
    found = (date.fromisoformat(f"2000-{text}") for text in texts)
    return frozenset((one.month, one.day) for one in found)
