"""What a transaction of access can reach."""

from typing import Protocol

from opora.core.access.ports.keys import KeyRepository
from opora.core.access.ports.people import SessionRepository, UserRepository
from opora.core.access.ports.tokens import SigningKeyRepository
from opora.core.kernel.ports import AuditTrail, Outbox


class AccessTx(Protocol):
    """Keys, people, sessions and signing keys of one transaction, with what every change leaves behind."""

    @property
    def keys(self) -> KeyRepository:
        """The API keys."""
        ...

    @property
    def users(self) -> UserRepository:
        """The people."""
        ...

    @property
    def sessions(self) -> SessionRepository:
        """The sessions."""
        ...

    @property
    def signing_keys(self) -> SigningKeyRepository:
        """The keys that sign tokens."""
        ...

    @property
    def outbox(self) -> Outbox:
        """The events."""
        ...

    @property
    def audit(self) -> AuditTrail:
        """The audit log."""
        ...
