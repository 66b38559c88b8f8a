"""What an answer says of the limits it passed under.

RateLimit-Policy and RateLimit are lists of structured fields (RFC 9651), as in draft-ietf-httpapi-ratelimit-headers-10:
a quoted name a policy, with `q` calls in `w` seconds, `r` left and `t` seconds until all are back. The X-RateLimit
fields say the same of one policy in seconds, for the clients that know only those.
"""

from datetime import UTC, datetime, timedelta
from math import ceil

from opora.core.access.model.rates import Decision, Verdict

LIMIT, REMAINING, RESET = b"x-ratelimit-limit", b"x-ratelimit-remaining", b"x-ratelimit-reset"
PLAIN = frozenset({LIMIT, REMAINING, RESET})
"""The fields that speak of one policy only."""


def headers(decision: Decision) -> list[tuple[bytes, bytes]]:
    """Return the fields of an answer; none where nothing was measured."""
    verdicts = decision.verdicts
    if not verdicts:
        return []
    policies, states = [], []
    for verdict in verdicts:
        policy = verdict.policy
        policies.append(f'"{policy.name}";q={policy.quota};w={policy.window_s}')
        states.append(f'"{policy.name}";r={verdict.remaining};t={ceil(verdict.reset_after_s)}')
    told = verdicts[0] if len(verdicts) == 1 else tightest(decision)
    return [
        (b"ratelimit-policy", ", ".join(policies).encode("ascii")),
        (b"ratelimit", ", ".join(states).encode("ascii")),
        *plain(told.policy.quota, told.remaining, told.reset_after_s),
    ]


def plain(limit: int, remaining: int, reset_after_s: float) -> list[tuple[bytes, bytes]]:
    """Return the fields that speak of one policy."""
    return [(LIMIT, b"%d" % limit), (REMAINING, b"%d" % remaining), (RESET, b"%d" % ceil(reset_after_s))]


def reset_at(now: datetime, after_s: float) -> str:
    """Return when a limit is free again as refusals tell it: RFC 3339 in UTC, to the millisecond."""
    moment = now.astimezone(UTC) + timedelta(seconds=after_s)
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def tightest(decision: Decision) -> Verdict:
    """Return the verdict to act on: the refusal that lasts longest, else the policy with the fewest calls left."""
    return max(decision.verdicts, key=lambda one: (one.retry_after_s, -one.remaining))


def retry_after(decision: Decision) -> int | None:
    """Return the whole seconds until the same call passes, at least one; None where it passed or never will."""
    wait_s = max((verdict.retry_after_s for verdict in decision.verdicts), default=0.0)
    if decision.allowed or wait_s == float("inf"):
        return None
    return max(1, ceil(wait_s))
