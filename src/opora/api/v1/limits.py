"""HTTP face of the rate limits: what is left of the caller's own, and how often everybody was let in and refused."""

import msgspec
from dishka import FromDishka
from litestar import Controller, get

from opora.api.calls import current_caller
from opora.api.policy import SIGNED_IN, needs
from opora.core.access.model.rates import Admission, RateFigures
from opora.core.access.ports.rates import RateGate, RateStats

BUSIEST = 20


class Limit(msgspec.Struct, frozen=True):
    """One of the caller's limits, as it stands after this call."""

    name: str
    limit: int
    window_seconds: int
    remaining: int
    reset_after_seconds: float


class OwnLimits(msgspec.Struct, frozen=True):
    """Every limit of the caller; `degraded` when they cannot be read just now and each process counts alone."""

    subject: str
    degraded: bool
    results: list[Limit]


class LimitStats(msgspec.Struct, frozen=True):
    """Calls of all callers, over all processes."""

    minute: RateFigures
    hour: RateFigures
    day: RateFigures


class LimitController(Controller):
    """The caller's limits, and everybody's."""

    path = "/"
    tags = ["Limits"]  # noqa: RUF012  # Litestar reads a plain list

    @get("/limits", opt=SIGNED_IN)
    async def own(self, rates: FromDishka[RateGate]) -> OwnLimits:
        """Tell what is left of the caller's own limits; asking is a call like any other."""
        caller = current_caller()
        decision = await rates.peek(Admission(caller.limit_subject, caller.policies))
        limits = [
            Limit(one.policy.name, one.policy.quota, one.policy.window_s, one.remaining, one.reset_after_s)
            for one in decision.verdicts
        ]
        return OwnLimits(caller.limit_subject, decision.degraded, limits)

    @get("/admin/rate-limits/stats", opt=needs("limits:read"))
    async def stats(self, stats: FromDishka[RateStats]) -> LimitStats:
        """Tell how many calls were let in and refused in the last minute, hour and day, and whose were most."""
        minute, hour, day = await stats.figures(BUSIEST)
        return LimitStats(minute, hour, day)
