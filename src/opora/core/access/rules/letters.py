"""The letters of identity: what each says, to whom, and which of its words are secret.

Nothing that a stranger can choose stands in a letter that a stranger can have sent: no name, no user agent.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from opora.core.access.model.people import User
from opora.core.kernel.model import Origin
from opora.core.kernel.rules import instant
from opora.core.notifications.model.notices import Notice

WELCOME = "access.welcome"
ADDRESS_TAKEN = "access.address_taken"
VERIFY = "access.verify_email"
RESET = "access.reset_password"
PASSWORD_CHANGED = "access.password_changed"  # noqa: S105  # a kind of letter
NEW_DEVICE = "access.new_device"
SESSION_STOLEN = "access.session_stolen"
FACTOR_ADDED = "access.second_factor_added"
FACTOR_REMOVED = "access.second_factor_removed"
DEVICE_LENGTH_MAX = 200


@dataclass(frozen=True, slots=True)
class LetterPolicy:
    """How long the tokens of letters live, and which pages of the organisation's own they lead to; empty: none."""

    verify_ttl_s: int = 3 * 24 * 3_600
    reset_ttl_s: int = 3_600
    verify_page: str = ""
    reset_page: str = ""


def welcome(user: User, token: str, now: datetime, policy: LetterPolicy) -> Notice:
    """Greet who registered, with the token that shows the address is theirs."""
    return _with_token(WELCOME, user, token, policy.verify_page, now + timedelta(seconds=policy.verify_ttl_s))


def verify_again(user: User, token: str, now: datetime, policy: LetterPolicy) -> Notice:
    """Send another token that shows the address is theirs."""
    return _with_token(VERIFY, user, token, policy.verify_page, now + timedelta(seconds=policy.verify_ttl_s))


def reset(user: User, token: str, now: datetime, policy: LetterPolicy) -> Notice:
    """Send the token that sets a new password."""
    return _with_token(RESET, user, token, policy.reset_page, now + timedelta(seconds=policy.reset_ttl_s))


def address_taken(user: User, origin: Origin, at: datetime) -> Notice:
    """Tell a user that somebody tried to register their address."""
    data = {"address": origin.address, "happened_at": instant(at)}
    return Notice(kind=ADDRESS_TAKEN, user_id=user.id, data=data, about=about(user.id))


def password_changed(user: User, origin: Origin, at: datetime) -> Notice:
    """Tell a user that their password is another now."""
    return _about(PASSWORD_CHANGED, user, origin, at)


def new_device(user: User, origin: Origin, at: datetime) -> Notice:
    """Tell a user that they signed in from where they never did before."""
    return _about(NEW_DEVICE, user, origin, at)


def session_stolen(user: User, origin: Origin, at: datetime) -> Notice:
    """Tell a user that a spent refresh token came again and their session was ended."""
    return _about(SESSION_STOLEN, user, origin, at)


def factor_added(user: User, origin: Origin, at: datetime) -> Notice:
    """Tell a user that a code is asked of them from now on."""
    return _about(FACTOR_ADDED, user, origin, at)


def factor_removed(user: User, origin: Origin, at: datetime) -> Notice:
    """Tell a user that the password alone lets them in again."""
    return _about(FACTOR_REMOVED, user, origin, at)


def about(user_id: int) -> str:
    """Name what these letters are about: they are withdrawn when the person is erased."""
    return f"user:{user_id}"


def _with_token(kind: str, user: User, token: str, page: str, expires_at: datetime) -> Notice:
    data = {"page_url": page, "expires_at": instant(expires_at)}
    return Notice(kind=kind, user_id=user.id, data=data, secret={"token": token}, about=about(user.id))


def _about(kind: str, user: User, origin: Origin, at: datetime) -> Notice:
    data = {
        "address": origin.address,
        "device": origin.user_agent[:DEVICE_LENGTH_MAX],
        "happened_at": instant(at),
    }
    return Notice(kind=kind, user_id=user.id, data=data, about=about(user.id))
