"""Paying in, and giving back what was paid in."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from opora.core.billing.errors.payments import AnotherProvider, NoSuchPayment
from opora.core.billing.model.payments import Payment, PaymentPolicy, Refund, RefundOrigin, RefundSnapshot
from opora.core.billing.ports.payments import PaymentTx, PaymentViews
from opora.core.billing.ports.providers import PaymentProvider
from opora.core.billing.rules import payments as rules
from opora.core.billing.usecases.asking import Answer, ask_payment, ask_refund
from opora.core.billing.usecases.entering import enter
from opora.core.billing.usecases.posting import hold
from opora.core.billing.usecases.telling import tell_of_payment, tell_of_refund
from opora.core.kernel.model import Actor, Money
from opora.core.kernel.ports import Checkpoint, Clock, Identifiers, UnitOfWork


@dataclass(frozen=True, slots=True)
class MakePayment:
    """Begin a payment: a row first, then the provider's, so that none of the provider's is without ours."""

    unit: UnitOfWork[PaymentTx]
    provider: PaymentProvider
    policy: PaymentPolicy
    checkpoint: Checkpoint
    identifiers: Identifiers
    clock: Clock

    async def __call__(self, actor: Actor, amount: Money, description: str, return_url: str) -> Payment:
        """Return it pending with its confirmation address; unknown where the provider did not answer, which a job
        finds out; cancelled where it refused. Raises UnknownCurrency, InvalidPayment, NoBalanceOfOnesOwn.
        """
        user_id = rules.payer(actor)
        rules.refuse_payment(amount, self.policy, self.provider.currencies)
        now = self.clock.now()
        async with self.unit() as tx:
            payment = Payment(
                id=await tx.payments.next_id(),
                user_id=user_id,
                provider=self.provider.name,
                key=str(self.identifiers.task_id()),
                amount_minor=amount.amount_minor,
                currency=amount.currency,
                description=description,
                return_url=return_url or self.policy.return_url,
                created_at=now,
                changed_at=now,
                next_check_at=now + rules.PAUSES[1],
            )
            await tx.payments.add(payment)
            await tell_of_payment(tx, actor, None, payment)
        await self.checkpoint()
        answer = await ask_payment(self.provider, payment)
        return (await entered(self.unit, actor, payment, answer, self.clock))[0]


@dataclass(frozen=True, slots=True)
class RefundPayment:
    """Give a payment back, in part or whole: the amount is set aside first, and leaves when the provider sent it."""

    unit: UnitOfWork[PaymentTx]
    views: PaymentViews
    provider: PaymentProvider
    checkpoint: Checkpoint
    identifiers: Identifiers
    clock: Clock

    async def __call__(self, actor: Actor, payment_id: int, amount_minor: int | None, note: str) -> Refund:
        """Return the refund; without an amount it is of all that is left.

        Raises NoSuchPayment, PaymentNotTaken, RefundExceedsPayment, AnotherProvider, and BalanceTooLow where the person
        has spent it.
        """
        seen = await self.views.one(payment_id, rules.reach(actor))
        if seen is None:
            raise NoSuchPayment(payment_id=payment_id)
        if seen.provider != self.provider.name:
            raise AnotherProvider(provider=seen.provider)
        now = self.clock.now()
        async with self.unit() as tx:
            payment = await tx.payments.get(payment_id) or seen
            wanted_minor = payment.refundable_minor if amount_minor is None else amount_minor
            rules.refuse_refund(payment, wanted_minor)
            refund = await self._begun(tx, actor, payment, wanted_minor, note, now)
        await self.checkpoint()
        found = await ask_refund(self.provider, payment, refund)
        told = {refund.id: found} if isinstance(found, RefundSnapshot) else {}
        refused = {refund.id: found} if isinstance(found, str) else {}
        answer = Answer(refunds=told, refunds_refused=refused)
        _, refunds = await entered(self.unit, actor, payment, answer, self.clock)
        return next(one for one in refunds if one.id == refund.id)

    async def _begun(
        self, tx: PaymentTx, actor: Actor, payment: Payment, amount_minor: int, note: str, now: datetime
    ) -> Refund:
        refund = Refund(
            id=await tx.payments.next_refund_id(),
            payment_id=payment.id,
            key=str(self.identifiers.task_id()),
            amount_minor=amount_minor,
            currency=payment.currency,
            origin=RefundOrigin.CALLER,
            requested_by=actor.subject,
            note=note,
            created_at=now,
            changed_at=now,
        )
        await hold(tx, payment.user_id, refund.amount, refund.hold_key, now)
        await tx.payments.add_refund(refund)
        due = replace(payment, checks=0, next_check_at=now + rules.PAUSES[1], version=payment.version + 1)
        await tx.payments.save(due)
        await tell_of_refund(tx, actor, payment, None, refund)
        return refund


async def entered(
    unit: UnitOfWork[PaymentTx], actor: Actor, payment: Payment, answer: Answer, clock: Clock
) -> tuple[Payment, Sequence[Refund]]:
    """Enter an answer in a transaction of its own; return the payment and its refunds as they stand."""
    async with unit() as tx:
        locked = await tx.payments.get(payment.id) or payment
        stands = await enter(tx, actor, locked, answer, clock.now())
        return stands, await tx.payments.refunds(payment.id)


USE_CASES = (MakePayment, RefundPayment)
