"""Where payments, refunds and the providers' notices are kept."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from opora.core.billing.model.payments import (
    Heard,
    Payment,
    PaymentFilter,
    ProviderNotice,
    Reach,
    Refund,
)
from opora.core.billing.ports.ledger import Ledger
from opora.core.jobs.ports import JobQueue
from opora.core.kernel.model import Page, PageRequest
from opora.core.kernel.ports import AuditTrail, Outbox
from opora.core.notifications.ports.notices import Notices


class PaymentRepository(ABC):
    """Payments and refunds inside a transaction.

    The store itself holds that refunds never exceed what was taken, and that a payment's amount, payer and key never
    change, whoever writes.
    """

    @abstractmethod
    async def next_id(self) -> int:
        """Return an id that no payment has and no other call returns."""

    @abstractmethod
    async def add(self, payment: Payment) -> None:
        """Keep a new payment."""

    @abstractmethod
    async def get(self, id: int) -> Payment | None:
        """Return a payment, locked against change until the transaction ends, and with it its refunds."""

    @abstractmethod
    async def save(self, payment: Payment) -> None:
        """Replace the version before this one, all but its refunds' sums; raises Stale where another is stored."""

    @abstractmethod
    async def put_off(self, id: int, until: datetime) -> None:
        """Have a payment asked about at that instant and not before."""

    @abstractmethod
    async def next_refund_id(self) -> int:
        """Return an id that no refund has and no other call returns."""

    @abstractmethod
    async def add_refund(self, refund: Refund) -> None:
        """Keep a new refund. Raises RefundExceedsPayment where the store holds that more would go back than came."""

    @abstractmethod
    async def save_refund(self, refund: Refund) -> None:
        """Replace the version before this one; raises Stale where another is stored."""

    @abstractmethod
    async def refunds(self, payment_id: int) -> Sequence[Refund]:
        """Return a payment's refunds, the oldest first."""

    @abstractmethod
    async def note(self, provider: str, heard: Heard, body: str, now: datetime) -> ProviderNotice | None:
        """Keep a notice with the payment that it is of, if there is one; None where it was kept before."""

    @abstractmethod
    async def applied(self, notice_id: int, now: datetime) -> None:
        """Write that a notice's payment stands where the provider has it."""

    @abstractmethod
    async def forget_notices(self, before: datetime, limit: int) -> int:
        """Delete notices received before then, the oldest first; returns how many."""


class PaymentViews(ABC):
    """Payments as those see them who may."""

    @abstractmethod
    async def one(self, id: int, reach: Reach) -> Payment | None:
        """Return a payment; None where there is none within reach."""

    @abstractmethod
    async def page(self, reach: Reach, wanted: PaymentFilter, request: PageRequest) -> Page[Payment]:
        """Return payments within reach, the newest first."""

    @abstractmethod
    async def refunds(self, payment_id: int) -> Sequence[Refund]:
        """Return a payment's refunds, the oldest first."""

    @abstractmethod
    async def due(self, provider: str, now: datetime, limit: int) -> Sequence[int]:
        """Return the ids of a provider's payments that are to be asked about, the longest due first."""


class PaymentTx(Protocol):
    """What a transaction over payments shows."""

    @property
    def payments(self) -> PaymentRepository: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def notices(self) -> Notices: ...
    @property
    def jobs(self) -> JobQueue: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def audit(self) -> AuditTrail: ...
