"""What of a limit is used, what is held for work that has not ended, and by whom."""

from dataclasses import dataclass
from datetime import datetime

from opora.core.billing.model.plans import Period

HOLD_ID_MAX = 64
UNITS_MAX = 2**53 - 1
"""The most that one hold may ask for: a whole number that every JSON reader keeps."""


@dataclass(frozen=True, slots=True)
class Window:
    """One period of a limit, as a half-open span `[starts_at, ends_at)`."""

    period: Period
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaHold:
    """Units of one limit's period set aside for one piece of work; what is asked for together has one `hold_id`."""

    hold_id: str
    person_id: int
    feature: str
    period: Period
    starts_at: datetime
    units: int
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """How one period of a limit stands.

    `used + held` never passes `units`; `overage` is what ended work took beyond what had been held for it.
    """

    feature: str
    period: Period
    starts_at: datetime
    ends_at: datetime
    units: int | None
    used: int = 0
    held: int = 0
    overage: int = 0

    @property
    def remaining(self) -> int | None:
        """What may still be asked for; None where nothing bounds it."""
        return None if self.units is None else max(self.units - self.used - self.held, 0)


@dataclass(frozen=True, slots=True)
class QuotaPolicy:
    """Where people are sent whose plan lacks what they ask for."""

    upgrade_url: str = "/api/v1/plans"
