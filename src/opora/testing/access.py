"""Builders of the things of access, for tests that care about one field and not the rest."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from opora.core.access.model.keys import ApiKey, KeyDigest
from opora.core.access.model.keytext import Environment
from opora.core.access.model.people import RefreshToken, Session, User
from opora.core.access.model.scopes import Role

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)


def a_key(**changes: Any) -> ApiKey:
    """Build a working key."""
    key = ApiKey(
        id=7,
        label="QA",
        start="opk_live_Ab3d",
        last4="x9Z0",
        environment=Environment.LIVE,
        scopes=frozenset({"profiles:read", "profiles:write"}),
        family_id=7,
        created_by="user:1",
        created_at=NOON,
    )
    return replace(key, **changes)


def a_user(**changes: Any) -> User:
    """Build a client who may come in."""
    user = User(id=3, email="anna@example.org", roles=frozenset({Role.CLIENT}), created_at=NOON)
    return replace(user, **changes)


def a_session(**changes: Any) -> Session:
    """Build an open session."""
    return replace(Session(id=5, user_id=3, created_at=NOON, expires_at=NOON + 48 * HOUR), **changes)


def a_refresh_token(**changes: Any) -> RefreshToken:
    """Build an unspent refresh token."""
    token = RefreshToken(session_id=5, number=1, digest=bytes(32), issued_at=NOON, expires_at=NOON + HOUR)
    return replace(token, **changes)


def a_digest(number: int = 7, scheme: str = "hmac-sha256:p1") -> KeyDigest:
    """Build a digest that differs by its number."""
    return KeyDigest(scheme, number.to_bytes(32))
