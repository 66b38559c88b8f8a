"""Wall clocks of named zones turned into instants, in whole minutes since the epoch.

A time that a zone's clocks skip is read with the offset before the gap, and of a time they show twice the first is
meant (RFC 5545 3.3.5).
"""

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from opora.core.bookings.errors import InvalidZone
from opora.core.bookings.model.hours import DAY_MIN, instant_of

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}")
NAME_LENGTH_MAX = 64
EPOCH_DAY = date(1970, 1, 1).toordinal()


def zone_of(name: str, field: str = "timezone") -> ZoneInfo:
    """Return the zone of that IANA name; raises InvalidZone naming the field."""
    if len(name) <= NAME_LENGTH_MAX and NAME.fullmatch(name):
        try:
            return ZoneInfo(name)
        except (KeyError, OSError, ValueError):  # no such zone, a folder of zones, or a file that is none
            pass
    raise InvalidZone(errors={field: ["is an IANA time zone such as Europe/Moscow or UTC"]})


def minute_at(day: date, wall_min: int, zone: ZoneInfo) -> int:
    """Return the instant at which the clocks of a zone show that minute of that day; 1440 is the next midnight."""
    local = datetime(day.year, day.month, day.day) + timedelta(minutes=wall_min)
    offset = local.replace(tzinfo=zone).utcoffset() or timedelta()
    return (day.toordinal() - EPOCH_DAY) * DAY_MIN + wall_min - int(offset.total_seconds() // 60)


def wall(minute: int, zone: ZoneInfo) -> tuple[date, int]:
    """Return the day and the minute of it that the clocks of a zone show at an instant."""
    local = instant_of(minute).astimezone(zone)
    return local.date(), local.hour * 60 + local.minute


def day_starts(day: date, zone: ZoneInfo) -> datetime:
    """Return the instant at which a local day begins."""
    return instant_of(minute_at(day, 0, zone)).astimezone(UTC)
