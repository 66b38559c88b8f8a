"""Facts that payments announce."""

from dataclasses import dataclass
from typing import ClassVar

from opora.core.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentEvent(Event):
    """Something happened to the payment `subject`."""

    user_id: int
    amount_minor: int
    currency: str
    provider: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentCreated(PaymentEvent):
    """Somebody wants to pay."""

    topic: ClassVar[str] = "payment.created"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentSucceeded(PaymentEvent):
    """The money was taken and is in the balance."""

    topic: ClassVar[str] = "payment.succeeded"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentCancelled(PaymentEvent):
    """Nothing was taken; `reason` is the provider's word for it."""

    topic: ClassVar[str] = "payment.cancelled"
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundSucceeded(PaymentEvent):
    """A part of the payment, or all of it, went back; `amount_minor` is that part."""

    topic: ClassVar[str] = "payment.refunded"
    refund_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundFailed(PaymentEvent):
    """What was to go back stays in the balance; `amount_minor` is that part."""

    topic: ClassVar[str] = "payment.refund_failed"
    refund_id: int
    reason: str
