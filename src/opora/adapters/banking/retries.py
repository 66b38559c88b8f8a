"""When a call to the bank is repeated, and how long to wait before it: a pure rule."""

from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime

from opora.core.jobs.model import RetryPolicy
from opora.core.jobs.rules import retry_delay_s

PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses of a trouble that may pass."""
TROUBLES = frozenset({500, 502, 503, 504})
"""Of these the ones that tell of a system in trouble, which the breaker counts."""


@dataclass(frozen=True, slots=True)
class CallPolicy:
    """How often a call is tried, the pauses in between, and the longest pause that is waited out here."""

    tries_max: int = 3
    pauses: RetryPolicy = field(default_factory=lambda: RetryPolicy(base_s=0.5, cap_s=5.0))
    pause_max_s: float = 10.0


def pause_s(
    tries: int, status: int | None, retry_after_s: float | None, fraction: float, policy: CallPolicy
) -> float | None:
    """Return how long to wait before the next try; None where there is none.

    `status` is None where nothing was answered. What the bank says by Retry-After is never undercut; where it asks for
    more than the policy waits, the call ends and its job is repeated later. `fraction` is a random number in [0, 1).
    """
    if tries >= policy.tries_max or (status is not None and status not in PASSING):
        return None
    wanted_s = max(retry_after_s or 0.0, retry_delay_s(tries, policy.pauses, fraction))
    return wanted_s if wanted_s <= policy.pause_max_s else None


def retry_after_s(text: str | None, now: datetime) -> float | None:
    """Read a Retry-After: seconds or an HTTP date (RFC 9110 section 10.2.3); None for what is neither."""
    if text is None:
        return None
    if text.isascii() and text.isdecimal() and len(text) <= 9:  # noqa: PLR2004
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max((at - now).total_seconds(), 0.0) if at.tzinfo is not None else None
