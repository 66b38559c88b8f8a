"""How often somebody may fail to log in."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from math import ceil

from opora.core.access.errors import LoginLimited
from opora.core.access.model.callers import address_subject
from opora.core.access.model.rates import Admission, Decision, FailureMode, RatePolicy, Verdict


@dataclass(frozen=True, slots=True)
class LoginPolicy:
    """How many failures a minute an account and an address have; closed while they cannot be counted."""

    account_per_min: int = 5
    address_per_min: int = 20


def failures(email: str, address: str, policy: LoginPolicy) -> tuple[Admission, Admission]:
    """Return what a failed attempt is charged to: the e-mail address, known or not, and the network address."""
    # The digest bounds the length and keeps addresses of people out of the store of counters.
    account = sha256(email.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return (
        Admission(f"login:{account}", (_policy("login-account", policy.account_per_min),)),
        Admission(f"login:{address_subject(address)}", (_policy("login-address", policy.address_per_min),)),
    )


def refuse_spent(decisions: Iterable[Decision], now: datetime) -> None:
    """Raise LoginLimited, for the limit that frees last, when any limit is spent."""
    spent = [verdict for decision in decisions for verdict in decision.verdicts if not verdict.allowed]
    if spent:
        longest = max(spent, key=_wait_s)
        wait_s = max(1, ceil(_wait_s(longest)))
        raise LoginLimited(
            limit=longest.policy.quota,
            remaining=0,
            reset_at=(now + timedelta(seconds=longest.reset_after_s)).isoformat(),
            retry_after_s=wait_s,
            policy=longest.policy.name,
        )


def _policy(name: str, quota: int) -> RatePolicy:
    return RatePolicy(name, quota, 60, FailureMode.CLOSED)


def _wait_s(verdict: Verdict) -> float:
    return verdict.retry_after_s
