"""Stripe: payments as Checkout sessions, refunds of their payment intents, notices signed with `Stripe-Signature`."""

import hmac
from collections.abc import Mapping
from math import floor
from typing import Any
from urllib.parse import quote, urlencode

from opora.adapters.payments.calls import (
    ProviderCalls,
    Unreadable,
    Wire,
    client_of,
    json_object,
    object_in,
    text_in,
)
from opora.core.billing.errors.payments import InvalidNotice, ProviderRefused, ProviderUnavailable, UnsignedNotice
from opora.core.billing.model.currencies import EXPONENTS
from opora.core.billing.model.payments import (
    Heard,
    Order,
    PaymentStatus,
    RefundOrder,
    RefundSnapshot,
    RefundStatus,
    Snapshot,
    WebhookCall,
)
from opora.core.billing.ports.providers import PaymentProvider

API_URL = "https://api.stripe.com"
API_VERSION = "2024-06-20"
TOLERANCE_S = 300
SIGNATURES_MAX = 16
KEY = "opora_key"
PAYMENT_KEY = "opora_payment_key"
UNLIKE_ISO = frozenset({"ISK", "UGX"})
"""Currencies whose minor units Stripe counts in its own way."""
REFUND_STATUS = {
    "pending": RefundStatus.PENDING,
    "requires_action": RefundStatus.PENDING,
    "succeeded": RefundStatus.SUCCEEDED,
    "failed": RefundStatus.FAILED,
    "canceled": RefundStatus.FAILED,
}
STATUS = {"complete": PaymentStatus.PENDING, "expired": PaymentStatus.CANCELLED, "open": PaymentStatus.PENDING}
"""What a session's status comes to unless it is paid; a complete one may still wait for a slow bank."""


def encode(fields: Mapping[str, object]) -> tuple[str, bytes]:
    """Write fields as Stripe reads them: a form, nested names in brackets."""
    return "application/x-www-form-urlencoded", urlencode({name: str(value) for name, value in fields.items()}).encode()


def reason(answer: Mapping[str, Any]) -> str:
    """Return the code of an error; its message may quote what was sent."""
    error = object_in(answer, "error")
    return text_in(error, "decline_code") or text_in(error, "code") or text_in(error, "type") or ""


class StripePayments(PaymentProvider):
    """Checkout in the person's browser; nothing of a card comes near us."""

    name = "stripe"
    currencies = frozenset(EXPONENTS) - UNLIKE_ISO

    def __init__(self, calls: ProviderCalls, webhook_secret: str) -> None:
        self._calls = calls
        self._secret = webhook_secret.encode()

    async def place(self, order: Order) -> Snapshot:
        fields = {
            "mode": "payment",
            "client_reference_id": order.key,
            f"metadata[{KEY}]": order.key,
            f"payment_intent_data[metadata][{KEY}]": order.key,
            "line_items[0][quantity]": 1,
            "line_items[0][price_data][currency]": order.amount.currency.lower(),
            "line_items[0][price_data][unit_amount]": order.amount.amount_minor,
            "line_items[0][price_data][product_data][name]": order.description or f"Payment {order.payment_id}",
            "success_url": order.return_url,
            "cancel_url": order.return_url,
        }
        return session(await self._calls.post("/v1/checkout/sessions", fields, {"idempotency-key": order.key}))

    async def fetch(self, ref: str) -> Snapshot | None:
        try:
            found = await self._calls.get(f"/v1/checkout/sessions/{quote(ref, safe='')}")
            if found is None:
                return None
            intent = intent_in(found)
            refunds: list[RefundSnapshot] = []
            if intent is not None:
                listed = await self._calls.get("/v1/refunds", {"payment_intent": intent, "limit": "100"}) or {}
                refunds = [refund_in(one) for one in listed.get("data", [])]
        except ProviderRefused as error:
            raise ProviderUnavailable(str(error), retry_after_s=60) from error
        return session(found, tuple(refunds))

    async def refund(self, order: RefundOrder) -> RefundSnapshot:
        found = await self._calls.get(f"/v1/checkout/sessions/{quote(order.payment_ref, safe='')}")
        intent = None if found is None else intent_in(found)
        if intent is None:
            raise ProviderRefused("no_payment_intent")
        fields = {
            "payment_intent": intent,
            "amount": order.amount.amount_minor,
            f"metadata[{KEY}]": order.key,
            f"metadata[{PAYMENT_KEY}]": order.payment_key,
        }
        return refund_in(await self._calls.post("/v1/refunds", fields, {"idempotency-key": order.key}))

    async def hear(self, call: WebhookCall) -> Heard:
        if not is_signed(self._secret, call.headers.get("stripe-signature", ""), call.body, call.at.timestamp()):
            raise UnsignedNotice
        try:
            event = json_object(call.body)
        except Unreadable:
            raise InvalidNotice(errors={"": ["is no JSON object"]}) from None
        id, type = text_in(event, "id"), text_in(event, "type", 100)
        if id is None or type is None:
            raise InvalidNotice(errors={"id": ["is missing"]})
        about = object_in(object_in(event, "data"), "object")
        metadata = object_in(about, "metadata")
        is_session = about.get("object") == "checkout.session"
        return Heard(
            event_id=id,
            type=type,
            payment_ref=text_in(about, "id") if is_session else None,
            payment_key=text_in(metadata, PAYMENT_KEY) or text_in(metadata, KEY),
        )

    async def check(self) -> str:
        await self._calls.get("/v1/balance")
        return "Stripe"

    async def close(self) -> None:
        await self._calls.close()


def session(found: Mapping[str, Any], refunds: tuple[RefundSnapshot, ...] = ()) -> Snapshot:
    """Read a Checkout session; raises ProviderUnavailable for what is none."""
    ref, currency, amount_minor = text_in(found, "id"), text_in(found, "currency"), found.get("amount_total")
    status = STATUS.get(str(found.get("status")))
    if ref is None or currency is None or type(amount_minor) is not int or status is None:
        raise ProviderUnavailable("Its answer is no session.", retry_after_s=60)
    is_paid = found.get("payment_status") == "paid"
    return Snapshot(
        ref=ref,
        key=text_in(found, "client_reference_id"),
        status=PaymentStatus.SUCCEEDED if is_paid else status,
        amount_minor=amount_minor,
        currency=currency.upper(),
        confirmation_url=text_in(found, "url", 2_000),
        reason="expired" if status is PaymentStatus.CANCELLED and not is_paid else None,
        refunds=refunds,
    )


def intent_in(found: Mapping[str, Any]) -> str | None:
    """Return the id of a session's payment intent, named or expanded."""
    return text_in(found, "payment_intent") or text_in(object_in(found, "payment_intent"), "id")


def refund_in(found: Any) -> RefundSnapshot:
    """Read a refund; raises ProviderUnavailable for what is none."""
    fields = found if isinstance(found, dict) else {}
    ref, amount_minor = text_in(fields, "id"), fields.get("amount")
    status = REFUND_STATUS.get(str(fields.get("status")))
    if ref is None or type(amount_minor) is not int or status is None:
        raise ProviderUnavailable("Its answer is no refund.", retry_after_s=60)
    key = text_in(object_in(fields, "metadata"), KEY)
    return RefundSnapshot(
        ref=ref, amount_minor=amount_minor, status=status, key=key, reason=text_in(fields, "failure_reason")
    )


def is_signed(secret: bytes, header: str, body: bytes, now_s: float) -> bool:
    """Tell whether one of the `v1` signatures fits and the time is of now, past and future alike; never raises."""
    stamps: list[str] = []
    given: list[bytes] = []
    for part in header.split(",")[: SIGNATURES_MAX + 1]:
        name, _, value = part.strip().partition("=")
        if name == "t":
            stamps.append(value)
        elif name == "v1":
            given.append(value.encode("utf-8", "replace"))
    if len(stamps) != 1 or not is_of_now(stamps[0], now_s):
        return False
    expected = hmac.digest(secret, stamps[0].encode("ascii") + b"." + body, "sha256").hex().encode()
    return any(hmac.compare_digest(expected, one) for one in given)


def is_of_now(stamp: str, now_s: float) -> bool:
    """Tell whether whole seconds are within tolerance."""
    digits = stamp.isascii() and stamp.isdecimal() and len(stamp) <= len("253402300799")
    return digits and abs(int(stamp) - floor(now_s)) <= TOLERANCE_S


def build(config: Mapping[str, str]) -> PaymentProvider:
    """Build it: `api_key`, `webhook_secret`; `url` and `timeout_s` where they differ."""
    headers = {"authorization": f"Bearer {config['api_key']}", "stripe-version": API_VERSION}
    client = client_of(config.get("url", API_URL), headers, config)
    return StripePayments(ProviderCalls(client, Wire(encode, reason)), config["webhook_secret"])
