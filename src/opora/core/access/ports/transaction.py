"""What a transaction of access can reach."""

from typing import Protocol

from opora.core.access.ports.keys import KeyRepository
from opora.core.access.ports.people import SessionRepository, UserRepository
from opora.core.access.ports.proofs import DeviceRepository, OneTimeTokenRepository, SecondFactorRepository
from opora.core.access.ports.tokens import SigningKeyRepository
from opora.core.jobs.ports import JobQueue
from opora.core.kernel.ports import AuditTrail, Outbox
from opora.core.notifications.ports.notices import Notices


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
    def one_time_tokens(self) -> OneTimeTokenRepository:
        """The tokens of letters and unfinished log-ins."""
        ...

    @property
    def second_factors(self) -> SecondFactorRepository:
        """The second factors."""
        ...

    @property
    def devices(self) -> DeviceRepository:
        """The devices people came in from."""
        ...

    @property
    def notices(self) -> Notices:
        """The letters."""
        ...

    @property
    def jobs(self) -> JobQueue:
        """The background work."""
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
