"""Under which limits a caller stands."""

from dataclasses import dataclass
from functools import lru_cache

from opora.core.access.model.keys import ApiKey
from opora.core.access.model.rates import FailureMode, RatePolicy

MINUTE_S = 60


@dataclass(frozen=True, slots=True)
class CallerPolicy:
    """How many requests a minute a key or a person has, and an address nobody stands behind."""

    base_per_min: int = 100
    anonymous_per_min: int = 600

    def for_person(self) -> tuple[RatePolicy, ...]:
        """Return the limits of someone who is signed in."""
        return (minute_policy(self.base_per_min),)

    def for_key(self, key: ApiKey) -> tuple[RatePolicy, ...]:
        """Return the limits of a key: its own where it has one."""
        return (minute_policy(key.rate_limit_per_min or self.base_per_min),)

    def for_anonymous(self) -> tuple[RatePolicy, ...]:
        """Return the limits of an address."""
        return (minute_policy(self.anonymous_per_min),)


@lru_cache(maxsize=1024)
def minute_policy(quota: int) -> RatePolicy:
    """Return the policy that grants `quota` requests a minute, kept by each process alone while the store is down."""
    return RatePolicy("minute", quota, MINUTE_S, FailureMode.LOCAL)
