"""How other contexts tell people things, and where notices and deliveries are kept."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import Protocol
from uuid import UUID

from opora.core.jobs.ports import JobQueue
from opora.core.kernel.model import Page, PageRequest
from opora.core.kernel.ports import AuditTrail
from opora.core.notifications.model.deliveries import (
    Attempt,
    Delivery,
    DeliveryFilter,
    DeliveryReport,
    DeliveryState,
)
from opora.core.notifications.model.notices import KeptNotice, Notice, NoticeState
from opora.core.notifications.ports.people import (
    DigestItems,
    Inbox,
    PreferenceStore,
    PushSubscriptions,
    WebhookEndpoints,
)


class Notices(ABC):
    """Notices inside the transaction of their cause: kept with it or not at all. They leave by jobs, after it."""

    @abstractmethod
    async def add(self, notice: Notice) -> UUID:
        """Keep the notice with the job that fires it; an equal `dedup_key` returns the first one's id."""

    @abstractmethod
    async def withdraw(self, about: str, kinds: Collection[str] | None = None) -> int:
        """Let nothing about that cause leave any more (of these kinds), and return how many notices that stopped.

        What is being sent at this moment cannot be called back.
        """


class NoticeTx(Protocol):
    """What telling somebody something needs of a transaction."""

    @property
    def notices(self) -> Notices: ...


class NoticeStore(Notices):
    """Notices as the engine that fires them sees them."""

    @abstractmethod
    async def get(self, id: UUID) -> KeptNotice | None:
        """Return the notice with its secrets, locked against change until the transaction ends."""

    @abstractmethod
    async def move(self, notice: KeptNotice, state: NoticeState) -> None:
        """Write a new state; raises IllegalMove, or Stale if the notice moved meanwhile."""


class Deliveries(ABC):
    """Deliveries and their attempts inside a transaction."""

    @abstractmethod
    async def add(self, delivery: Delivery) -> None:
        """Keep a new delivery."""

    @abstractmethod
    async def get(self, id: UUID) -> Delivery | None:
        """Return the delivery, locked against change until the transaction ends."""

    @abstractmethod
    async def notice_of(self, id: UUID) -> UUID | None:
        """Return the id of the notice that is delivered, unlocked; None where there is no such delivery."""

    @abstractmethod
    async def save(self, delivery: Delivery, previous: DeliveryState) -> None:
        """Replace what is kept; raises Stale unless the kept state is `previous`."""

    @abstractmethod
    async def log(self, attempt: Attempt) -> None:
        """Write how an attempt stands, in place of what was known of it."""

    @abstractmethod
    async def attempts(self, id: UUID) -> Sequence[Attempt]:
        """Return the attempts of a delivery in order."""


class DeliveryTx(Protocol):
    """What firing and delivering needs of a transaction."""

    @property
    def notices(self) -> NoticeStore: ...
    @property
    def deliveries(self) -> Deliveries: ...
    @property
    def inbox(self) -> Inbox: ...
    @property
    def preferences(self) -> PreferenceStore: ...
    @property
    def digests(self) -> DigestItems: ...
    @property
    def subscriptions(self) -> PushSubscriptions: ...
    @property
    def endpoints(self) -> WebhookEndpoints: ...
    @property
    def jobs(self) -> JobQueue: ...
    @property
    def audit(self) -> AuditTrail: ...


class DeliveryViews(ABC):
    """Deliveries as operators read them."""

    @abstractmethod
    async def page(self, wanted: DeliveryFilter, request: PageRequest) -> Page[DeliveryReport]:
        """Return deliveries, the newest first, without their attempts."""

    @abstractmethod
    async def one(self, id: UUID) -> DeliveryReport | None:
        """Return one delivery with its attempts."""


class NoticeHousekeeping(ABC):
    """Notices that were told long ago."""

    @abstractmethod
    async def tidy(self, keep_s: float) -> Mapping[str, int]:
        """Delete ended notices and read entries older than that, and forget secrets that have left; returns counts."""
