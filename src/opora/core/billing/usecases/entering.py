"""What a provider told is entered: statuses, money, events, letters and the audit log in one transaction."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from opora.core.billing.model.ledger import LOSSES, HoldState, Posting, Transfer, between, of_person, of_provider
from opora.core.billing.model.payments import (
    Payment,
    PaymentStatus,
    Refund,
    RefundOrigin,
    RefundSnapshot,
    RefundStatus,
)
from opora.core.billing.ports.payments import PaymentTx
from opora.core.billing.rules import payments as rules
from opora.core.billing.usecases.asking import Answer
from opora.core.billing.usecases.posting import capture, reverse, void
from opora.core.billing.usecases.telling import tell_of_payment, tell_of_refund
from opora.core.kernel.model import Actor, Money

type Step = tuple[Refund | None, Refund]
"""A refund as it stood, None for one that was not known, and as it stands."""


async def enter(tx: PaymentTx, actor: Actor, before: Payment, answer: Answer, now: datetime) -> Payment:
    """Enter what a provider answered about a payment, which the caller holds locked, and return it as it stands.

    Entering the same once more changes nothing. Raises PaymentContradicted where the answer is of another amount.
    """
    after = _advanced(before, answer, now)
    refunds = await tx.payments.refunds(before.id)
    steps = await _refund_steps(tx, after, refunds, answer, now)
    standing = [step[1] for step in steps]
    after = replace(
        after,
        checks=before.checks + 1,
        next_check_at=rules.next_check(after, standing, now),
        version=before.version + 1,
    )
    await tx.payments.save(after)
    if after.status is not before.status:
        await _settle(tx, actor, before, after, now)
    for step in steps:
        await _enter_refund(tx, actor, after, *step, now)
    return await tx.payments.get(after.id) or after


def _advanced(payment: Payment, answer: Answer, now: datetime) -> Payment:
    if answer.snapshot is not None:
        payment = rules.advanced(payment, answer.snapshot, now)
    elif answer.refused is not None:
        payment = rules.refused(payment, answer.refused, now)
    return rules.unanswered(payment, now)


async def _settle(tx: PaymentTx, actor: Actor, before: Payment, after: Payment, now: datetime) -> None:
    if after.status is PaymentStatus.SUCCEEDED:
        cause = f"payment:{after.id}"
        postings = between(of_provider(after.provider), of_person(after.user_id), after.amount)
        await tx.ledger.post(Transfer(key=cause, kind="top_up", cause=cause, postings=postings, at=now))
    await tell_of_payment(tx, actor, before, after)


async def _refund_steps(
    tx: PaymentTx, payment: Payment, refunds: Sequence[Refund], answer: Answer, now: datetime
) -> list[Step]:
    """Return how each refund moves: first by what was asked of it alone, then by the provider's list."""
    told = () if answer.snapshot is None else answer.snapshot.refunds
    moved = {one.id: _refund_asked(one, answer, now) for one in refunds}
    for found in told:
        known = rules.matched(list(moved.values()), found)
        if known is not None:
            moved[known.id] = rules.refund_advanced(known, found, now)
    steps: list[Step] = [(one, rules.refund_unanswered(moved[one.id], now)) for one in refunds]
    for found in rules.foreign(list(moved.values()), told):
        steps.append((None, await _of_providers_desk(tx, payment, found, now)))
    return steps


def _refund_asked(refund: Refund, answer: Answer, now: datetime) -> Refund:
    found = answer.refunds.get(refund.id)
    if found is not None:
        return rules.refund_advanced(refund, found, now)
    reason = answer.refunds_refused.get(refund.id)
    return refund if reason is None else rules.refund_refused(refund, reason, now)


async def _of_providers_desk(tx: PaymentTx, payment: Payment, told: RefundSnapshot, now: datetime) -> Refund:
    return Refund(
        id=await tx.payments.next_refund_id(),
        payment_id=payment.id,
        key=f"{payment.provider}:{told.ref}",
        amount_minor=told.amount_minor,
        currency=payment.currency,
        origin=RefundOrigin.PROVIDER,
        requested_by=f"provider:{payment.provider}",
        created_at=now,
        changed_at=now,
        status=told.status,
        provider_ref=told.ref,
        reason=rules.shortened(told.reason),
    )


async def _enter_refund(
    tx: PaymentTx, actor: Actor, payment: Payment, before: Refund | None, after: Refund, now: datetime
) -> None:
    if before is None:
        await tx.payments.add_refund(after)
    elif after != before:
        await tx.payments.save_refund(replace(after, version=before.version + 1))
    was = None if before is None else before.status
    if after.status is was:
        return
    if after.status is RefundStatus.SUCCEEDED:
        await _give_back(tx, payment, after, now)
    elif after.status is RefundStatus.FAILED and was is RefundStatus.SUCCEEDED:
        await reverse(tx, transfer_key(after), now)
    elif after.status is RefundStatus.FAILED and after.origin is RefundOrigin.CALLER:
        await void(tx, after.hold_key, now)
    await tell_of_refund(tx, actor, payment, before, after)


async def _give_back(tx: PaymentTx, payment: Payment, refund: Refund, now: datetime) -> None:
    """Take what went back from the balance; what the person had spent by then is the company's loss."""
    provider = of_provider(payment.provider)
    held = await tx.ledger.hold(refund.hold_key) if refund.origin is RefundOrigin.CALLER else None
    if held is not None and held.state is HoldState.PENDING:
        await capture(tx, held.key, refund.amount, now, to=provider, kind="refund")
        return
    balance = await tx.ledger.balance(of_person(payment.user_id), refund.currency)
    own_minor = max(0, min(balance.available_minor, refund.amount_minor))
    shares = ((of_person(payment.user_id), own_minor), (LOSSES, refund.amount_minor - own_minor))
    taken = [Posting(account, Money(-minor, refund.currency)) for account, minor in shares if minor]
    postings = (*taken, Posting(provider, refund.amount))
    key = transfer_key(refund)
    await tx.ledger.post(Transfer(key=key, kind="refund", cause=refund.hold_key, postings=postings, at=now))


def transfer_key(refund: Refund) -> str:
    """Return the key of the transfer that a refund is entered by."""
    return f"refund:{refund.hold_key}"
