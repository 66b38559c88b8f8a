"""Every payment provider keeps its contract: the sandbox, and Stripe's and YooKassa's forms against local servers."""

import json
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from hmac import digest
from pathlib import Path
from typing import Any

import pytest

from contracts.http_bank import Serving
from contracts.http_providers import HttpProvider, HttpStripe, HttpYookassa
from opora.adapters.payments import sandbox, stripe, yookassa
from opora.adapters.payments.calls import ProviderCalls, Wire, client_of
from opora.adapters.payments.sandbox import SandboxPayments
from opora.core.billing.errors.payments import (
    InvalidNotice,
    NoSuchConfirmation,
    ProviderRefused,
    ProviderUnavailable,
    UnsignedNotice,
)
from opora.core.billing.model.payments import Order, PaymentStatus, WebhookCall
from opora.core.kernel.model import BreakerPolicy
from opora.core.kernel.rules import webhook_key, webhook_signature
from opora.testing.payment_providers import PaymentProviderContract, a_refund_of, an_order
from servers.processes import HOST, free_port

pytestmark = pytest.mark.anyio

SECRET = "whsec_" + b64encode(b"thirty-two bytes for these tests").decode()
OURS = "77.75.153.7"


def now() -> datetime:
    """Return this instant."""
    return datetime.now(UTC)


def standard(body: bytes, at: datetime | None = None, id: str = "msg-1", **headers: str) -> WebhookCall:
    """Sign a notice by Standard Webhooks."""
    stamp = int((at or now()).timestamp())
    signed = {
        "webhook-id": id,
        "webhook-timestamp": str(stamp),
        "webhook-signature": webhook_signature(webhook_key(SECRET), id, stamp, body),
    }
    return WebhookCall(headers=signed | headers, body=body, address="203.0.113.5", at=now())


class TestSandbox(PaymentProviderContract):
    """The provider of our own."""

    @pytest.fixture(autouse=True)
    def _provider(self, tmp_path: Path) -> None:
        config = {"folder": str(tmp_path / "payments"), "secret": SECRET, "page_url": "http://localhost/pay/"}
        self.sandbox = sandbox.build(config)
        assert isinstance(self.sandbox, SandboxPayments)
        self.provider = self.sandbox

    def body(self, order: Order, type: str = "payment.succeeded") -> bytes:
        """Return what a notice says."""
        return json.dumps({"type": type, "data": {"payment_id": order.payment_id}}).encode()

    async def decided(self, ref: str, status: PaymentStatus) -> None:
        """Decide on the page."""
        assert isinstance(self.sandbox, SandboxPayments)
        token = self.sandbox.token(ref.removeprefix("sandbox-"))
        assert (await self.sandbox.decide(token, status)).status is status

    async def person_pays(self, order: Order, ref: str) -> None:
        await self.decided(ref, PaymentStatus.SUCCEEDED)

    async def person_refuses(self, order: Order, ref: str) -> None:
        await self.decided(ref, PaymentStatus.CANCELLED)

    def notice(self, order: Order, ref: str) -> WebhookCall:
        return standard(self.body(order))

    def forgeries(self, order: Order, ref: str) -> dict[str, WebhookCall]:
        body = self.body(order)
        return {
            "unsigned": WebhookCall(headers={}, body=body, address="", at=now()),
            "stale": standard(body, now() - timedelta(minutes=6)),
            "of the future": standard(body, now() + timedelta(minutes=6)),
            "another body": WebhookCall(headers=standard(body).headers, body=body + b" ", address="", at=now()),
            "another id": standard(body, **{"webhook-id": "msg-2"}),
            "non-ASCII": standard(body, **{"webhook-signature": "v1,подпись"}),
            "no base64": standard(body, **{"webhook-signature": "v1,="}),
            "no number": standard(body, **{"webhook-timestamp": "1e9"}),
        }

    async def test_a_signed_notice_is_the_sandboxs_own_word_once(self) -> None:
        order = an_order()
        ref = (await self.placed(order)).ref
        for type, status in (
            ("payment.waiting", PaymentStatus.PENDING),
            ("payment.succeeded", PaymentStatus.SUCCEEDED),
            ("payment.canceled", PaymentStatus.SUCCEEDED),
        ):
            await self.provider.hear(standard(self.body(order, type)))
            found = await self.provider.fetch(ref)
            assert found is not None
            assert found.status is status

    @pytest.mark.parametrize(
        "told",
        [[], {}, {"type": "payment.succeeded"}, {"type": 5, "data": {"payment_id": 1}}]
        + [{"type": "payment.succeeded", "data": {"payment_id": id}} for id in (0, -1, True, "x", 1.5, 2**63, None)],
    )
    async def test_a_signed_notice_that_says_nothing_is_refused(self, told: Any) -> None:
        with pytest.raises(InvalidNotice):
            await self.provider.hear(standard(json.dumps(told).encode()))

    async def test_a_notice_of_a_payment_that_is_not_there_names_none(self) -> None:
        heard = await self.provider.hear(standard(b'{"type":"payment.succeeded","data":{"payment_id":"41"}}'))
        assert (heard.payment_ref, heard.payment_key) == (None, None)

    async def test_a_page_opens_by_its_own_token_alone(self) -> None:
        assert isinstance(self.sandbox, SandboxPayments)
        order = an_order()
        await self.placed(order)
        token = self.sandbox.token(order.key)
        assert (await self.sandbox.read(token)).amount == order.amount
        for bad in (order.key, token[:-1], f"{order.key}.", "", "ключ.подпись", self.sandbox.token("another")):
            with pytest.raises(NoSuchConfirmation):
                await self.sandbox.read(bad)

    async def test_a_folder_that_cannot_be_written_is_an_unavailable_provider(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("in the way")
        broken = SandboxPayments(tmp_path / "file", SECRET, "http://localhost/pay/")
        with pytest.raises(ProviderUnavailable):
            await broken.place(an_order())


@pytest.fixture(scope="module")
def played_stripe() -> Iterator[tuple[HttpStripe, int]]:
    """Stripe, and where it is served."""
    played = HttpStripe()
    serving = Serving(played)  # type: ignore[arg-type]  # any application
    yield played, serving.port
    serving.stop()


@pytest.fixture(scope="module")
def played_yookassa() -> Iterator[tuple[HttpYookassa, int]]:
    """YooKassa, and where it is served."""
    played = HttpYookassa()
    serving = Serving(played)  # type: ignore[arg-type]  # any application
    yield played, serving.port
    serving.stop()


class HttpProviderContract(PaymentProviderContract):
    """What every provider over HTTP keeps to when its server is in trouble."""

    played: HttpProvider

    @pytest.mark.parametrize("status", [500, 502, 503, 429, 401, 403, 409])
    async def test_trouble_leaves_it_unknown_whether_anything_was_made(self, status: int) -> None:
        self.played.says = [(status, b"{}")]
        with pytest.raises(ProviderUnavailable):
            await self.placed(an_order())

    @pytest.mark.parametrize("content", [b"", b"[]", b"{", b"[" * 100_000, b'{"id":1}', b"\xff", b'{"id":"x"}'])
    async def test_an_answer_that_cannot_be_read_is_none(self, content: bytes) -> None:
        for call in (self.provider.place(an_order()), self.provider.fetch("x")):
            self.played.says = [(200, content)] * 2
            with pytest.raises(ProviderUnavailable):
                await call
        self.played.says = []

    async def test_a_refusal_of_a_question_is_no_answer(self) -> None:
        self.played.says = [(400, b'{"error":{"code":"x"}}')]
        with pytest.raises(ProviderUnavailable):
            await self.provider.fetch("x")

    async def test_refunds_that_cannot_be_read_are_no_answer(self) -> None:
        order = an_order()
        ref = await self.paid(order)
        paid = json.dumps(self.played.payments[ref]).encode()
        for listed in (b'{"data":[5],"items":[5]}', b'{"data":[{"id":"r"}],"items":[{"id":"r","status":"pending"}]}'):
            self.played.says = [(200, paid), (200, listed)]
            with pytest.raises(ProviderUnavailable):
                await self.provider.fetch(ref)


class TestStripe(HttpProviderContract):
    """Stripe's form."""

    @pytest.fixture(autouse=True)
    async def _provider(self, played_stripe: tuple[HttpStripe, int]) -> AsyncIterator[None]:
        self.played, port = played_stripe
        self.played.says = []
        config = {"api_key": "sk_test_of_the_tests", "webhook_secret": "whsec_any", "url": f"http://{HOST}:{port}"}
        self.provider = stripe.build(config)
        yield
        await self.provider.close()

    async def person_pays(self, order: Order, ref: str) -> None:
        assert isinstance(self.played, HttpStripe)
        self.played.pays(ref)

    async def person_refuses(self, order: Order, ref: str) -> None:
        self.played.payments[ref] |= {"status": "expired"}

    def body(self, about: dict[str, Any], type: str = "checkout.session.completed") -> bytes:
        """Return an event."""
        return json.dumps({"id": "evt_1", "type": type, "data": {"object": about}}).encode()

    def signed(self, body: bytes, at: datetime | None = None, **parts: str) -> WebhookCall:
        """Sign an event as Stripe does, with one signature of an older secret besides."""
        stamp = str(int((at or now()).timestamp()))
        fits = digest(b"whsec_any", f"{stamp}.".encode() + body, sha256).hex()
        header = parts.get("header", f"t={stamp},v1={'0' * 64},v1={parts.get('v1', fits)},v0=x")
        return WebhookCall(headers={"stripe-signature": header}, body=body, address="", at=now())

    def notice(self, order: Order, ref: str) -> WebhookCall:
        return self.signed(self.body(self.played.payments[ref]))

    def forgeries(self, order: Order, ref: str) -> dict[str, WebhookCall]:
        body = self.body(self.played.payments[ref])
        return {
            "unsigned": WebhookCall(headers={}, body=body, address="", at=now()),
            "stale": self.signed(body, now() - timedelta(minutes=6)),
            "of the future": self.signed(body, now() + timedelta(minutes=6)),
            "another body": WebhookCall(headers=self.signed(body).headers, body=body + b" ", address="", at=now()),
            "non-ASCII": self.signed(body, v1="é"),
            "two times": self.signed(body, header="t=1,t=2,v1=x"),
            "no time": self.signed(body, header="v1=x"),
            "no number": self.signed(body, header="t=1e9,v1=x"),
        }

    async def test_other_events_name_their_payment_by_its_key(self) -> None:
        charge = {"object": "charge", "id": "ch_1", "metadata": {"opora_key": "k"}}
        refund = {"object": "refund", "id": "re_1", "metadata": {"opora_key": "r", "opora_payment_key": "k"}}
        for about, type in ((charge, "charge.refunded"), (refund, "refund.updated")):
            heard = await self.provider.hear(self.signed(self.body(about, type)))
            assert (heard.type, heard.payment_ref, heard.payment_key) == (type, None, "k")

    @pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"id":"e"}', b'{"type":"x"}'])
    async def test_a_signed_event_that_says_nothing_is_refused(self, body: bytes) -> None:
        with pytest.raises(InvalidNotice):
            await self.provider.hear(self.signed(body))

    async def test_a_slow_bank_leaves_a_complete_session_pending(self) -> None:
        order = an_order()
        ref = (await self.placed(order)).ref
        self.played.payments[ref] |= {"status": "complete"}
        found = await self.provider.fetch(ref)
        assert found is not None
        assert found.status is PaymentStatus.PENDING

    async def test_currencies_that_stripe_counts_in_its_own_way_are_not_taken(self) -> None:
        taken = self.provider.currencies or ()
        assert "RUB" in taken
        assert "ISK" not in taken

    async def test_a_session_that_is_gone_gives_nothing_back(self) -> None:
        with pytest.raises(ProviderRefused):
            await self.provider.refund(a_refund_of(an_order(), "cs_gone"))


class TestYookassa(HttpProviderContract):
    """YooKassa's form."""

    @pytest.fixture(autouse=True)
    async def _provider(self, played_yookassa: tuple[HttpYookassa, int]) -> AsyncIterator[None]:
        self.played, port = played_yookassa
        self.played.says = []
        url = f"http://{HOST}:{port}"
        self.provider = yookassa.build({"shop_id": "shop", "secret_key": "secret of the tests", "url": url})
        yield
        await self.provider.close()

    async def person_pays(self, order: Order, ref: str) -> None:
        assert isinstance(self.played, HttpYookassa)
        self.played.pays(ref)

    async def person_refuses(self, order: Order, ref: str) -> None:
        details = {"party": "yoo_money", "reason": "expired_on_confirmation"}
        self.played.payments[ref] |= {"status": "canceled", "cancellation_details": details}

    def told(self, event: str, about: dict[str, Any], address: str = OURS) -> WebhookCall:
        """Return a notification from an address."""
        body = json.dumps({"type": "notification", "event": event, "object": about}).encode()
        return WebhookCall(headers={}, body=body, address=address, at=now())

    def notice(self, order: Order, ref: str) -> WebhookCall:
        return self.told("payment.succeeded", self.played.payments[ref])

    def forgeries(self, order: Order, ref: str) -> dict[str, WebhookCall]:
        about = self.played.payments[ref]
        wrong = ("203.0.113.5", "127.0.0.1", "77.75.153.200", "", "адрес", "2001:db8::1")
        return {address: self.told("payment.succeeded", about, address) for address in wrong}

    @pytest.mark.parametrize("address", ["77.75.156.11", "185.71.77.1", "2a02:5180::7", "::ffff:77.75.153.1"])
    async def test_each_of_its_addresses_is_heard(self, address: str) -> None:
        heard = await self.provider.hear(self.told("payment.succeeded", {"id": "p"}, address))
        assert heard.payment_ref == "p"

    async def test_a_notification_of_a_refund_names_its_payment(self) -> None:
        heard = await self.provider.hear(self.told("refund.succeeded", {"id": "r", "payment_id": "p"}))
        assert (heard.payment_ref, heard.payment_key) == ("p", None)

    @pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"event":"payment.succeeded","object":{}}'])
    async def test_a_notification_that_says_nothing_is_refused(self, body: bytes) -> None:
        with pytest.raises(InvalidNotice):
            await self.provider.hear(WebhookCall(headers={}, body=body, address=OURS, at=now()))

    async def test_other_networks_may_be_named(self) -> None:
        config = {"shop_id": "s", "secret_key": "k", "networks": "10.0.0.0/8, 192.0.2.1/32"}
        other = yookassa.build(config)
        assert (await other.hear(self.told("payment.succeeded", {"id": "p"}, "192.0.2.1"))).payment_ref == "p"
        with pytest.raises(UnsignedNotice):
            await other.hear(self.told("payment.succeeded", {"id": "p"}))
        await other.close()


async def test_a_provider_that_fails_is_left_alone_for_a_while() -> None:
    url = f"http://{HOST}:{free_port()}"
    at = [0.0]
    wire = Wire(yookassa.encode, yookassa.reason)
    calls = ProviderCalls(client_of(url, {}, {}), wire, BreakerPolicy(failures_max=2, open_s=5.0), lambda: at[0])
    for _ in range(2):
        with pytest.raises(ProviderUnavailable, match="No answer"):
            await calls.get("/x")
    with pytest.raises(ProviderUnavailable, match="too often") as refused:
        await calls.get("/x")
    assert refused.value.retry_after_s == 5
    at[0] = 6.0
    with pytest.raises(ProviderUnavailable, match="No answer"):
        await calls.get("/x")
    await calls.close()


async def test_an_answer_without_end_is_not_read_to_it(played_stripe: tuple[HttpStripe, int]) -> None:
    played, port = played_stripe
    played.says = [(200, b" " * 3 * 1024 * 1024)]
    calls = ProviderCalls(
        client_of(f"http://{HOST}:{port}", {"authorization": played.proof}, {}), Wire(stripe.encode, stripe.reason)
    )
    with pytest.raises(ProviderUnavailable):
        await calls.get("/v1/balance")
    await calls.close()


@pytest.mark.parametrize("url", ["ftp://host", "https://", "https://user:x@host/", "https://host/?q=1", "not a url"])
def test_an_address_that_cannot_be_called_stops_the_start(url: str) -> None:
    with pytest.raises(ValueError, match="url"):
        client_of(url, {}, {})
