"""What the audit log keeps of a change, never a secret or a hash."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from opora.core.access.model.keys import ApiKey
from opora.core.access.model.people import User
from opora.core.access.model.tokens import SigningKey
from opora.core.kernel.model import Actor, Change, Origin
from opora.core.kernel.rules import instant


def key_change(actor: Actor, action: str, before: ApiKey | None, after: ApiKey, now: datetime) -> Change:
    """Return the entry of a change to an API key."""
    return Change(
        actor=actor,
        action=action,
        entity_type="api_key",
        entity_id=str(after.id),
        at=now,
        old=described_key(before) if before else None,
        new=described_key(after),
    )


def described_key(key: ApiKey) -> Mapping[str, object]:
    """Return what of a key can change."""
    return {
        "label": key.label,
        "scopes": sorted(key.scopes),
        "state": key.state.value,
        "owner_id": key.owner_id,
        "rate_limit_per_min": key.rate_limit_per_min,
        "allowed_ips": list(key.allowed_ips),
        "expires_at": instant(key.expires_at) if key.expires_at else None,
        "rotated_from": key.rotated_from,
        "sunset_at": instant(key.sunset_at) if key.sunset_at else None,
    }


def user_change(actor: Actor, action: str, before: User | None, after: User, now: datetime) -> Change:
    """Return the entry of a change to a user."""
    return Change(
        actor=actor,
        action=action,
        entity_type="user",
        entity_id=str(after.id),
        at=now,
        old=described_user(before) if before else None,
        new={**described_user(after), "personal": personal_changes(before, after)} if before else described_user(after),
    )


def described_user(user: User) -> Mapping[str, object]:
    """Return what of a user can change and is not personal: an entry cannot be altered when the user is erased."""
    return {
        "roles": sorted(role.value for role in user.roles),
        "is_active": user.is_active,
        "email_verified": user.email_verified,
        "locale": user.locale,
    }


def personal_changes(before: User, after: User) -> list[str]:
    """Name the personal fields that a change touched, for the log keeps that they changed and not to what."""
    return [name for name in ("email", "full_name") if getattr(before, name) != getattr(after, name)]


def session_change(actor: Actor, action: str, user_id: int, session_id: int, now: datetime) -> Change:
    """Return the entry of a session that was opened or ended."""
    return Change(
        actor=actor,
        action=action,
        entity_type="session",
        entity_id=str(session_id),
        at=now,
        new={"user_id": user_id},
    )


def refusal_change(origin: Origin, user: User | None, proof: str, now: datetime) -> Change:
    """Return the entry of an attempt to come in that failed; who tried an address nobody has is not named by it."""
    return Change(
        actor=Actor(origin=origin),
        action="session.refused",
        entity_type="user",
        entity_id=str(user.id) if user else "unknown",
        at=now,
        new={"proof": proof},
    )


def factor_change(actor: Actor, action: str, user_id: int, now: datetime) -> Change:
    """Return the entry of a second factor that was added or removed."""
    return Change(actor=actor, action=action, entity_type="user", entity_id=str(user_id), at=now)


def sessions_change(actor: Actor, user_id: int, ended: Sequence[int], now: datetime) -> Change:
    """Return the entry of all sessions of a user ended at once."""
    return Change(
        actor=actor,
        action="session.all_ended",
        entity_type="user",
        entity_id=str(user_id),
        at=now,
        new={"sessions": list(ended)},
    )


def signing_key_change(actor: Actor, action: str, key: SigningKey, now: datetime) -> Change:
    """Return the entry of a signing key that was made or moved."""
    return Change(
        actor=actor,
        action=action,
        entity_type="signing_key",
        entity_id=key.id,
        at=now,
        new={"algorithm": key.algorithm.value, "state": key.state.value},
    )
