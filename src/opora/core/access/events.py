"""Facts the access context announces."""

from dataclasses import dataclass

from opora.core.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyIssued(Event):
    """An API key was made."""

    topic = "key.issued"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyImported(Event):
    """An API key of another system was taken over by its hash."""

    topic = "key.imported"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChanged(Event):
    """An API key's label, rights, limit, expiry or state was changed."""

    topic = "key.changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRotatedInto(Event):
    """An API key was replaced by `successor_id`."""

    topic = "key.rotated"

    successor_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyWithdrawn(Event):
    """An API key was revoked for good."""

    topic = "key.revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserCreated(Event):
    """A user came to be."""

    topic = "user.created"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserChanged(Event):
    """A user's name, language or roles were changed."""

    topic = "user.changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserBlocked(Event):
    """A user was shut out; every session of theirs ended with it."""

    topic = "user.blocked"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserUnblocked(Event):
    """A blocked user may come in again."""

    topic = "user.unblocked"


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordReset(Event):
    """A user's password was replaced; every session of theirs ended with it."""

    topic = "user.password_reset"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserLoggedIn(Event):
    """A user opened the session `session_id`."""

    topic = "user.logged_in"

    session_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UserLoggedOut(Event):
    """A user ended the session `session_id`."""

    topic = "user.logged_out"

    session_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshTokenReused(Event):
    """A spent refresh token came again, so the session `session_id` of the user was ended."""

    topic = "user.refresh_token_reused"

    session_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKeyMade(Event):
    """A key that signs access tokens was made; the subject is its key id."""

    topic = "signing_key.made"
