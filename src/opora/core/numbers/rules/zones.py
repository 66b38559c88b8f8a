"""Which time zones a number may lie in: by the registry where there is one, else by `phonenumbers`."""

from functools import lru_cache
from zoneinfo import available_timezones

import phonenumbers
from phonenumbers.timezone import time_zones_for_number

from opora.core.numbers.model.registry import NumberingPlan

UNKNOWN = "Etc/Unknown"
PLAN_CODE = 7
"""The country code that the registry covers."""
NATIONAL_SPAN = 10**10
BLOCK = 10**4
"""Numbers under +7 that differ in their last four digits only lie in the same zones, as far as metadata can tell."""


@lru_cache(maxsize=1)
def known_zones() -> frozenset[str]:
    """The names of every zone there is here."""
    return frozenset(available_timezones())


def zones_of(phone: int, plan: NumberingPlan, area_zone: str | None = None) -> tuple[str, ...]:
    """Return every zone the number may lie in, sorted; none where that is unknown.

    `area_zone` is that of the area the number was given by a person, who knows best.
    """
    if area_zone is not None:
        return (area_zone,)
    if plan.version and phone // NATIONAL_SPAN == PLAN_CODE:
        found = plan.zones(phone)
        if found:
            return found
    return zones_of_block(phone // BLOCK) if phone // NATIONAL_SPAN == PLAN_CODE else zones_by_metadata(phone)


@lru_cache(maxsize=100_000)
def zones_of_block(block: int) -> tuple[str, ...]:
    """Return the zones of ten thousand numbers under +7 that share all but their last four digits.

    No pattern of a kind of number under +7 looks at the last four, so the first of them stands for all.
    """
    return zones_by_metadata(block * BLOCK)


def zones_by_metadata(phone: int) -> tuple[str, ...]:
    """Return the zones by the library, which gives a mobile number every zone of its country."""
    zones = time_zones_for_number(phonenumbers.parse(f"+{phone}", None))
    return tuple(sorted(zone for zone in zones if zone != UNKNOWN and zone in known_zones()))
