"""Who stands behind a call, as other services are told."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A caller as the gateway has found them, with what they are now and not when their token was signed.

    `tier` and `email_verified` are the person's; a key without an owner has neither.
    """

    user_id: int | None
    key_id: int | None = None
    session_id: int | None = None
    scopes: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    tier: str = ""
    email_verified: bool = False

    @property
    def subject(self) -> str:
        """Name the caller in one word: the person's id, or the key's after `key:`."""
        return f"key:{self.key_id}" if self.user_id is None else str(self.user_id)


@dataclass(frozen=True, slots=True)
class Contact:
    """What of a person matters to other services besides their rights."""

    user_id: int
    email: str
    email_verified: bool
    is_active: bool
    roles: frozenset[str] = frozenset()
