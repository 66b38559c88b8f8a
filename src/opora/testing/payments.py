"""Payments of tests, and the contract of a store that keeps them and gives no more back than came."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from opora.core.billing.errors.payments import RefundExceedsPayment
from opora.core.billing.model.payments import (
    Heard,
    Payment,
    PaymentFilter,
    PaymentStatus,
    Reach,
    Refund,
    RefundOrigin,
    RefundStatus,
)
from opora.core.billing.ports.payments import PaymentTx, PaymentViews
from opora.core.billing.rules.payments import EVERYONES
from opora.core.kernel.errors import Stale
from opora.core.kernel.model import PageRequest
from opora.testing.ledger import ANNA, BORIS, NOON

MINUTE = timedelta(minutes=1)

type Unit = Callable[[], AbstractAsyncContextManager[PaymentTx]]


def a_payment(**changes: Any) -> Payment:
    """Return a pending payment of Anna's."""
    plain: dict[str, Any] = {
        "id": 1,
        "user_id": ANNA,
        "provider": "played",
        "key": "k-1",
        "amount_minor": 1000,
        "currency": "RUB",
        "description": "Пополнение",
        "return_url": "https://opora.example/",
        "created_at": NOON,
        "changed_at": NOON,
        "status": PaymentStatus.PENDING,
        "provider_ref": "p-1",
        "next_check_at": NOON + MINUTE,
    }
    return Payment(**(plain | changes))


def a_refund(**changes: Any) -> Refund:
    """Return a refund that has just begun."""
    plain: dict[str, Any] = {
        "id": 1,
        "payment_id": 1,
        "key": "r-1",
        "amount_minor": 300,
        "currency": "RUB",
        "origin": RefundOrigin.CALLER,
        "requested_by": "user:7",
        "created_at": NOON,
        "changed_at": NOON,
    }
    return Refund(**(plain | changes))


class PaymentRepositoryContract:
    """What every store of payments holds: give it `unit`, and `views` on the same store."""

    unit: Unit
    views: PaymentViews

    async def kept(self, **changes: Any) -> Payment:
        """Keep a payment in a transaction of its own."""
        async with self.unit() as tx:
            id = await tx.payments.next_id()
            payment = a_payment(**({"id": id, "key": f"k-{id}", "provider_ref": f"p-{id}"} | changes))
            await tx.payments.add(payment)
            return payment

    async def given_back(self, payment: Payment, amount_minor: int = 300, **changes: Any) -> Refund:
        """Keep a refund in a transaction of its own."""
        async with self.unit() as tx:
            id = await tx.payments.next_refund_id()
            told = {"id": id, "key": f"r-{id}", "payment_id": payment.id, "amount_minor": amount_minor}
            refund = a_refund(**(told | changes))
            await tx.payments.add_refund(refund)
            return refund

    async def of(self, payment: Payment) -> Payment:
        """Return a payment as it stands."""
        found = await self.views.one(payment.id, EVERYONES)
        assert found is not None
        return found

    async def test_gives_back_what_was_added_and_what_was_saved(self) -> None:
        payment = await self.kept()
        async with self.unit() as tx:
            assert await tx.payments.get(payment.id) == payment
            assert await tx.payments.get(10**9) is None
            settled = replace(payment.move(PaymentStatus.SUCCEEDED, NOON + MINUTE, "ok"), version=1, next_check_at=None)
            await tx.payments.save(settled)
            with pytest.raises(Stale):
                await tx.payments.save(settled)
        assert await self.of(payment) == settled

    async def test_a_failed_block_keeps_nothing(self) -> None:
        with pytest.raises(ZeroDivisionError):
            async with self.unit() as tx:
                await tx.payments.add(a_payment(id=77))
                _ = 1 / 0
        assert await self.views.one(77, EVERYONES) is None

    async def test_payments_are_seen_by_their_payer_and_by_who_sees_all(self) -> None:
        mine, theirs = await self.kept(), await self.kept(user_id=BORIS, status=PaymentStatus.CANCELLED)
        assert await self.views.one(theirs.id, Reach(ANNA)) is None
        assert await self.views.one(mine.id, Reach(ANNA)) == mine
        page = await self.views.page(Reach(ANNA), PaymentFilter(), PageRequest())
        assert (page.items, page.count, page.more) == ([mine], 1, False)
        page = await self.views.page(EVERYONES, PaymentFilter(), PageRequest(1))
        assert (page.items, page.count, page.more) == ([theirs], 2, True)
        for wanted in (PaymentFilter(PaymentStatus.CANCELLED), PaymentFilter(user_id=BORIS)):
            assert (await self.views.page(EVERYONES, wanted, PageRequest())).items == [theirs]
        assert (await self.views.page(Reach(ANNA), PaymentFilter(user_id=BORIS), PageRequest())).items == []

    async def test_the_store_carries_refunds_to_their_payment(self) -> None:
        payment = await self.kept(status=PaymentStatus.SUCCEEDED)
        refund = await self.given_back(payment)
        assert (await self.of(payment)).refunding_minor == 300
        for status, sums in ((RefundStatus.SUCCEEDED, (0, 300)), (RefundStatus.FAILED, (0, 0))):
            refund = replace(refund.move(status, NOON), version=refund.version + 1, provider_ref="r")
            async with self.unit() as tx:
                await tx.payments.save_refund(refund)
            found = await self.of(payment)
            assert (found.refunding_minor, found.refunded_minor) == sums
        assert await self.views.refunds(payment.id) == [refund]
        async with self.unit() as tx:
            assert await tx.payments.refunds(payment.id) == [refund]
            with pytest.raises(Stale):
                await tx.payments.save_refund(refund)

    async def test_of_many_refunds_at_once_no_more_go_back_than_came(self) -> None:
        payment = await self.kept(status=PaymentStatus.SUCCEEDED)

        async def give_back() -> bool:
            try:
                await self.given_back(payment, 300)
            except RefundExceedsPayment:
                return False
            return True

        made = await asyncio.gather(*[give_back() for _ in range(12)])
        assert sum(made) == 3
        assert (await self.of(payment)).refunding_minor == 900

    async def test_what_was_not_taken_does_not_go_back(self) -> None:
        with pytest.raises(RefundExceedsPayment):
            await self.given_back(await self.kept())

    async def test_payments_that_are_due_are_found_the_longest_due_first(self) -> None:
        late = await self.kept(next_check_at=NOON + MINUTE)
        early = await self.kept(next_check_at=NOON)
        await self.kept(next_check_at=None)
        await self.kept(provider="another", next_check_at=NOON)
        assert await self.views.due("played", NOON + MINUTE, 10) == [early.id, late.id]
        assert await self.views.due("played", NOON + MINUTE, 1) == [early.id]
        async with self.unit() as tx:
            await tx.payments.put_off(early.id, NOON + 3 * MINUTE)
        assert await self.views.due("played", NOON + MINUTE, 10) == [late.id]

    async def test_a_notice_is_kept_once_with_its_payment(self) -> None:
        payment = await self.kept()
        by_ref = Heard(event_id="e1", type="payment.succeeded", payment_ref=payment.provider_ref)
        by_key = Heard(event_id="e2", type="payment.succeeded", payment_key=payment.key)
        stray = Heard(event_id="e3", type="payment.succeeded", payment_ref="x", payment_key="y")
        async with self.unit() as tx:
            first = await tx.payments.note("played", by_ref, '{"a":"\x00"}', NOON)
            assert first is not None
            assert (first.payment_id, first.event_id, first.body) == (payment.id, "e1", '{"a":""}')
            assert await tx.payments.note("played", by_ref, "again", NOON) is None
            for heard, id in ((by_key, payment.id), (stray, None)):
                found = await tx.payments.note("played", heard, "", NOON + MINUTE)
                assert found is not None
                assert found.payment_id == id
            other = await tx.payments.note("another", by_ref, "", NOON + MINUTE)
            assert other is not None
            assert other.payment_id is None
            await tx.payments.applied(first.id, NOON)
            assert await tx.payments.forget_notices(NOON + MINUTE, 10) == 1
            assert await tx.payments.forget_notices(NOON + 2 * MINUTE, 2) == 2
