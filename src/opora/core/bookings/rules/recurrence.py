"""Recurrence rules of RFC 5545, as far as they are taken: read strictly, written back, and bounded.

Only what recurs by whole days is taken, and every rule ends within two years. That keeps any rule harmless: some that
are well-formed match no day at all, and looking for one would never end.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta

from opora.core.bookings.errors import InvalidRule
from opora.core.bookings.model.series import (
    INTERVAL_MAX,
    RULE_LENGTH_MAX,
    SERIES_DAYS_MAX,
    SERIES_MAX,
    Frequency,
    Recurrence,
    WeekdayRule,
)

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
BY_DAY = re.compile(r"([+-]?[1-9][0-9]?)?(MO|TU|WE|TH|FR|SA|SU)")
NUMBER = re.compile(r"[+-]?[0-9]{1,9}")
UNTIL_INSTANT = re.compile(r"([0-9]{8})T([0-9]{6})Z")
UNTIL_DAY = re.compile(r"[0-9]{8}")
LIST_MAX = 62
ORDINAL_MAX = 53
BY_PERIOD = frozenset({Frequency.MONTHLY, Frequency.YEARLY})


class Fault(Exception):
    """What is wrong with one part of a rule."""


def parse(text: str) -> Recurrence:
    """Return the rule; raises InvalidRule that tells each part at fault."""
    if not text or len(text) > RULE_LENGTH_MAX:
        raise refused(f"has 1 to {RULE_LENGTH_MAX} characters")
    parts: dict[str, str] = {}
    faults = []
    for part in text.upper().removeprefix("RRULE:").rstrip(";").split(";"):
        name, _, value = part.partition("=")
        if name in parts:
            faults.append(f"names {name} twice")
        parts[name] = value
    fields: dict[str, object] = {}
    for name, value in parts.items():
        reader = READERS.get(name)
        if reader is None:
            faults.append(f"{printable(name)} is not taken; {', '.join(READERS)} are")
            continue
        try:
            fields |= reader(value)
        except Fault as fault:
            faults.append(f"{name} {fault}")
    if not faults:
        faults = disagreements(fields)
    if faults:
        raise refused(*faults)
    return Recurrence(**fields)  # type: ignore[arg-type]  # the readers below give fields of their types


def refused(*faults: str) -> InvalidRule:
    """Return the refusal that tells these faults of the rule."""
    return InvalidRule(errors={"rrule": list(faults)})


def printable(name: str) -> str:
    """Return a part's name as it may be repeated: cut short, and only letters and digits of it."""
    return "".join(one for one in name[:20] if one.isascii() and one.isalnum()) or "a part without a name"


def disagreements(fields: Mapping[str, object]) -> list[str]:
    """Tell which parts of a rule do not go together."""
    frequency = fields.get("frequency")
    if frequency is None:
        return ["needs FREQ"]
    faults = []
    ends = [name for name in ("count", "until", "until_day") if name in fields]
    if len(ends) != 1:
        faults.append("ends by either COUNT or UNTIL")
    days = fields.get("by_weekday", ())
    ordinals = {one.ordinal != 0 for one in days if isinstance(one, WeekdayRule)} if isinstance(days, tuple) else set()
    if True in ordinals and frequency not in BY_PERIOD:
        faults.append("BYDAY counts weekdays (2MO) in MONTHLY and YEARLY rules alone")
    if len(ordinals) > 1:
        faults.append("BYDAY counts all of its weekdays or none")
    if "by_month_day" in fields and frequency is Frequency.WEEKLY:
        faults.append("BYMONTHDAY does not go with WEEKLY")
    if "by_position" in fields and (frequency not in BY_PERIOD or (not days and "by_month_day" not in fields)):
        faults.append("BYSETPOS goes with MONTHLY or YEARLY and with BYDAY or BYMONTHDAY")
    return faults


# --- the parts


def one_number(name: str, least: int, most: int) -> Callable[[str], dict[str, object]]:
    """Return the reader of a part that is one number within bounds."""

    def read(value: str) -> dict[str, object]:
        return {name: number(value, least, most)}

    return read


def numbers(name: str, most: int, *, signed: bool) -> Callable[[str], dict[str, object]]:
    """Return the reader of a part that lists numbers up to `most`, counted from the end where they are negative."""

    def read(value: str) -> dict[str, object]:
        found = tuple(sorted({number(one, -most if signed else 1, most) for one in listed(value)}))
        if 0 in found:
            raise Fault("does not take 0")
        return {name: found}

    return read


def number(value: str, least: int, most: int) -> int:
    """Read a whole number within bounds."""
    if not NUMBER.fullmatch(value) or not least <= int(value) <= most:
        raise Fault(f"is a whole number from {least} to {most}")
    return int(value)


def listed(value: str) -> list[str]:
    """Split a list of a bounded length."""
    found = value.split(",")
    if len(found) > LIST_MAX:
        raise Fault(f"takes at most {LIST_MAX} values")
    return found


def frequency_of(value: str) -> dict[str, object]:
    """Read FREQ."""
    try:
        return {"frequency": Frequency(value)}
    except ValueError:
        raise Fault(f"is one of {', '.join(Frequency)}") from None


def until(value: str) -> dict[str, object]:
    """Read UNTIL: an instant in UTC, or a day that is the last one."""
    try:
        if UNTIL_INSTANT.fullmatch(value):
            return {"until": datetime.strptime(value, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)}
        if UNTIL_DAY.fullmatch(value):
            return {"until_day": datetime.strptime(value, "%Y%m%d").date()}  # a day has no zone
    except ValueError:
        pass
    raise Fault("is an instant in UTC such as 20301231T235959Z, or a day such as 20301231")


def by_day(value: str) -> dict[str, object]:
    """Read BYDAY."""
    found = []
    for one in listed(value):
        match = BY_DAY.fullmatch(one)
        if match is None or abs(int(match[1] or 0)) > ORDINAL_MAX:
            raise Fault("lists weekdays such as MO or, by number, 2MO and -1FR")
        found.append(WeekdayRule(WEEKDAYS.index(match[2]), int(match[1] or 0)))
    return {"by_weekday": tuple(dict.fromkeys(found))}


def week_start(value: str) -> dict[str, object]:
    """Read WKST."""
    if value not in WEEKDAYS:
        raise Fault(f"is one of {', '.join(WEEKDAYS)}")
    return {"week_start": WEEKDAYS.index(value)}


READERS: Mapping[str, Callable[[str], dict[str, object]]] = {
    "FREQ": frequency_of,
    "INTERVAL": one_number("every", 1, INTERVAL_MAX),
    "COUNT": one_number("count", 1, SERIES_MAX),
    "UNTIL": until,
    "BYDAY": by_day,
    "BYMONTHDAY": numbers("by_month_day", 31, signed=True),
    "BYMONTH": numbers("by_month", 12, signed=False),
    "BYSETPOS": numbers("by_position", 366, signed=True),
    "WKST": week_start,
}


def text_of(rule: Recurrence) -> str:
    """Return the rule as RFC 5545 writes it."""
    parts = [f"FREQ={rule.frequency}"]
    if rule.every > 1:
        parts.append(f"INTERVAL={rule.every}")
    if rule.count is not None:
        parts.append(f"COUNT={rule.count}")
    if rule.until is not None:
        parts.append(f"UNTIL={rule.until:%Y%m%dT%H%M%SZ}")
    if rule.until_day is not None:
        parts.append(f"UNTIL={rule.until_day:%Y%m%d}")
    if rule.by_weekday:
        days = (f"{one.ordinal or ''}{WEEKDAYS[one.weekday]}" for one in rule.by_weekday)
        parts.append(f"BYDAY={','.join(days)}")
    for name, values in (
        ("BYMONTHDAY", rule.by_month_day),
        ("BYMONTH", rule.by_month),
        ("BYSETPOS", rule.by_position),
    ):
        if values:
            parts.append(f"{name}={','.join(str(one) for one in values)}")
    if rule.week_start:
        parts.append(f"WKST={WEEKDAYS[rule.week_start]}")
    return ";".join(parts)


def last_day(first: date) -> date:
    """Return the last day that a series beginning on `first` may reach."""
    return first + timedelta(days=SERIES_DAYS_MAX)
