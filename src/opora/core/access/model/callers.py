"""What a request brings as proof of who is asking, and who is found to be asking."""

from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import IPv6Address, ip_address

from opora.core.access.model.proofs import Proof
from opora.core.access.model.rates import RatePolicy
from opora.core.kernel.model import Actor


@dataclass(frozen=True, slots=True)
class Credentials:
    """The text after `Bearer`, and the value of `X-API-Key`; a key is taken in either place.

    `client_id` is what came with a key as the name of its client: the key's id, or the key is not taken.
    """

    bearer: str | None = field(default=None, repr=False)
    api_key: str | None = field(default=None, repr=False)
    client_id: str | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking, what their limits are counted under, and by which names they may have been shut out.

    `revocation` holds names such as `key:7` or `jti:…` that the rate gate must not find denied; a token is refused when
    the user's epoch is after `issued_at`; `notice` tells since when a rotated key is deprecated and when it stops.
    A person's token has a `proof`; a key proves itself with every call and has none.
    """

    actor: Actor
    limit_subject: str
    policies: tuple[RatePolicy, ...]
    revocation: tuple[str, ...] = ()
    issued_at: datetime | None = None
    notice: tuple[datetime, datetime] | None = None
    proof: Proof | None = None


def address_subject(address: str) -> str:
    """Name what a network address is counted under: itself, or its /64 when it is IPv6, where one host has many."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return "address:unknown"
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is None:
            return f"address:{IPv6Address(int(parsed) >> 64 << 64)}/64"
        parsed = parsed.ipv4_mapped
    return f"address:{parsed}"
