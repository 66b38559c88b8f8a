"""What an API key is, how its state moves, and what others are shown of it."""

from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

from opora.core.access.model.changes import KEEP, Keep
from opora.core.access.model.keytext import Environment
from opora.core.access.model.scopes import Role
from opora.core.kernel.model import Moves


class KeyState(StrEnum):
    """What people have made of a key; time has its own say, see KeyStatus."""

    ACTIVE = "active"
    DISABLED = "disabled"
    REVOKED = "revoked"


KEY_MOVES = Moves(
    {
        KeyState.ACTIVE: frozenset({KeyState.DISABLED, KeyState.REVOKED}),
        KeyState.DISABLED: frozenset({KeyState.ACTIVE, KeyState.REVOKED}),
        KeyState.REVOKED: frozenset(),
    }
)


class KeyStatus(StrEnum):
    """What a key is at an instant: its state, or what the clock has made of it."""

    ACTIVE = "active"
    DISABLED = "disabled"
    EXPIRED = "expired"
    ROTATED = "rotated"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key as it is kept, without its secret.

    Keys that replaced one another form a family, named by the first one's id, and share one rate limit.
    `sunset_at` is when a rotated key stops working.
    """

    id: int
    label: str
    start: str
    last4: str
    environment: Environment
    scopes: frozenset[str]
    state: KeyState = KeyState.ACTIVE
    owner_id: int | None = None
    rate_limit_per_min: int | None = None
    allowed_ips: tuple[str, ...] = ()
    family_id: int
    rotated_from: int | None = None
    rotated_at: datetime | None = None
    sunset_at: datetime | None = None
    created_by: str
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    version: int = 1

    def status(self, now: datetime) -> KeyStatus:
        """Tell what the key is at this instant."""
        if self.state is not KeyState.ACTIVE:
            return KeyStatus(self.state.value)
        if self.sunset_at is not None and now >= self.sunset_at:
            return KeyStatus.ROTATED
        if self.expires_at is not None and now >= self.expires_at:
            return KeyStatus.EXPIRED
        return KeyStatus.ACTIVE

    def move(self, target: KeyState) -> Self:
        """Return the key in its next state; raise IllegalMove where the table has none."""
        KEY_MOVES.check(self.state, target)
        return replace(self, state=target, version=self.version + 1)


@dataclass(frozen=True, slots=True)
class KeyDigest:
    """What is stored in place of a key's secret: `hmac-sha256:<pepper id>`, or `bcrypt` for an imported one."""

    scheme: str
    value: bytes = field(repr=False)


BCRYPT_SCHEME = "bcrypt"


@dataclass(frozen=True, slots=True)
class KeyOwner:
    """What the rights of a key depend on, of the person who owns it; `version` is that of the person's record."""

    id: int
    roles: frozenset[Role]
    is_active: bool
    version: int = 0


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A key as a request finds it: with its owner of this moment and the scheme of its stored digest."""

    key: ApiKey
    scheme: str
    owner: KeyOwner | None = None


@dataclass(frozen=True, slots=True)
class ImportedKey:
    """A key that is known by a slow hash until its first use."""

    record: KeyRecord
    digest: KeyDigest


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """What is asked for when a key is made."""

    label: str
    scopes: frozenset[str]
    environment: Environment = Environment.LIVE
    rate_limit_per_min: int | None = None
    expires_at: datetime | None = None
    allowed_ips: tuple[str, ...] = ()
    owner_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChanges:
    """What is asked for when a key is changed; what is not named stays.

    `versions` are those of the key that the change was thought out for; None: it holds for whatever it has become.
    """

    label: str | Keep = KEEP
    scopes: frozenset[str] | Keep = KEEP
    rate_limit_per_min: int | Keep | None = KEEP
    expires_at: datetime | Keep | None = KEEP
    allowed_ips: tuple[str, ...] | Keep = KEEP
    state: KeyState | Keep = KEEP
    versions: frozenset[int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyView:
    """What the administration shows of a key: never its secret, never its digest."""

    id: int
    label: str
    prefix: str
    last4: str
    environment: Environment
    scopes: tuple[str, ...]
    status: KeyStatus
    rate_limit_per_min: int | None
    allowed_ips: tuple[str, ...]
    owner_id: int | None
    rotated_from: int | None
    sunset_at: datetime | None
    last_used_at: datetime | None
    created_at: datetime
    expires_at: datetime | None
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedKey(KeyView):
    """A key at the one moment its text is shown."""

    key: str = field(repr=False)


def view_of(key: ApiKey, now: datetime) -> KeyView:
    """Return what the administration shows of the key at this instant."""
    return KeyView(
        id=key.id,
        label=key.label,
        prefix=key.start,
        last4=key.last4,
        environment=key.environment,
        scopes=tuple(sorted(key.scopes)),
        status=key.status(now),
        rate_limit_per_min=key.rate_limit_per_min,
        allowed_ips=key.allowed_ips,
        owner_id=key.owner_id,
        rotated_from=key.rotated_from,
        sunset_at=key.sunset_at,
        last_used_at=key.last_used_at,
        created_at=key.created_at,
        expires_at=key.expires_at,
        version=key.version,
    )


def issued(key: ApiKey, text: str, now: datetime) -> IssuedKey:
    """Return the view of a new key together with its text."""
    view = view_of(key, now)
    return IssuedKey(**{one.name: getattr(view, one.name) for one in fields(view)}, key=text)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyReach:
    """Which keys somebody may see: all, those a user owns, those `maker` made."""

    everything: bool
    owner_id: int | None
    maker: str

    def covers(self, key: ApiKey) -> bool:
        """Tell whether the key may be seen."""
        owned = self.owner_id is not None and key.owner_id == self.owner_id
        return self.everything or owned or key.created_by == self.maker


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFilter:
    """Which keys of a list are wanted; `text` is looked for in the label."""

    state: KeyState | None = None
    owner_id: int | None = None
    text: str | None = None
