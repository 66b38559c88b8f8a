"""What other services are told of callers, and by whom."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime

from opora.core.access.model.identities import Contact, Identity
from opora.core.access.model.notes import TokenNote


class SubscriptionTiers(ABC):
    """Tells which plan a person is on. Hot: asked on every call through the gateway."""

    @abstractmethod
    async def tier_of(self, user_id: int) -> str:
        """Return the tier's word at this instant, `free` for a person without a subscription."""


class Contacts(ABC):
    """Finds what of a person other services are told. Hot: asked on every call through the gateway."""

    @abstractmethod
    async def find(self, user_id: int) -> Contact | None:
        """Return it, None when there is no such person. The answer may be half a second old."""


class IdentitySigner(ABC):
    """Signs identities for other services."""

    @abstractmethod
    def sign(self, identity: Identity, audience: str, now: datetime) -> str:
        """Return a JWT that is good for a minute and for this audience alone; raise SigningKeyMissing."""


class TokenNotes(ABC):
    """What other services may read of access tokens without asking anybody: a copy that may be lost at any time."""

    @abstractmethod
    async def keep(self, note: TokenNote) -> None:
        """Keep a new token's note until it expires; raise Unavailable when the store does not answer."""

    @abstractmethod
    async def of(self, user_id: int) -> Sequence[TokenNote]:
        """Return the notes of a person's tokens that are kept; raise Unavailable."""

    @abstractmethod
    async def renew(self, note: TokenNote) -> None:
        """Put the note in place of the one that is kept; where there is none any more keep none. Raise Unavailable."""

    @abstractmethod
    async def drop(self, user_id: int, token_id: str) -> None:
        """Take a note back, if it is kept; raise Unavailable."""
