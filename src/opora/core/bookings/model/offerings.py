"""A service: what is offered, for how long, to how many at once, at which price and under which terms."""

from dataclasses import dataclass
from datetime import datetime

DURATION_MIN_MAX = 1440
BUFFER_MIN_MAX = 1440
CAPACITY_MAX = 500
NOTICE_MIN_MAX = 525_600
HORIZON_DAYS_MAX = 731
STAFF_MAX = 100
BANDS_MAX = 10
PRICE_MINOR_MAX = 10**12
NOTICE_HOURS_MAX = 8760
GRACE_MIN_MAX = 10_080


@dataclass(frozen=True, slots=True)
class Band:
    """From that many hours before the start on, a cancellation costs that part of the price."""

    notice_hours: int
    fee_percent: int


@dataclass(frozen=True, slots=True)
class CancellationPolicy:
    """What a cancellation costs, as data: the band with the longest notice that is still kept decides.

    Below the shortest notice the dearest band holds. Within `grace_min` of booking, and for who cancels in one of the
    `exempt_roles`, it costs nothing.
    """

    bands: tuple[Band, ...] = (Band(24, 0), Band(0, 100))
    grace_min: int = 0
    exempt_roles: tuple[str, ...] = ("admin", "staff")


@dataclass(frozen=True, slots=True, kw_only=True)
class Offering:
    """A service as clients book it. `step_min` is the distance of two starts; `staff_ids` are those who give it.

    All who come at the same start share one session of `capacity` places; nobody gives two sessions at once.
    """

    id: int
    name: str
    duration_min: int
    capacity: int = 1
    price_minor: int = 0
    currency: str = "RUB"
    buffer_before_min: int = 0
    buffer_after_min: int = 0
    step_min: int
    auto_confirm: bool = True
    min_notice_min: int = 0
    horizon_days: int = 90
    policy: CancellationPolicy = CancellationPolicy()
    staff_ids: tuple[int, ...] = ()
    is_active: bool = True
    created_at: datetime
    version: int = 1


@dataclass(frozen=True, slots=True)
class OfferingFilter:
    """Which services of a list are wanted; None wants any."""

    staff_id: int | None = None
    q: str | None = None
