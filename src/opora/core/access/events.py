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
class UserRegistered(Event):
    """Somebody registered; whether the address is theirs is not known yet."""

    topic = "user.registered"


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailVerified(Event):
    """A user has shown that letters to their address reach them."""

    topic = "user.email_verified"


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordChanged(Event):
    """A user chose another password; every other session of theirs ended with it."""

    topic = "user.password_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactorAdded(Event):
    """From now on a code is asked of the user after the password."""

    topic = "user.second_factor_added"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactorRemoved(Event):
    """The password alone lets the user in again."""

    topic = "user.second_factor_removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserErased(Event):
    """A user had everything personal erased; the id stays as an anonymous subject."""

    topic = "user.erased"


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
class SessionsEnded(Event):
    """A user ended all their sessions at once: `ids`."""

    topic = "user.sessions_ended"

    ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshTokenReused(Event):
    """A spent refresh token came again, so the session `session_id` of the user was ended."""

    topic = "user.refresh_token_reused"

    session_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKeyMade(Event):
    """A key that signs tokens or identities was made; the subject is its key id."""

    topic = "signing_key.made"


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKeyTurned(Event):
    """A signing key took the place of the one before; the subject is its key id."""

    topic = "signing_key.turned"


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKeyWithdrawn(Event):
    """A signing key is no longer good for anything: what it signed is refused; the subject is its key id."""

    topic = "signing_key.withdrawn"
