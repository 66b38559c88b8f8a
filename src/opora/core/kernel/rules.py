"""What must hold of a version's dates, times, a signed message, an address that is called, and words looked for."""

import hmac
from base64 import b64decode, b64encode
from binascii import Error as BadBase64
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from unicodedata import normalize

from opora.core.kernel.errors import VersionInvalid
from opora.core.kernel.model import BREAKER_MOVES, ApiVersion, Breaker, BreakerState, VersionStatus


def refuse_bad_version(row: ApiVersion) -> None:
    """Raise VersionInvalid, naming every field, unless a version's days are in order and another one follows it.

    RFC 9745 (section 4): a sunset is never before the deprecation.
    """
    errors: dict[str, list[str]] = {}
    if row.sunset_on is not None and row.deprecated_on is None:
        errors["deprecated_on"] = ["is needed where there is a sunset"]
    if row.sunset_on is not None and row.deprecated_on is not None and row.sunset_on < row.deprecated_on:
        errors["sunset_on"] = ["is not before the deprecation"]
    if row.released_on is not None and row.deprecated_on is not None and row.deprecated_on < row.released_on:
        errors.setdefault("deprecated_on", []).append("is not before the release")
    if row.status is VersionStatus.DEPRECATED and row.deprecated_on is None:
        errors["deprecated_on"] = ["is needed for this status"]
    if row.successor == row.version:
        errors["successor"] = ["is another version"]
    if errors:
        raise VersionInvalid(errors=errors)


def instant(at: datetime) -> str:
    """Return a time as RFC 3339 in UTC, ending in `Z`: the one way in which times are written as text."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


PROTOCOL_ASSIGNMENTS = IPv4Network("192.0.0.0/24")
"""RFC 6890: an old patch of Python 3.12 takes most of it for the open internet."""
INTERNET = IPv6Network("2000::/3")
"""All that is given out of IPv6; the rest is of one network, of one machine or of nobody."""
TRANSLATED = (IPv6Network("64:ff9b::/96"), IPv6Network("::/96"), IPv6Network("::ffff:0:0:0/96"))
"""Prefixes before an IPv4 address: NAT64 (RFC 6052), IPv4-compatible (RFC 4291), IPv4-translated (RFC 2765)."""
ISATAP = frozenset({0x00005EFE, 0x02005EFE})
"""What stands before an IPv4 address in the lower half of an ISATAP one (RFC 5214)."""


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Tell whether an address is of the open internet, also what it stands for where it wraps another."""
    if isinstance(address, IPv6Address):
        wrapped = wrapped_in(address)
        if wrapped is not None:
            return is_public(wrapped)
        if address not in INTERNET:
            return False
    if address in PROTOCOL_ASSIGNMENTS:
        return False
    return address.is_global and not address.is_multicast


def wrapped_in(address: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address that an IPv6 one leads to."""
    if any(address in prefix for prefix in TRANSLATED) or int(address) >> 32 & 0xFFFFFFFF in ISATAP:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None)


WEBHOOK_TOLERANCE_S = 300
"""How far a signed message's clock may be off: an older one may be somebody's repetition."""
SIGNATURES_MAX = 16
SECRET_PREFIX = "whsec_"  # noqa: S105  # what a secret begins with


def webhook_key(secret: str) -> bytes:
    """Return the bytes of a secret of Standard Webhooks: `whsec_` and base64."""
    return b64decode(secret.removeprefix(SECRET_PREFIX))


def webhook_signature(key: bytes, message_id: str, timestamp_s: int, body: bytes) -> str:
    """Return what `webhook-signature` says of a message (Standard Webhooks, version 1)."""
    signed = f"{message_id}.{timestamp_s}.".encode() + body
    return "v1," + b64encode(hmac.digest(key, signed, "sha256")).decode()


def is_signed_webhook(key: bytes, headers: tuple[str, str, str], body: bytes, now_s: float) -> bool:
    """Tell whether one of the signatures sent fits, and the message is of now; compared in constant time.

    `headers` are the values of `webhook-id`, `webhook-timestamp` and `webhook-signature`.
    """
    message_id, stamp, signatures = headers
    if not message_id or not is_of_now(stamp, now_s):
        return False
    expected = b64decode(webhook_signature(key, message_id, int(stamp), body).removeprefix("v1,"))
    return any(hmac.compare_digest(expected, given) for given in _given(signatures))


def is_signed_plainly(key: bytes, stamp: str, signature: str, body: bytes, now_s: float) -> bool:
    """Tell whether `sha256=` and the hexadecimal HMAC of `timestamp.body` fits, and the message is of now."""
    if not is_of_now(stamp, now_s):
        return False
    expected = "sha256=" + hmac.new(key, f"{int(stamp)}.".encode() + body, "sha256").hexdigest()
    return hmac.compare_digest(expected.encode(), signature.encode())


def is_of_now(stamp: str, now_s: float) -> bool:
    """Tell whether a timestamp in whole seconds is within tolerance."""
    if not (stamp.isascii() and stamp.isdecimal() and len(stamp) <= 12) or str(int(stamp)) != stamp:  # noqa: PLR2004  # digits
        return False
    return abs(int(stamp) - now_s) <= WEBHOOK_TOLERANCE_S


def _given(signatures: str) -> list[bytes]:
    """Return the signatures of version 1 in a header, which may hold several, parted by spaces."""
    found: list[bytes] = []
    for one in signatures.split(" ")[:SIGNATURES_MAX]:
        version, _, text = one.partition(",")
        if version == "v1":
            try:
                found.append(b64decode(text, validate=True))
            except (BadBase64, ValueError):
                continue
    return found


def breaker_wait_s(breaker: Breaker, now_s: float) -> float:
    """Seconds until a call may go; 0 where one may go now."""
    return 0.0 if breaker.state is BreakerState.CLOSED else max(breaker.until_s - now_s, 0.0)


def breaker_begun(breaker: Breaker, now_s: float) -> Breaker:
    """The breaker once a call that was let through has begun: past its pause, one call goes as a probe.

    Others wait for the probe; one that is never heard of again gives way to the next after the pause.
    """
    if breaker.state is BreakerState.CLOSED:
        return breaker
    if breaker.state is BreakerState.OPEN:
        BREAKER_MOVES.check(breaker.state, BreakerState.HALF_OPEN)
    return replace(breaker, state=BreakerState.HALF_OPEN, until_s=now_s + _pause_s(breaker))


def breaker_succeeded(breaker: Breaker) -> Breaker:
    """The breaker after a call that was answered: closed, unless it is open and the answer is a straggler's."""
    return breaker if breaker.state is BreakerState.OPEN else Breaker(breaker.policy)


def breaker_failed(breaker: Breaker, now_s: float) -> Breaker:
    """The breaker after a call that failed: opened by the last failure it bears, or by a failed probe."""
    if breaker.state is BreakerState.OPEN:
        return breaker
    failures = breaker.failures + 1
    if breaker.state is BreakerState.CLOSED:
        if failures < breaker.policy.failures_max:
            return replace(breaker, failures=failures)
        failures = 0
    BREAKER_MOVES.check(breaker.state, BreakerState.OPEN)
    opened = replace(breaker, state=BreakerState.OPEN, failures=failures)
    return replace(opened, until_s=now_s + _pause_s(opened))


def _pause_s(breaker: Breaker) -> float:
    policy = breaker.policy
    return min(policy.open_s * 2.0 ** min(breaker.failures, 30), policy.open_max_s)


WORDS_MAX = 8
"""How many words of a search count."""


def folded(text: str) -> str:
    """Return text as it is compared: without regard to case, ё and е, and forms of one letter."""
    return " ".join(normalize("NFKC", text).casefold().replace("ё", "е").split())


def words(q: str | None) -> tuple[str, ...]:
    """Return the words that are looked for, each to be found somewhere."""
    return tuple(folded(q).split()[:WORDS_MAX]) if q else ()
