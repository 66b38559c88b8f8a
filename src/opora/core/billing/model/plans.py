"""A plan: what it costs a month and what it entitles to, in versions that never change."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

FREE = "free"
"""The plan of everybody without a subscription."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""Whence the periods of people without a subscription count: calendar days and months in UTC."""


class Period(StrEnum):
    """How often a limit begins anew."""

    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Limit:
    """How many `units` of a feature a period includes; None counts them and refuses none."""

    feature: str
    period: Period
    units: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One version of a plan's terms; `price_minor` is for a month.

    `features` are what may be used at all, `generate.*` standing for every name that begins so; a feature with a limit
    is one of them without being named. `options` are values that other contexts read, such as the urgency of work.
    `rank` orders plans: a change to a higher one is an upgrade.
    """

    code: str
    version: int
    rank: int
    names: Mapping[str, str] = field(default_factory=dict)
    price_minor: int
    currency: str
    features: tuple[str, ...]
    limits: tuple[Limit, ...]
    options: Mapping[str, str | int] = field(default_factory=dict)
    created_at: datetime

    def grants(self, feature: str) -> bool:
        """Tell whether a feature may be used, as far as limits allow."""
        return any(covers(one, feature) for one in self.features) or any(one.feature == feature for one in self.limits)

    def limits_of(self, feature: str) -> tuple[Limit, ...]:
        """Return the limits that using a feature counts towards, the shorter period first."""
        return tuple(sorted((one for one in self.limits if one.feature == feature), key=lambda one: one.period))


def covers(pattern: str, feature: str) -> bool:
    """Tell whether a feature is the one that is named, or begins as a name ending in `.*` does."""
    return feature == pattern or (pattern.endswith(".*") and feature.startswith(pattern[:-1]))
