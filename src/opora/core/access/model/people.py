"""Who a user is, and the sessions they hold."""

from dataclasses import dataclass, field
from datetime import datetime

from opora.core.access.model.changes import KEEP, Keep
from opora.core.access.model.scopes import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person known by an e-mail address, kept folded.

    Access tokens issued before `epoch_at` are refused. Without a password hash nobody can log in. From `erased_at` on
    nothing personal is left: the row is what ledgers and the audit log go on naming.
    """

    id: int
    email: str
    password_hash: str | None = field(default=None, repr=False)
    roles: frozenset[Role] = frozenset({Role.CLIENT})
    is_active: bool = True
    email_verified: bool = False
    full_name: str = ""
    locale: str = "en"
    created_at: datetime
    epoch_at: datetime | None = None
    erased_at: datetime | None = None
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUser:
    """What is asked for when a user is created."""

    email: str
    password: str | None = field(default=None, repr=False)
    roles: frozenset[Role] = frozenset({Role.CLIENT})
    full_name: str = ""
    locale: str = "en"
    email_verified: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UserChanges:
    """What is asked for when a user is changed; what is not named stays.

    `versions` are those of the user that the change was thought out for; None: it holds for whatever they have become.
    """

    roles: frozenset[Role] | Keep = KEEP
    is_active: bool | Keep = KEEP
    full_name: str | Keep = KEEP
    locale: str | Keep = KEEP
    versions: frozenset[int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UserView:
    """What others are shown of a user."""

    id: int
    email: str
    full_name: str
    locale: str
    roles: tuple[Role, ...]
    is_active: bool
    email_verified: bool
    created_at: datetime
    version: int


def user_view(user: User) -> UserView:
    """Return what others are shown of the user."""
    return UserView(
        id=user.id,
        email=user.email,
        full_name=user.full_name,
        locale=user.locale,
        roles=tuple(sorted(user.roles)),
        is_active=user.is_active,
        email_verified=user.email_verified,
        created_at=user.created_at,
        version=user.version,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class UserFilter:
    """Which users of a list are wanted; `text` is looked for in the address and the name."""

    role: Role | None = None
    is_active: bool | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class PasswordCheck:
    """Whether a password fits its stored hash, and whether that hash should be made anew."""

    matches: bool
    outdated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A stay of a user: every refresh and access token that came of one log-in.

    Its tokens grant no more than `scopes`, where the log-in asked for less than all. `methods` is how the user proved
    who they are (RFC 8176). No refresh keeps it past `expires_at`.
    """

    id: int
    user_id: int
    address: str = ""
    user_agent: str = ""
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None
    methods: tuple[str, ...] = ("pwd",)
    scopes: frozenset[str] | None = None

    def open(self, now: datetime) -> bool:
        """Tell whether the session still stands."""
        return self.ended_at is None and now < self.expires_at


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionView:
    """What its user is shown of a session; `last_used_at` is when its newest refresh token was given out."""

    id: int
    address: str
    user_agent: str
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    current: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshToken:
    """The `number`th refresh token of a session; only its digest is kept. `used_at` is when it was spent."""

    session_id: int
    number: int
    digest: bytes = field(repr=False)
    issued_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
