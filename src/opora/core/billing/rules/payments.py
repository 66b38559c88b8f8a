"""How payments and refunds advance by what a provider tells, and what may be asked for.

A snapshot only ever leads forward, and the statuses are in one total order: any order and repetition of snapshots ends
where the furthest of them is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from opora.core.billing.errors.payments import (
    InvalidPayment,
    NoBalanceOfOnesOwn,
    PaymentContradicted,
    PaymentNotTaken,
    RefundExceedsPayment,
)
from opora.core.billing.model.payments import (
    REASON_MAX,
    Order,
    Payment,
    PaymentPolicy,
    PaymentStatus,
    Reach,
    Refund,
    RefundOrder,
    RefundSnapshot,
    RefundStatus,
    Snapshot,
)
from opora.core.billing.rules.ledger import refuse_currency
from opora.core.kernel.model import Actor, Money

MANAGE = "billing:manage"
"""What lets its holder see and refund everyone's payments."""
EVERYONES = Reach(is_everyones=True)
PAYMENT_ORDER = tuple(PaymentStatus)
REFUND_ORDER = tuple(RefundStatus)
KEY_LIFE = timedelta(hours=23)
"""For how long a provider knows an idempotency key again; an hour less than the shortest promise."""
PAUSES = (
    timedelta(seconds=30),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
)
LAST_PAUSE = timedelta(days=1)
PATIENCE = timedelta(days=30)
"""For how long a payment is asked about that nobody pays."""


def reach(actor: Actor) -> Reach:
    """Return whose payments the caller may see; somebody without an account sees none."""
    return EVERYONES if actor.may(MANAGE) else Reach(actor.user_id or 0)


def payer(actor: Actor) -> int:
    """Return who pays; raises NoBalanceOfOnesOwn for a key of nobody's."""
    if actor.user_id is None:
        raise NoBalanceOfOnesOwn
    return actor.user_id


def refuse_payment(amount: Money, policy: PaymentPolicy, taken: Iterable[str] | None) -> None:
    """Raise UnknownCurrency or InvalidPayment unless the amount is within what is taken; `taken` is the provider's."""
    refuse_currency(amount.currency, [one for one in policy.currencies if taken is None or one in taken])
    if not policy.amount_minor_min <= amount.amount_minor <= policy.amount_minor_max:
        told = f"is {policy.amount_minor_min} to {policy.amount_minor_max}"
        raise InvalidPayment(errors={"amount_minor": [told]})


def refuse_refund(payment: Payment, amount_minor: int) -> None:
    """Raise PaymentNotTaken or RefundExceedsPayment unless this much of a payment can go back."""
    if payment.status is not PaymentStatus.SUCCEEDED:
        raise PaymentNotTaken(status=str(payment.status))
    if not 0 < amount_minor <= payment.refundable_minor:
        raise RefundExceedsPayment(refundable_minor=payment.refundable_minor, currency=payment.currency)


def order(payment: Payment) -> Order:
    """Return what the provider is asked to take."""
    return Order(
        key=payment.key,
        payment_id=payment.id,
        amount=payment.amount,
        description=payment.description,
        return_url=payment.return_url,
    )


def refund_order(payment: Payment, refund: Refund) -> RefundOrder:
    """Return what the provider is asked to give back."""
    return RefundOrder(
        key=refund.key,
        payment_key=payment.key,
        payment_ref=payment.provider_ref or "",
        amount=refund.amount,
        note=refund.note,
    )


def advanced(payment: Payment, told: Snapshot, now: datetime) -> Payment:
    """Return the payment as far as a snapshot leads it; one that is behind changes nothing but what was missing.

    Raises PaymentContradicted where it is of another amount or payment.
    """
    if (told.amount_minor, told.currency) != (payment.amount_minor, payment.currency):
        raise PaymentContradicted(payment_id=payment.id, amount_minor=told.amount_minor, currency=told.currency)
    if payment.provider_ref not in {None, told.ref} or told.key not in {None, payment.key}:
        raise PaymentContradicted(payment_id=payment.id, provider_ref=told.ref)
    url = payment.confirmation_url or told.confirmation_url
    known = replace(payment, provider_ref=told.ref, confirmation_url=url)
    if PAYMENT_ORDER.index(told.status) <= PAYMENT_ORDER.index(payment.status):
        return known
    return known.move(told.status, now, shortened(told.reason))


def refused(payment: Payment, reason: str, now: datetime) -> Payment:
    """Return a payment that the provider did not make."""
    if PAYMENT_ORDER.index(payment.status) >= PAYMENT_ORDER.index(PaymentStatus.CANCELLED):
        return payment
    return payment.move(PaymentStatus.CANCELLED, now, shortened(reason))


def unanswered(payment: Payment, now: datetime) -> Payment:
    """Return a payment of which the provider told nothing: of a new one nobody knows whether it was made."""
    if payment.status is PaymentStatus.CREATED:
        return payment.move(PaymentStatus.UNKNOWN, now)
    if payment.status is PaymentStatus.PENDING and now - payment.created_at > PATIENCE:
        return payment.move(PaymentStatus.CANCELLED, now, "nobody_paid")
    return payment


def refund_advanced(refund: Refund, told: RefundSnapshot, now: datetime) -> Refund:
    """Return the refund as far as a snapshot leads it. Raises PaymentContradicted for another amount."""
    if told.amount_minor != refund.amount_minor:
        raise PaymentContradicted(refund_id=refund.id, amount_minor=told.amount_minor)
    known = replace(refund, provider_ref=told.ref)
    if REFUND_ORDER.index(told.status) <= REFUND_ORDER.index(refund.status):
        return known
    return known.move(told.status, now, shortened(told.reason))


def refund_refused(refund: Refund, reason: str, now: datetime) -> Refund:
    """Return a refund that the provider did not make."""
    return refund.move(RefundStatus.FAILED, now, shortened(reason)) if refund.is_open else refund


def refund_unanswered(refund: Refund, now: datetime) -> Refund:
    """Return a refund of which the provider told nothing."""
    return refund.move(RefundStatus.UNKNOWN, now) if refund.status is RefundStatus.CREATED else refund


def foreign(refunds: Sequence[Refund], told: Sequence[RefundSnapshot]) -> list[RefundSnapshot]:
    """Return the refunds that only the provider knows: somebody began them at its desk.

    None as long as one of ours is open that the provider has not named: it may be the very same.
    """
    if any(one.is_open and one.provider_ref is None for one in refunds):
        return []
    known = {one.provider_ref for one in refunds}
    return [one for one in told if one.ref not in known]


def matched(refunds: Sequence[Refund], told: RefundSnapshot) -> Refund | None:
    """Return the refund that a snapshot is of, by the provider's name of it, else by ours; None for one not known.

    One that was given up as never made is not taken up again: what the provider has under its key is another.
    """
    for one in refunds:
        if one.provider_ref == told.ref:
            return one
    for one in refunds:
        if one.provider_ref is None and one.key == told.key and one.is_open:
            return one
    return None


def shortened(reason: str | None) -> str | None:
    """Return a provider's word as it is kept: printable and short."""
    if not reason:
        return None
    return "".join(letter for letter in reason if letter.isprintable())[:REASON_MAX]


def next_check(payment: Payment, refunds: Sequence[Refund], now: datetime) -> datetime | None:
    """Return when the provider is to be asked next: with growing pauses, None once nothing is open."""
    if not is_open(payment, refunds):
        return None
    return now + (PAUSES[payment.checks] if payment.checks < len(PAUSES) else LAST_PAUSE)


def is_open(payment: Payment, refunds: Sequence[Refund]) -> bool:
    """Tell whether the end of a payment, or of one of its refunds, is still to be learnt."""
    unsettled = payment.status not in {PaymentStatus.SUCCEEDED, PaymentStatus.CANCELLED}
    return unsettled or any(one.is_open for one in refunds)


def is_key_known(made_at: datetime, now: datetime) -> bool:
    """Tell whether asking again with the same key is sure to make nothing new."""
    return now - made_at < KEY_LIFE
