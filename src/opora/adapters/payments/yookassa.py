"""YooKassa: payments by redirect, refunds, and notices that nobody signs: of them the address is checked."""

import ipaddress
import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any
from urllib.parse import quote

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
    DESCRIPTION_MAX,
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
from opora.core.billing.rules.amounts import read, written

API_URL = "https://api.yookassa.ru"
NETWORKS = (
    "185.71.76.0/27",
    "185.71.77.0/27",
    "77.75.153.0/25",
    "77.75.154.128/25",
    "77.75.156.11/32",
    "77.75.156.35/32",
    "2a02:5180::/32",
)
"""Where YooKassa's notices come from, by its documentation; `networks` replaces them."""
KEY = "opora_key"
PAGES_MAX = 20
STATUS = {
    "pending": PaymentStatus.PENDING,
    "waiting_for_capture": PaymentStatus.PENDING,
    "succeeded": PaymentStatus.SUCCEEDED,
    "canceled": PaymentStatus.CANCELLED,
}
REFUND_STATUS = {
    "pending": RefundStatus.PENDING,
    "succeeded": RefundStatus.SUCCEEDED,
    "canceled": RefundStatus.FAILED,
}

type Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def encode(fields: Mapping[str, object]) -> tuple[str, bytes]:
    """Write fields as YooKassa reads them."""
    return "application/json", json.dumps(fields, ensure_ascii=False).encode()


def reason(answer: Mapping[str, Any]) -> str:
    """Return the code of an error with the parameter that it names."""
    return " ".join(filter(None, (text_in(answer, "code"), text_in(answer, "parameter"))))


class YookassaPayments(PaymentProvider):
    """Redirect to YooKassa's page; captured at once."""

    name = "yookassa"
    currencies = frozenset(EXPONENTS)

    def __init__(self, calls: ProviderCalls, networks: Sequence[Network]) -> None:
        self._calls = calls
        self._networks = networks

    async def place(self, order: Order) -> Snapshot:
        fields = {
            "amount": {
                "value": written(order.amount.amount_minor, order.amount.currency),
                "currency": order.amount.currency,
            },
            "capture": True,
            "confirmation": {"type": "redirect", "return_url": order.return_url},
            "description": (order.description or f"{order.payment_id}")[:DESCRIPTION_MAX],
            "metadata": {KEY: order.key},
        }
        return payment_in(await self._calls.post("/v3/payments", fields, {"idempotence-key": order.key}))

    async def fetch(self, ref: str) -> Snapshot | None:
        try:
            found = await self._calls.get(f"/v3/payments/{quote(ref, safe='')}")
            if found is None:
                return None
            refunds = await self._refunds(ref) if found.get("refunded_amount") is not None else []
        except ProviderRefused as error:
            raise ProviderUnavailable(str(error), retry_after_s=60) from error
        return payment_in(found, tuple(refunds))

    async def _refunds(self, ref: str) -> list[RefundSnapshot]:
        query = {"payment_id": ref, "limit": "100"}
        found: list[RefundSnapshot] = []
        for _ in range(PAGES_MAX):
            page = await self._calls.get("/v3/refunds", query) or {}
            found += [refund_in(one) for one in page.get("items", [])]
            cursor = text_in(page, "next_cursor")
            if cursor is None:
                break
            query["cursor"] = cursor
        return found

    async def refund(self, order: RefundOrder) -> RefundSnapshot:
        fields = {
            "payment_id": order.payment_ref,
            "amount": {
                "value": written(order.amount.amount_minor, order.amount.currency),
                "currency": order.amount.currency,
            },
            "metadata": {KEY: order.key},
        }
        return refund_in(await self._calls.post("/v3/refunds", fields, {"idempotence-key": order.key}))

    async def hear(self, call: WebhookCall) -> Heard:
        if not self._is_ours(call.address):
            raise UnsignedNotice
        try:
            event = json_object(call.body)
        except Unreadable:
            raise InvalidNotice(errors={"": ["is no JSON object"]}) from None
        type, about = text_in(event, "event", 100), object_in(event, "object")
        ref = text_in(about, "payment_id" if (type or "").startswith("refund.") else "id")
        if type is None or ref is None:
            raise InvalidNotice(errors={"object": ["is no payment and no refund"]})
        key = text_in(object_in(about, "metadata"), KEY)
        # It has no id of its own: the same bytes are the same notice.
        return Heard(event_id=sha256(call.body).hexdigest(), type=type, payment_ref=ref, payment_key=key)

    def _is_ours(self, address: str) -> bool:
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        mapped = getattr(found, "ipv4_mapped", None) or found
        return any(mapped in one for one in self._networks if one.version == mapped.version)

    async def check(self) -> str:
        await self._calls.get("/v3/me")
        return "YooKassa"

    async def close(self) -> None:
        await self._calls.close()


def payment_in(found: Mapping[str, Any], refunds: tuple[RefundSnapshot, ...] = ()) -> Snapshot:
    """Read a payment; raises ProviderUnavailable for what is none."""
    ref, status = text_in(found, "id"), STATUS.get(str(found.get("status")))
    amount = money_in(found)
    if ref is None or status is None:
        raise ProviderUnavailable("Its answer is no payment.", retry_after_s=60)
    details = object_in(found, "cancellation_details")
    return Snapshot(
        ref=ref,
        key=text_in(object_in(found, "metadata"), KEY),
        status=status,
        amount_minor=amount[0],
        currency=amount[1],
        confirmation_url=text_in(object_in(found, "confirmation"), "confirmation_url", 2_000),
        reason=text_in(details, "reason"),
        refunds=refunds,
    )


def refund_in(found: Any) -> RefundSnapshot:
    """Read a refund; raises ProviderUnavailable for what is none."""
    fields = found if isinstance(found, dict) else {}
    ref, status = text_in(fields, "id"), REFUND_STATUS.get(str(fields.get("status")))
    if ref is None or status is None:
        raise ProviderUnavailable("Its answer is no refund.", retry_after_s=60)
    return RefundSnapshot(
        ref=ref,
        amount_minor=money_in(fields)[0],
        status=status,
        key=text_in(object_in(fields, "metadata"), KEY),
        reason=text_in(object_in(fields, "cancellation_details"), "reason"),
    )


def money_in(found: Mapping[str, Any]) -> tuple[int, str]:
    """Read an amount, text in units of its currency; raises ProviderUnavailable for what is none."""
    amount = object_in(found, "amount")
    currency = str(amount.get("currency"))
    try:
        return read(amount.get("value"), currency), currency
    except ValueError as error:
        raise ProviderUnavailable("Its answer has no amount.", retry_after_s=60) from error


def build(config: Mapping[str, str]) -> PaymentProvider:
    """Build it: `shop_id`, `secret_key`; `url`, `networks` (parted by commas) and `timeout_s` where they differ."""
    networks = [part.strip() for part in config["networks"].split(",")] if "networks" in config else NETWORKS
    proof = b64encode(f"{config['shop_id']}:{config['secret_key']}".encode()).decode()
    client = client_of(config.get("url", API_URL), {"authorization": f"Basic {proof}"}, config)
    calls = ProviderCalls(client, Wire(encode, reason))
    return YookassaPayments(calls, [ipaddress.ip_network(one) for one in networks])
