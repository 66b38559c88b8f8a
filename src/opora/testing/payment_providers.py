"""Contract of a payment provider: subclass it, give it `self.provider`, and say how a person pays and what is heard."""

from abc import abstractmethod
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opora.core.billing.errors.payments import InvalidNotice, ProviderRefused, UnsignedNotice
from opora.core.billing.model.payments import (
    Order,
    PaymentStatus,
    RefundOrder,
    RefundStatus,
    Snapshot,
    WebhookCall,
)
from opora.core.billing.ports.providers import PaymentProvider
from opora.core.kernel.model import Money

ARBITRARY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
HEADERS = ("stripe-signature", "webhook-id", "webhook-timestamp", "webhook-signature")


def an_order(amount_minor: int = 15_050, payment_id: int = 7) -> Order:
    """Return an order of 150 roubles and 50 kopecks under a key of its own."""
    return Order(
        key=str(uuid4()),
        payment_id=payment_id,
        amount=Money(amount_minor, "RUB"),
        description="Пополнение баланса",
        return_url="https://opora.example/paid",
    )


def a_refund_of(order: Order, ref: str, amount_minor: int = 5_000) -> RefundOrder:
    """Return an order to give a part back, under a key of its own."""
    return RefundOrder(
        key=str(uuid4()), payment_key=order.key, payment_ref=ref, amount=Money(amount_minor, "RUB"), note="передумали"
    )


class PaymentProviderContract:
    """What every adapter of a provider keeps to."""

    provider: PaymentProvider

    @abstractmethod
    async def person_pays(self, order: Order, ref: str) -> None:
        """Let the person pay at the provider's page."""

    @abstractmethod
    async def person_refuses(self, order: Order, ref: str) -> None:
        """Let the payment end without money."""

    @abstractmethod
    def notice(self, order: Order, ref: str) -> WebhookCall:
        """Return the provider's true notice that the payment succeeded."""

    @abstractmethod
    def forgeries(self, order: Order, ref: str) -> dict[str, WebhookCall]:
        """Return notices that are not to be believed, by what is wrong with them."""

    async def placed(self, order: Order) -> Snapshot:
        """Place an order."""
        return await self.provider.place(order)

    async def paid(self, order: Order) -> str:
        """Place an order and have it paid; return the provider's name of it."""
        ref = (await self.placed(order)).ref
        await self.person_pays(order, ref)
        return ref

    async def test_an_order_waits_for_the_person_at_an_address(self) -> None:
        order = an_order()
        told = await self.placed(order)
        assert (told.status, told.amount_minor, told.currency) == (PaymentStatus.PENDING, 15_050, "RUB")
        assert told.key in {None, order.key}
        assert told.refunds == ()
        assert (told.confirmation_url or "").startswith(("http://", "https://"))
        found = await self.provider.fetch(told.ref)
        assert found is not None
        assert replace(found, confirmation_url=None) == replace(told, confirmation_url=None)

    async def test_a_key_makes_one_payment(self) -> None:
        order = an_order()
        assert (await self.placed(order)).ref == (await self.placed(order)).ref
        assert (await self.placed(an_order())).ref != (await self.placed(order)).ref

    async def test_what_was_paid_is_told(self) -> None:
        ref = await self.paid(an_order())
        found = await self.provider.fetch(ref)
        assert found is not None
        assert (found.status, found.amount_minor) == (PaymentStatus.SUCCEEDED, 15_050)

    async def test_what_was_refused_is_told(self) -> None:
        order = an_order()
        ref = (await self.placed(order)).ref
        await self.person_refuses(order, ref)
        found = await self.provider.fetch(ref)
        assert found is not None
        assert found.status is PaymentStatus.CANCELLED
        assert found.reason

    async def test_a_payment_that_is_not_there_is_none(self) -> None:
        assert await self.provider.fetch("no-such-payment/../x?y=1") is None

    async def test_a_part_goes_back_once_a_key_and_is_listed(self) -> None:
        order = an_order()
        ref = await self.paid(order)
        asked = a_refund_of(order, ref)
        first, again = await self.provider.refund(asked), await self.provider.refund(asked)
        assert (first.ref, first.amount_minor) == (again.ref, 5_000)
        assert first.status in {RefundStatus.PENDING, RefundStatus.SUCCEEDED}
        assert first.key in {None, asked.key}
        second = await self.provider.refund(a_refund_of(order, ref, 10_050))
        found = await self.provider.fetch(ref)
        assert found is not None
        assert {one.ref: one.amount_minor for one in found.refunds} == {first.ref: 5_000, second.ref: 10_050}

    async def test_more_than_was_taken_does_not_go_back(self) -> None:
        order = an_order()
        ref = await self.paid(order)
        await self.provider.refund(a_refund_of(order, ref, 15_000))
        with pytest.raises(ProviderRefused):
            await self.provider.refund(a_refund_of(order, ref, 51))

    async def test_what_was_not_paid_does_not_go_back(self) -> None:
        order = an_order()
        with pytest.raises(ProviderRefused):
            await self.provider.refund(a_refund_of(order, (await self.placed(order)).ref))

    async def test_a_true_notice_is_heard_of_its_payment(self) -> None:
        order = an_order()
        ref = await self.paid(order)
        first, again = [await self.provider.hear(self.notice(order, ref)) for _ in range(2)]
        assert ref == first.payment_ref or order.key == first.payment_key
        assert first.event_id
        assert again.payment_ref == first.payment_ref

    async def test_what_is_not_the_providers_own_is_not_heard(self) -> None:
        order = an_order()
        ref = (await self.placed(order)).ref
        for what, call in self.forgeries(order, ref).items():
            with pytest.raises(UnsignedNotice):
                await self.provider.hear(call)
                pytest.fail(what)

    @ARBITRARY
    @given(st.binary(max_size=200), st.dictionaries(st.sampled_from(HEADERS), st.text(max_size=60)), st.text())
    async def test_arbitrary_bytes_raise_nothing_but_refusals(
        self, body: bytes, headers: dict[str, str], address: str
    ) -> None:
        call = WebhookCall(headers=headers, body=body, address=address, at=datetime.now(UTC))
        with pytest.raises((UnsignedNotice, InvalidNotice)):
            await self.provider.hear(call)

    async def test_it_answers_to_a_check(self) -> None:
        assert await self.provider.check()
