"""Bringing payments to where the provider has them: by its notices, and by asking when it is silent."""

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta

from opora.core.billing.errors.payments import PaymentContradicted
from opora.core.billing.model.payments import (
    APPLY,
    Heard,
    Payment,
    PaymentStatus,
    ProviderNotice,
    ToConfirm,
    WebhookCall,
)
from opora.core.billing.ports.payments import PaymentTx, PaymentViews
from opora.core.billing.ports.providers import ConfirmationDesk, PaymentProvider
from opora.core.billing.rules import payments as rules
from opora.core.billing.usecases.asking import ask
from opora.core.billing.usecases.paying import entered
from opora.core.jobs.model import Claim, NewJob
from opora.core.kernel.model import SYSTEM
from opora.core.kernel.ports import Clock, UnitOfWork

CHECKED_AT_ONCE = 100
LOOK_S = 3.0
"""For how long a notice's sender is kept waiting for a look at its payment: senders give up after ten seconds."""
FORGOTTEN_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class SettlePayment:
    """Ask the provider about one payment and enter what it tells."""

    unit: UnitOfWork[PaymentTx]
    views: PaymentViews
    provider: PaymentProvider
    clock: Clock

    async def __call__(self, payment_id: int, ref: str | None = None) -> Payment | None:
        """Return it as it stands; None where there is none of this provider.

        `ref` is the provider's name of it from a notice, for a payment of which the first answer was lost.
        """
        payment = await self.views.one(payment_id, rules.EVERYONES)
        if payment is None or payment.provider != self.provider.name:
            return None
        if payment.provider_ref is None and ref is not None:
            payment = replace(payment, provider_ref=ref)
        answer = await ask(self.provider, payment, await self.views.refunds(payment_id), self.clock.now())
        return (await entered(self.unit, SYSTEM, payment, answer, self.clock))[0]


@dataclass(frozen=True, slots=True)
class ReconcilePayments:
    """Ask about every payment and refund that is due to be asked about; a cron slot runs it."""

    unit: UnitOfWork[PaymentTx]
    views: PaymentViews
    provider: PaymentProvider
    settle: SettlePayment
    clock: Clock

    async def __call__(self, claim: Claim) -> None:
        """End the job with how many were asked about; one that the provider contradicts holds up no other."""
        due = await self.views.due(self.provider.name, self.clock.now(), CHECKED_AT_ONCE)
        contradicted = 0
        for payment_id in due:
            try:
                await self.settle(payment_id)
            except PaymentContradicted:
                contradicted += 1
                await self._put_off(payment_id)
        async with self.unit() as tx:
            await tx.jobs.finish(claim, {"checked": len(due), "contradicted": contradicted})

    async def _put_off(self, payment_id: int) -> None:
        async with self.unit() as tx:
            await tx.payments.put_off(payment_id, self.clock.now() + rules.LAST_PAUSE)


@dataclass(frozen=True, slots=True)
class ReceiveNotice:
    """Take a provider's notice: verified, kept, and only then answered."""

    unit: UnitOfWork[PaymentTx]
    provider: PaymentProvider
    settle: SettlePayment
    clock: Clock

    async def __call__(self, call: WebhookCall) -> tuple[Heard, bool]:
        """Return what was heard, and whether it is new; a repeat changes nothing.

        Raises UnsignedNotice, InvalidNotice. The payment is looked at in the same breath where that can be; a job does
        it in any case.
        """
        heard = await self.provider.hear(call)
        notice = await keep(self.unit, self.provider.name, heard, call.body, self.clock)
        if notice is not None and notice.payment_id is not None:
            await self._look(notice.payment_id, heard)
        return heard, notice is not None

    async def _look(self, payment_id: int, heard: Heard) -> None:
        try:
            async with asyncio.timeout(LOOK_S):
                await self.settle(payment_id, heard.payment_ref)
        except (PaymentContradicted, TimeoutError):
            return  # the job meets it again, and is where an operator finds it


async def keep(
    unit: UnitOfWork[PaymentTx], provider: str, heard: Heard, body: bytes, clock: Clock
) -> ProviderNotice | None:
    """Keep a notice with the job that acts on it; None where it was kept before."""
    async with unit() as tx:
        notice = await tx.payments.note(provider, heard, body.decode("utf-8", "replace"), clock.now())
        if notice is not None and notice.payment_id is not None:
            payload = {"notice_id": notice.id, "payment_id": notice.payment_id, "ref": heard.payment_ref}
            await tx.jobs.add(NewJob(kind=APPLY, payload=payload, dedup_key=f"payments.notice:{notice.id}"))
        return notice


@dataclass(frozen=True, slots=True)
class ApplyNotice:
    """Bring the payment of a notice to where the provider has it; a job runs it."""

    unit: UnitOfWork[PaymentTx]
    settle: SettlePayment
    clock: Clock

    async def __call__(self, claim: Claim) -> None:
        """Raises PaymentContradicted, so that the job is found among the dead."""
        ref = claim.payload["ref"]
        await self.settle(int(str(claim.payload["payment_id"])), None if ref is None else str(ref))
        async with self.unit() as tx:
            await tx.payments.applied(int(str(claim.payload["notice_id"])), self.clock.now())
            await tx.jobs.finish(claim)


@dataclass(frozen=True, slots=True)
class NoticeRetention:
    """How long the providers' notices are kept."""

    kept_for: timedelta = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class TidyPaymentNotices:
    """Delete the providers' notices after their time; a cron slot runs it."""

    unit: UnitOfWork[PaymentTx]
    retention: NoticeRetention
    clock: Clock

    async def __call__(self, claim: Claim) -> None:
        """End the job with how many went."""
        async with self.unit() as tx:
            before = self.clock.now() - self.retention.kept_for
            forgotten = await tx.payments.forget_notices(before, FORGOTTEN_AT_ONCE)
            await tx.jobs.finish(claim, {"forgotten": forgotten})


@dataclass(frozen=True, slots=True)
class ConfirmPayment:
    """Pay or refuse a payment of the sandbox, as a person does at a provider's page."""

    unit: UnitOfWork[PaymentTx]
    desk: ConfirmationDesk
    provider: PaymentProvider
    settle: SettlePayment
    clock: Clock

    async def __call__(self, token: str, status: PaymentStatus) -> ToConfirm:
        """Return what stands on the page then. Raises NoSuchConfirmation."""
        decided = await self.desk.decide(token, status)
        heard = Heard(
            event_id=f"page:{decided.key}:{decided.status}",
            type=f"payment.{decided.status}",
            payment_key=decided.key,
        )
        notice = await keep(self.unit, self.provider.name, heard, b"", self.clock)
        if notice is not None and notice.payment_id is not None:
            await self.settle(notice.payment_id)
        return decided


USE_CASES = (
    SettlePayment,
    ReconcilePayments,
    ReceiveNotice,
    ApplyNotice,
    TidyPaymentNotices,
    ConfirmPayment,
)
