"""Facts of payments and refunds: announced, written to the person and into the audit log."""

from opora.core.billing.events import payments as facts
from opora.core.billing.model.payments import Payment, PaymentStatus, Refund, RefundStatus
from opora.core.billing.ports.payments import PaymentTx
from opora.core.kernel.model import Actor, Change
from opora.core.notifications.model.notices import Notice


async def tell_of_payment(tx: PaymentTx, actor: Actor, before: Payment | None, after: Payment) -> None:
    """Tell that a payment was made, taken or cancelled; other moves are written down alone."""
    told = {
        "subject": after.id,
        "at": after.changed_at,
        "user_id": after.user_id,
        "amount_minor": after.amount_minor,
        "currency": after.currency,
        "provider": after.provider,
    }
    reason = after.reason or ""
    if after.status is PaymentStatus.CREATED:
        await tx.outbox.add(facts.PaymentCreated(**told))  # type: ignore[arg-type]
    elif after.status is PaymentStatus.SUCCEEDED:
        await tx.outbox.add(facts.PaymentSucceeded(**told))  # type: ignore[arg-type]
        await tx.notices.add(_letter("billing.payment_succeeded", after, after.amount_minor))
    elif after.status is PaymentStatus.CANCELLED:
        await tx.outbox.add(facts.PaymentCancelled(**told, reason=reason))  # type: ignore[arg-type]
        await tx.notices.add(_letter("billing.payment_cancelled", after, after.amount_minor))
    await tx.audit.record(
        Change(
            actor=actor,
            action=f"payment.{after.status}",
            entity_type="payment",
            entity_id=str(after.id),
            at=after.changed_at,
            old=None if before is None else {"status": str(before.status)},
            new={
                "status": str(after.status),
                "user_id": after.user_id,
                "amount_minor": after.amount_minor,
                "currency": after.currency,
                "provider": after.provider,
                "reason": reason,
            },
        )
    )


async def tell_of_refund(tx: PaymentTx, actor: Actor, payment: Payment, before: Refund | None, after: Refund) -> None:
    """Tell that money went back or stayed; other moves are written down alone."""
    told = {
        "subject": payment.id,
        "at": after.changed_at,
        "user_id": payment.user_id,
        "amount_minor": after.amount_minor,
        "currency": after.currency,
        "provider": payment.provider,
        "refund_id": after.id,
    }
    if after.status is RefundStatus.SUCCEEDED:
        await tx.outbox.add(facts.RefundSucceeded(**told))  # type: ignore[arg-type]
        await tx.notices.add(_letter("billing.refunded", payment, after.amount_minor))
    elif after.status is RefundStatus.FAILED:
        await tx.outbox.add(facts.RefundFailed(**told, reason=after.reason or ""))  # type: ignore[arg-type]
        await tx.notices.add(_letter("billing.refund_failed", payment, after.amount_minor))
    await tx.audit.record(
        Change(
            actor=actor,
            action=f"refund.{after.status}",
            entity_type="payment",
            entity_id=str(payment.id),
            at=after.changed_at,
            old=None if before is None else {"status": str(before.status)},
            new={
                "refund_id": after.id,
                "status": str(after.status),
                "amount_minor": after.amount_minor,
                "currency": after.currency,
                "origin": str(after.origin),
            },
        )
    )


def _letter(kind: str, payment: Payment, amount_minor: int) -> Notice:
    data = {"payment_id": payment.id, "amount_minor": amount_minor, "currency": payment.currency}
    return Notice(kind=kind, user_id=payment.user_id, data=data, about=f"payment:{payment.id}")
