"""When a signing key begins to sign, and for how long it is needed after."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from opora.core.access.errors import RotationUnderWay
from opora.core.access.model.tokens import Algorithm, KeyPurpose, SigningKey, SigningKeyState
from opora.core.kernel.rules import instant

IDENTITY_ALGORITHM = Algorithm.ES256
"""Identities are signed on every call through the gateway: RSA would cost fifty times as much."""
HAND_OVER = timedelta(minutes=5)
"""How long a process that was held up may go on signing with a key that has been replaced."""


@dataclass(frozen=True, slots=True)
class SigningPolicy:
    """How long a new key is published before it signs, and how long what a key signed is good for."""

    publish_s: int = 360
    token_ttl_s: int = 15 * 60 + 30


def awaited(keys: Iterable[SigningKey], purpose: KeyPurpose) -> SigningKey | None:
    """Return the key that is to sign next."""
    return next((key for key in keys if key.purpose is purpose and key.state is SigningKeyState.PENDING), None)


def signing(keys: Iterable[SigningKey], purpose: KeyPurpose) -> SigningKey | None:
    """Return the key that signs."""
    return next((key for key in keys if key.purpose is purpose and key.state is SigningKeyState.ACTIVE), None)


def refuse_second(keys: Iterable[SigningKey], purpose: KeyPurpose) -> None:
    """Raise RotationUnderWay when a key of this purpose waits for its time already."""
    waiting = awaited(keys, purpose)
    if waiting is not None:
        at = instant(waiting.activates_at) if waiting.activates_at else None
        raise RotationUnderWay(key_id=waiting.id, activates_at=at)


def turned(keys: Sequence[SigningKey], now: datetime, policy: SigningPolicy) -> list[SigningKey]:
    """Return what changes now: for each key whose time has come, the one it replaces, then itself."""
    changed: list[SigningKey] = []
    for purpose in KeyPurpose:
        following = awaited(keys, purpose)
        if following is None or following.activates_at is None or now < following.activates_at:
            continue
        present = signing(keys, purpose)
        if present is not None:
            changed.append(retired(present, now, policy))
        changed.append(following.move(SigningKeyState.ACTIVE))
    return changed


def retired(key: SigningKey, now: datetime, policy: SigningPolicy) -> SigningKey:
    """Return the key as it is kept to check what it signed, until the last of that is over."""
    until = now + timedelta(seconds=policy.token_ttl_s) + HAND_OVER
    return replace(key.move(SigningKeyState.RETIRED), retires_at=until)


def withdrawn(key: SigningKey, now: datetime) -> SigningKey:
    """Return the key as no longer good for anything: what it signed is refused."""
    moved = key if key.state is SigningKeyState.RETIRED else key.move(SigningKeyState.RETIRED)
    return replace(moved, retires_at=now, version=key.version + 1)
