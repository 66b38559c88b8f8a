"""What a person may prefer, and when they may be disturbed."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from opora.core.notifications.errors import PreferencesInvalid
from opora.core.notifications.model.kinds import KINDS, Channel, Kind
from opora.core.notifications.model.letters import LOCALES
from opora.core.notifications.model.preferences import Preferences, QuietHours

PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
DIGEST_AT = time(9)
"""When gathered letters come, by the person's own clock."""
DIGEST_GRACE = timedelta(minutes=5)
"""What fires this shortly before a digest waits for the next one, which cannot be under way yet."""


@lru_cache(maxsize=1)
def zones() -> frozenset[str]:
    """Name every zone there is."""
    return frozenset(available_timezones())


def refuse_bad_preferences(wanted: Preferences) -> None:
    """Raise PreferencesInvalid that names every field at fault."""
    errors: dict[str, list[str]] = {}
    if wanted.timezone not in zones():
        errors["timezone"] = ["names no zone of the IANA database, such as Europe/Moscow"]
    if wanted.language is not None and wanted.language not in LOCALES:
        errors["language"] = [f"is one of {', '.join(LOCALES)}"]
    if wanted.phone is not None and not PHONE.fullmatch(wanted.phone):
        errors["phone"] = ["is written in E.164, such as +79120000000"]
    if wanted.quiet_hours is not None and wanted.quiet_hours.start == wanted.quiet_hours.end:
        errors["quiet_hours"] = ["end when they start"]
    for kind, channels in wanted.channels.items():
        errors |= faults_of_kind(kind, channels)
    if errors:
        raise PreferencesInvalid(errors=errors)


def faults_of_kind(name: str, channels: Mapping[str, bool]) -> dict[str, list[str]]:
    """Return what is wrong about the channels wanted for a kind."""
    kind = KINDS.get(name)
    if kind is None:
        return {f"channels.{name}": ["is no kind of notice"]}
    if kind.mandatory:
        return {f"channels.{name}": ["cannot be changed: these notices always come"]}
    offered = [str(one) for one in kind.offered]
    return {
        f"channels.{name}.{channel}": [f"is not offered; there are {', '.join(offered)}"]
        for channel in channels
        if channel not in offered
    }


def channels_of(kind: Kind, preferences: Preferences) -> tuple[Channel, ...]:
    """Return the channels that a kind comes by to who has these preferences."""
    if kind.mandatory:
        return kind.channels
    return tuple(one for one in kind.offered if preferences.is_on(kind.name, one, otherwise=one in kind.channels))


def without_letters(preferences: Preferences, kind: str) -> Preferences:
    """Return the preferences without letters of a kind."""
    switches = {**preferences.channels.get(kind, {}), str(Channel.EMAIL): False}
    return replace(preferences, channels={**preferences.channels, kind: switches})


def quiet_until(now: datetime, quiet: QuietHours | None, timezone: str) -> datetime | None:
    """Return the end of the quiet hours that `now` lies in, by the clock of a zone; None outside them."""
    if quiet is None:
        return None
    zone = ZoneInfo(timezone)
    there = now.astimezone(zone)
    clock = there.time()
    if quiet.start < quiet.end:
        inside, days = quiet.start <= clock < quiet.end, 0
    else:
        inside, days = clock >= quiet.start or clock < quiet.end, int(clock >= quiet.start)
    if not inside:
        return None
    end = datetime.combine(there.date() + timedelta(days=days), quiet.end, zone)
    return max(end.astimezone(now.tzinfo), now)


def digest_due(now: datetime, timezone: str) -> datetime:
    """Return when the next gathered letter comes, by the clock of a zone."""
    zone = ZoneInfo(timezone)
    soonest = now + DIGEST_GRACE
    day = soonest.astimezone(zone).date()
    due = datetime.combine(day, DIGEST_AT, zone).astimezone(now.tzinfo)
    if due < soonest:
        due = datetime.combine(day + timedelta(days=1), DIGEST_AT, zone).astimezone(now.tzinfo)
    return due
