"""How often somebody may fail to prove who they are, and why that keeps nobody out of their own account.

Failures are charged to the account, to the network address, to everybody together, and to the device. A stranger is
refused when any of these is spent. Who comes from a device that has got in before is judged by that device's own
failures alone: whatever strangers do, it goes on getting in.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from math import ceil

from opora.core.access.errors import LoginLimited
from opora.core.access.model.callers import address_subject
from opora.core.access.model.rates import Admission, Decision, FailureMode, RatePolicy, Verdict
from opora.core.kernel.model import Origin
from opora.core.kernel.rules import instant

MINUTE_S = 60
HOUR_S = 3_600
DAY_S = 86_400
DEVICES_KEPT = 10
"""How many devices of a person are known at once."""
NETWORK_PARTS = 3
"""How much of an IPv4 address names the network that a device comes back to: its /24."""


@dataclass(frozen=True, slots=True)
class LoginPolicy:
    """How many failures a minute an account, a device, an address and everybody have; closed while uncounted.

    Codes of a second factor have fewer tries, `letters_per_hour` bounds how often strangers have letters written.
    """

    account_per_min: int = 5
    address_per_min: int = 20
    everybody_per_min: int = 1_000
    codes_per_min: int = 5
    codes_per_day: int = 50
    letters_per_hour: int = 5


@dataclass(frozen=True, slots=True)
class Charges:
    """What a failure is charged to, and which of these decide whether another attempt is heard."""

    charged: tuple[Admission, ...]
    judged: tuple[Admission, ...]


def account_name(email: str) -> str:
    """Name an account in counters: the digest bounds the length and keeps addresses of people out of their store."""
    return sha256(email.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def place_mark(origin: Origin) -> bytes:
    """Return the mark of the place an attempt comes from: its network and the program that is used there."""
    return sha256(f"place\n{network_of(origin.address)}\n{origin.user_agent}".encode("utf-8", "surrogatepass")).digest()


def token_mark(token: str) -> bytes:
    """Return the mark of the device that holds this token."""
    return sha256(b"device\n" + token.encode("utf-8", "surrogatepass")).digest()


def marks_of(origin: Origin, device: str | None) -> tuple[bytes, ...]:
    """Return every mark a device may be known by; the one it is remembered under comes first."""
    place = place_mark(origin)
    return (place,) if device is None else (token_mark(device), place)


def network_of(address: str) -> str:
    """Return the part of a network address that stays when a device comes back."""
    subject = address_subject(address).removeprefix("address:")
    if subject.count(".") == NETWORK_PARTS and ":" not in subject:
        return subject.rpartition(".")[0]
    return subject


def failures(email: str, address: str, policy: LoginPolicy, known_mark: bytes | None = None) -> Charges:
    """Return what a failed attempt is charged to; the e-mail address may be known or not."""
    account = account_name(email)
    general = (
        Admission(f"login:{account}", (_policy("login-account", policy.account_per_min),)),
        Admission(f"login:{address_subject(address)}", (_policy("login-address", policy.address_per_min),)),
        Admission("login:everybody", (_policy("login-everybody", policy.everybody_per_min),)),
    )
    if known_mark is None:
        return Charges(general, general)
    own = (_device(account, known_mark, (_policy("login-device", policy.account_per_min),)),)
    return Charges((*general, *own), own)


def code_failures(user_id: int, policy: LoginPolicy, known_mark: bytes | None = None) -> Charges:
    """Return what a wrong code is charged to: the person, or the device of theirs that is known."""
    limits = (
        _policy("code-minute", policy.codes_per_min),
        RatePolicy("code-day", policy.codes_per_day, DAY_S, FailureMode.CLOSED),
    )
    general = (Admission(f"code:user:{user_id}", limits),)
    if known_mark is None:
        return Charges(general, general)
    own = (_device(f"user:{user_id}", known_mark, limits),)
    return Charges((*general, *own), own)


def letter(email: str, kind: str, policy: LoginPolicy) -> Admission:
    """Return what a letter that anybody can ask for is charged to."""
    limit = RatePolicy("letters", policy.letters_per_hour, HOUR_S, FailureMode.LOCAL)
    return Admission(f"letter:{kind}:{account_name(email)}", (limit,))


def refuse_spent(decisions: Iterable[Decision], now: datetime) -> None:
    """Raise LoginLimited, for the limit that frees last, when any limit is spent."""
    spent = [verdict for decision in decisions for verdict in decision.verdicts if not verdict.allowed]
    if spent:
        longest = max(spent, key=_wait_s)
        wait_s = max(1, ceil(_wait_s(longest)))
        raise LoginLimited(
            limit=longest.policy.quota,
            remaining=0,
            reset_at=instant(now + timedelta(seconds=longest.reset_after_s)),
            retry_after_s=wait_s,
            policy=longest.policy.name,
        )


def judged_after(charges: Charges, decisions: Sequence[Decision]) -> list[Decision]:
    """Return, of the decisions on everything charged, those that an attempt is judged by."""
    pairs = zip(charges.charged, decisions, strict=True)
    return [decision for admission, decision in pairs if admission in charges.judged]


def _device(whose: str, mark: bytes, limits: tuple[RatePolicy, ...]) -> Admission:
    return Admission(f"device:{whose}:{mark[:16].hex()}", limits)


def _policy(name: str, quota: int) -> RatePolicy:
    return RatePolicy(name, quota, MINUTE_S, FailureMode.CLOSED)


def _wait_s(verdict: Verdict) -> float:
    return verdict.retry_after_s
