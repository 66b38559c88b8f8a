"""What an e-mail address, a name and a change of a user must be."""

from dataclasses import replace
from datetime import datetime
from unicodedata import category, normalize

from opora.core.access.errors import LastAdmin, NoSuchUser, UserInvalid
from opora.core.access.model.changes import kept
from opora.core.access.model.people import NewUser, User, UserChanges
from opora.core.access.model.scopes import Role
from opora.core.access.rules.passwords import PasswordPolicy, password_faults
from opora.core.kernel.errors import Stale
from opora.core.kernel.model import Actor

EMAIL_LENGTH_MAX = 254
LOCAL_PART_LENGTH_MAX = 64
NAME_LENGTH_MAX = 200
LOCALE_LENGTH_MAX = 35
"""RFC 5646 section 4.4.1."""
_UNFIT = frozenset({"Cc", "Cs", "Zl", "Zp"})
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Marks that turn text around: a name stands in letters."""


def folded_email(text: str) -> str:
    """Return the one spelling under which an address is kept; letters of either case and either normal form meet.

    Raises UserInvalid when the text cannot be an address. Whether it is one only a letter can show.
    """
    folded = normalize("NFC", normalize("NFC", text.strip()).casefold())
    local, _, domain = folded.rpartition("@")
    sound = (
        0 < len(local) <= LOCAL_PART_LENGTH_MAX
        and len(folded) <= EMAIL_LENGTH_MAX
        and "@" not in local
        and _sound_domain(domain)
        and all(category(one)[0] in "LMNPS" for one in folded)
        and not set(folded) & set("<>()[],;:\\\"'`")
    )
    if not sound:
        raise UserInvalid(errors={"email": ["not an e-mail address"]})
    return folded


def login_email(text: str) -> str:
    """Return the folded address to look for, or the empty one, which nobody has, for a text that is none."""
    try:
        return folded_email(text)
    except UserInvalid:
        return ""


def _sound_domain(domain: str) -> bool:
    return all(label and not label.startswith("-") and label.replace("-", "").isalnum() for label in domain.split("."))


def language_tag(locale: str) -> str:
    """Return the tag of RFC 5646 for a locale, which the people made for tests bear as `ru_RU`."""
    return locale.replace("_", "-")


def name_faults(full_name: str, locale: str) -> dict[str, list[str]]:
    """Return what is wrong with a name and a language tag, by field."""
    faults = {}
    if len(full_name) > NAME_LENGTH_MAX or any(category(one) in _UNFIT or one in _TURNING for one in full_name):
        faults["full_name"] = [f"at most {NAME_LENGTH_MAX} characters, none of them a control"]
    if not (0 < len(locale) <= LOCALE_LENGTH_MAX and locale.isascii() and locale.replace("-", "").isalnum()):
        faults["locale"] = ["not a language tag (RFC 5646)"]
    return faults


def new_user(wanted: NewUser, passwords: PasswordPolicy, now: datetime) -> User:
    """Return the user, still without id and password hash; raise UserInvalid listing every field at fault."""
    faults = name_faults(wanted.full_name, language_tag(wanted.locale))
    email = ""
    try:
        email = folded_email(wanted.email)
    except UserInvalid as fault:
        faults |= fault.errors
    if wanted.password is not None and (bad := password_faults(wanted.password, passwords, email)):
        faults["password"] = bad
    if not wanted.roles:
        faults["roles"] = ["at least one role"]
    if faults:
        raise UserInvalid(errors=faults)
    return User(
        id=0,
        email=email,
        roles=wanted.roles,
        full_name=wanted.full_name,
        locale=language_tag(wanted.locale),
        email_verified=wanted.email_verified,
        created_at=now,
    )


def changed_user(user: User, changes: UserChanges) -> User:
    """Return the user with their changes, itself when there are none; raise UserInvalid, or Stale."""
    if user.erased_at is not None:
        raise NoSuchUser(user_id=user.id)
    if changes.versions is not None and user.version not in changes.versions:
        raise Stale(user_id=user.id)
    after = replace(
        user,
        roles=kept(changes.roles, user.roles),
        is_active=kept(changes.is_active, user.is_active),
        full_name=kept(changes.full_name, user.full_name),
        locale=language_tag(kept(changes.locale, user.locale)),
    )
    faults = name_faults(after.full_name, after.locale)
    if not after.roles:
        faults["roles"] = ["at least one role"]
    if faults:
        raise UserInvalid(errors=faults)
    return user if after == user else replace(after, version=user.version + 1)


def administers(user: User) -> bool:
    """Tell whether the user can administer the service."""
    return user.is_active and Role.ADMIN in user.roles


def refuse_losing_last_admin(before: User, after: User, other_admins: int) -> None:
    """Raise LastAdmin when the change would leave nobody who can administer the service."""
    if administers(before) and not administers(after) and other_admins == 0:
        raise LastAdmin(user_id=before.id)


def known(user: User | None, user_id: int) -> User:
    """Return the user; raise NoSuchUser when there is none."""
    if user is None:
        raise NoSuchUser(user_id=user_id)
    return user


def erased_user(user: User, now: datetime) -> User:
    """Return what is left of a user: a number that nobody can log in as, and nothing personal."""
    return User(
        id=user.id,
        email=f"erased:{user.id}",  # no address: nobody can register it
        roles=frozenset({Role.CLIENT}),
        is_active=False,
        created_at=user.created_at,
        epoch_at=now,
        erased_at=now,
        version=user.version + 1,
    )


def person(actor: Actor) -> int:
    """Return the id of the person who is asking in person; raise NoSuchUser for a key, whoever owns it.

    A key was given out for its scopes: it must not become its owner.
    """
    if actor.user_id is None or actor.key_id is not None:
        raise NoSuchUser
    return actor.user_id
