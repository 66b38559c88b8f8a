"""Payments and refunds: what a person pays in through a provider, and what goes back."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from opora.core.kernel.model import Money, Moves

RECONCILE = "payments.reconcile"
"""The kind of the job that asks the provider about whatever is open."""
APPLY = "payments.apply_notice"
"""The kind of the job that brings a payment to where the provider has it, after a notice."""
TIDY = "payments.tidy_notices"
"""The kind of the job that deletes notices after their time."""
DESCRIPTION_MAX = 120
REASON_MAX = 200
NOTICE_BYTES_MAX = 64 * 1024


class PaymentStatus(StrEnum):
    """Where a payment stands; `unknown` is one of which nobody knows yet whether the provider has it."""

    CREATED = "created"
    UNKNOWN = "unknown"
    PENDING = "pending"
    CANCELLED = "cancelled"
    SUCCEEDED = "succeeded"


PAYMENT_MOVES = Moves(
    {
        PaymentStatus.CREATED: frozenset(
            {PaymentStatus.UNKNOWN, PaymentStatus.PENDING, PaymentStatus.CANCELLED, PaymentStatus.SUCCEEDED}
        ),
        PaymentStatus.UNKNOWN: frozenset({PaymentStatus.PENDING, PaymentStatus.CANCELLED, PaymentStatus.SUCCEEDED}),
        PaymentStatus.PENDING: frozenset({PaymentStatus.CANCELLED, PaymentStatus.SUCCEEDED}),
        PaymentStatus.CANCELLED: frozenset({PaymentStatus.SUCCEEDED}),  # money that comes late is money all the same
        PaymentStatus.SUCCEEDED: frozenset(),
    }
)
"""Every move leads forward, and the order is total: whatever order answers come in, their end is the furthest."""


class RefundStatus(StrEnum):
    """Where a refund stands; a bank may send money back that had left, so that `failed` is the last word."""

    CREATED = "created"
    UNKNOWN = "unknown"
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


REFUND_MOVES = Moves(
    {
        RefundStatus.CREATED: frozenset(
            {RefundStatus.UNKNOWN, RefundStatus.PENDING, RefundStatus.SUCCEEDED, RefundStatus.FAILED}
        ),
        RefundStatus.UNKNOWN: frozenset({RefundStatus.PENDING, RefundStatus.SUCCEEDED, RefundStatus.FAILED}),
        RefundStatus.PENDING: frozenset({RefundStatus.SUCCEEDED, RefundStatus.FAILED}),
        RefundStatus.SUCCEEDED: frozenset({RefundStatus.FAILED}),
        RefundStatus.FAILED: frozenset(),
    }
)
REFUND_OPEN = frozenset({RefundStatus.CREATED, RefundStatus.UNKNOWN, RefundStatus.PENDING})


class RefundOrigin(StrEnum):
    """Who began a refund: a caller of this service, or the provider's own desk."""

    CALLER = "caller"
    PROVIDER = "provider"


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """What somebody pays in. `key` names it to the provider, so that asking twice makes one; `provider_ref` is the
    provider's name of it.

    `refunding_minor` and `refunded_minor` are kept by the store from the refunds' rows.
    """

    id: int
    user_id: int
    provider: str
    key: str
    amount_minor: int
    currency: str
    description: str
    return_url: str
    created_at: datetime
    changed_at: datetime
    status: PaymentStatus = PaymentStatus.CREATED
    provider_ref: str | None = None
    confirmation_url: str | None = None
    reason: str | None = None
    refunding_minor: int = 0
    refunded_minor: int = 0
    settled_at: datetime | None = None
    checks: int = 0
    next_check_at: datetime | None = None
    version: int = 0

    @property
    def amount(self) -> Money:
        """What is paid."""
        return Money(self.amount_minor, self.currency)

    @property
    def refundable_minor(self) -> int:
        """What can still go back."""
        if self.status is not PaymentStatus.SUCCEEDED:
            return 0
        return self.amount_minor - self.refunding_minor - self.refunded_minor

    def move(self, status: PaymentStatus, now: datetime, reason: str | None = None) -> "Payment":
        """Return the payment in its next status; raises IllegalMove against the table."""
        PAYMENT_MOVES.check(self.status, status)
        settled_at = now if status in {PaymentStatus.SUCCEEDED, PaymentStatus.CANCELLED} else None
        return replace(self, status=status, reason=reason, changed_at=now, settled_at=settled_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """A part of a payment that goes back; `key` and `provider_ref` are as a payment's."""

    id: int
    payment_id: int
    key: str
    amount_minor: int
    currency: str
    origin: RefundOrigin
    requested_by: str
    created_at: datetime
    changed_at: datetime
    status: RefundStatus = RefundStatus.CREATED
    provider_ref: str | None = None
    note: str = ""
    reason: str | None = None
    version: int = 0

    @property
    def amount(self) -> Money:
        """What goes back."""
        return Money(self.amount_minor, self.currency)

    @property
    def is_open(self) -> bool:
        """Tell whether its end is not known yet."""
        return self.status in REFUND_OPEN

    @property
    def hold_key(self) -> str:
        """The key of the hold on the person's balance."""
        return f"refund:{self.id}"

    def move(self, status: RefundStatus, now: datetime, reason: str | None = None) -> "Refund":
        """Return the refund in its next status; raises IllegalMove against the table."""
        REFUND_MOVES.check(self.status, status)
        return replace(self, status=status, reason=reason, changed_at=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundSnapshot:
    """A refund as the provider has it; `key` is ours where the provider says it back."""

    ref: str
    amount_minor: int
    status: RefundStatus
    key: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A payment as the provider has it at some instant: pending, cancelled or succeeded, with its refunds.

    `key` is ours where the provider says it back.
    """

    ref: str
    status: PaymentStatus
    amount_minor: int
    currency: str
    key: str | None = None
    confirmation_url: str | None = None
    reason: str | None = None
    refunds: tuple[RefundSnapshot, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a provider is asked to take; equal keys make one payment."""

    key: str
    payment_id: int
    amount: Money
    description: str
    return_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundOrder:
    """What a provider is asked to give back; equal keys make one refund."""

    key: str
    payment_key: str
    payment_ref: str
    amount: Money
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookCall:
    """A call that says it is the provider's; names of headers are in lower case, `address` is where it came from."""

    headers: Mapping[str, str]
    body: bytes
    address: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a provider's notice is of: a hint to ask, never a fact. Equal `event_id`s are one notice."""

    event_id: str
    type: str
    payment_ref: str | None = None
    payment_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderNotice:
    """A notice as it is kept."""

    id: int
    provider: str
    event_id: str
    type: str
    payment_id: int | None
    body: str
    received_at: datetime
    applied_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PaymentPolicy:
    """What is taken: currencies, the first of which is the common one, and the bounds of an amount in minor units."""

    currencies: tuple[str, ...] = ("RUB", "USD", "EUR")
    amount_minor_min: int = 100
    amount_minor_max: int = 100_000_000
    return_url: str = ""

    @property
    def currency(self) -> str:
        """The currency of a balance where none is named."""
        return self.currencies[0]


@dataclass(frozen=True, slots=True)
class Reach:
    """Whose payments may be seen: everyone's, or one person's."""

    user_id: int = 0
    is_everyones: bool = False


@dataclass(frozen=True, slots=True)
class PaymentFilter:
    """Which payments are wanted; None wants any."""

    status: PaymentStatus | None = None
    user_id: int | None = None


@dataclass(frozen=True, slots=True)
class ToConfirm:
    """What stands on the page where a payment of the sandbox is confirmed."""

    key: str
    amount: Money
    description: str
    return_url: str
    status: PaymentStatus
