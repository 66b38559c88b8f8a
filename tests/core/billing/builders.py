"""Plans and subscriptions for the tests of billing."""

from datetime import UTC, datetime, timedelta
from typing import Any

from opora.core.billing.model.plans import Limit, Period, Plan

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
DAY = timedelta(days=1)
REQUESTS, TOKENS = "generate.requests", "generate.tokens"


def a_plan(**changes: Any) -> Plan:
    """Return a plan of 490 roubles with posts, ten requests a day, a hundred a month, and tokens without bound."""
    plain: dict[str, Any] = {
        "code": "standard",
        "version": 1,
        "rank": 10,
        "names": {"en": "Standard"},
        "price_minor": 49_000,
        "currency": "RUB",
        "features": ("generate.post",),
        "limits": (
            Limit(TOKENS, Period.MONTH, None),
            Limit(REQUESTS, Period.MONTH, 100),
            Limit(REQUESTS, Period.DAY, 10),
        ),
        "options": {"generate.priority": "normal"},
        "created_at": NOW,
    }
    return Plan(**(plain | changes))
