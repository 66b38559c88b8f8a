"""When an API key lets a request in, and what its fields may hold."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from opora.core.access.errors import (
    AddressNotAllowed,
    KeyDisabled,
    KeyExpired,
    KeyInvalid,
    KeyNotRotatable,
    KeyOwnerBlocked,
    KeyRevoked,
    KeyRotated,
    NoSuchKey,
    ScopeMissing,
)
from opora.core.access.model.changes import kept
from opora.core.access.model.keys import ApiKey, KeyChanges, KeyReach, KeyRecord, KeyStatus, NewKey
from opora.core.access.model.keytext import KeyText
from opora.core.access.model.scopes import ADMIN_SCOPE, scopes_of, shared_scopes
from opora.core.access.rules.scopes import unknown_scopes
from opora.core.kernel.errors import DomainError, Stale
from opora.core.kernel.model import Actor

OVERLAP_MAX = timedelta(days=30)
LABEL_LENGTH_MAX = 200
ADDRESS_RANGES_MAX = 50
RATE_LIMIT_MAX = 1_000_000


@dataclass(frozen=True, slots=True)
class RotationPolicy:
    """How long a rotated key works on when nobody says how long."""

    overlap_s: int = 86_400


_REFUSALS: dict[KeyStatus, type[DomainError]] = {
    KeyStatus.REVOKED: KeyRevoked,
    KeyStatus.DISABLED: KeyDisabled,
    KeyStatus.ROTATED: KeyRotated,
    KeyStatus.EXPIRED: KeyExpired,
}


@dataclass(frozen=True, slots=True)
class Allow:
    """The key lets the request in with these rights."""

    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Refuse:
    """The key does not let the request in, for this reason."""

    reason: DomainError


def decide(
    record: KeyRecord, now: datetime, address: str | None, required: frozenset[str] = frozenset()
) -> Allow | Refuse:
    """Judge a key: its state, its owner, the network address, the scopes a call needs, in this order.

    Where nobody calls with the key, but only asks whether it is good, there is no address.
    """
    key = record.key
    status = key.status(now)
    if status is not KeyStatus.ACTIVE:
        return Refuse(_REFUSALS[status](key_id=key.id))
    if record.owner is not None and not record.owner.is_active:
        return Refuse(KeyOwnerBlocked(key_id=key.id))
    if key.allowed_ips and address is not None and not within(address, key.allowed_ips):
        return Refuse(AddressNotAllowed(key_id=key.id, address=address))
    scopes = effective_scopes(record)
    missing = frozenset() if ADMIN_SCOPE in scopes else required - scopes
    if missing:
        return Refuse(ScopeMissing(f"the key lacks {', '.join(sorted(missing))}", scopes=sorted(missing)))
    return Allow(scopes)


def effective_scopes(record: KeyRecord) -> frozenset[str]:
    """Return what the key grants now: its own scopes, as far as its owner, if it has one, still holds them."""
    if record.owner is None:
        return record.key.scopes
    return shared_scopes(scopes_of(record.owner.roles), record.key.scopes)


def within(address: str, ranges: tuple[str, ...]) -> bool:
    """Tell whether an address lies in one of the ranges; an IPv4 address written as IPv6 is IPv4."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return any(parsed in network for network in _networks(ranges))


@lru_cache(maxsize=4096)
def _networks(ranges: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(one) for one in ranges)


def canonical_ranges(ranges: Sequence[str]) -> tuple[tuple[str, ...], list[str]]:
    """Return the ranges in one spelling, sorted and each once, and a message about every one that is none."""
    spelled: set[str] = set()
    faults: list[str] = []
    for one in ranges:
        try:
            spelled.add(str(ip_network(one)))
        except ValueError:
            faults.append(f"{one!r} is no address and no CIDR range (the bits after the prefix must be zero)")
    if len(ranges) > ADDRESS_RANGES_MAX:
        faults.append(f"at most {ADDRESS_RANGES_MAX} ranges")
    return tuple(sorted(spelled)), faults


def refuse_bad_fields(wanted: NewKey, now: datetime) -> NewKey:
    """Return the fields in canonical form; raise KeyInvalid listing every field at fault."""
    label = wanted.label.strip()
    ranges, range_faults = canonical_ranges(wanted.allowed_ips)
    expired = wanted.expires_at is not None and wanted.expires_at <= now
    limit = wanted.rate_limit_per_min
    faults = {
        "label": [] if 0 < len(label) <= LABEL_LENGTH_MAX else [f"1 to {LABEL_LENGTH_MAX} characters"],
        "scopes": unknown_scopes(wanted.scopes) if wanted.scopes else ["at least one scope"],
        "rate_limit_per_min": [] if limit is None or 1 <= limit <= RATE_LIMIT_MAX else [f"1 to {RATE_LIMIT_MAX}"],
        "expires_at": ["this time is past"] if expired else [],
        "allowed_ips": range_faults,
    }
    found = {name: messages for name, messages in faults.items() if messages}
    if found:
        raise KeyInvalid(errors=found)
    return replace(wanted, label=label, allowed_ips=ranges)


def refuse_stale(key: ApiKey, versions: frozenset[int] | None) -> None:
    """Raise Stale unless the key is in one of these versions; None: whatever it has become."""
    if versions is not None and key.version not in versions:
        raise Stale(key_id=key.id)


def changed(key: ApiKey, changes: KeyChanges, now: datetime) -> ApiKey:
    """Return the key with its changes, itself when there are none; raise KeyInvalid, IllegalMove, or Stale."""
    refuse_stale(key, changes.versions)
    state = kept(changes.state, key.state)
    moved = key if state is key.state else replace(key.move(state), version=key.version)
    expires_at = kept(changes.expires_at, key.expires_at)
    wanted = refuse_bad_fields(
        NewKey(
            label=kept(changes.label, key.label),
            scopes=kept(changes.scopes, key.scopes),
            rate_limit_per_min=kept(changes.rate_limit_per_min, key.rate_limit_per_min),
            # An expiry that passed long ago may stay; only a new one must lie ahead.
            expires_at=None if expires_at == key.expires_at else expires_at,
            allowed_ips=kept(changes.allowed_ips, key.allowed_ips),
        ),
        now,
    )
    after = replace(
        moved,
        label=wanted.label,
        scopes=wanted.scopes,
        rate_limit_per_min=wanted.rate_limit_per_min,
        expires_at=expires_at,
        allowed_ips=wanted.allowed_ips,
    )
    return key if after == key else replace(after, version=key.version + 1)


def sunset(key: ApiKey, now: datetime, overlap: timedelta) -> datetime:
    """Return when a rotated key stops: after the overlap, never past its expiry; raise KeyInvalid, KeyNotRotatable."""
    if not timedelta(0) <= overlap <= OVERLAP_MAX:
        raise KeyInvalid(errors={"overlap_seconds": [f"0 to {int(OVERLAP_MAX.total_seconds())}"]})
    if key.status(now) is not KeyStatus.ACTIVE or key.rotated_at is not None:
        raise KeyNotRotatable(key_id=key.id, status=str(key.status(now)))
    end = now + overlap
    return end if key.expires_at is None else min(end, key.expires_at)


def rotated(
    key: ApiKey, successor_id: int, text: KeyText, actor: Actor, now: datetime, overlap: timedelta
) -> tuple[ApiKey, ApiKey]:
    """Return the key with its end set, and its successor: the same settings under a new text, in the same family."""
    successor = replace(
        key,
        id=successor_id,
        start=text.start,
        last4=text.last4,
        rotated_from=key.id,
        created_by=actor.subject,
        created_at=now,
        last_used_at=None,
        version=1,
    )
    return replace(key, rotated_at=now, sunset_at=sunset(key, now, overlap), version=key.version + 1), successor


def new_key(key_id: int, wanted: NewKey, text: KeyText, actor: Actor, now: datetime) -> ApiKey:
    """Return a key that begins a family of its own."""
    return ApiKey(
        id=key_id,
        label=wanted.label,
        start=text.start,
        last4=text.last4,
        environment=wanted.environment,
        scopes=wanted.scopes,
        owner_id=owner_for(actor, wanted.owner_id),
        rate_limit_per_min=wanted.rate_limit_per_min,
        allowed_ips=wanted.allowed_ips,
        family_id=key_id,
        created_by=actor.subject,
        created_at=now,
        expires_at=wanted.expires_at,
    )


def seen(key: ApiKey | None, actor: Actor, key_id: int) -> ApiKey:
    """Return the key; raise NoSuchKey when there is none, or none that the actor may see."""
    if key is None or not reach(actor).covers(key):
        raise NoSuchKey(key_id=key_id)
    return key


def reach(actor: Actor) -> KeyReach:
    """Tell which keys the actor may see: an admin all, others their own and those they made."""
    return KeyReach(everything=actor.may(ADMIN_SCOPE), owner_id=actor.user_id, maker=actor.subject)


def owner_for(actor: Actor, wanted: int | None) -> int | None:
    """Return who owns a new key: whom an admin names, or nobody; for anyone else, themselves."""
    return wanted if actor.may(ADMIN_SCOPE) else actor.user_id
