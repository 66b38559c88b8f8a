"""Stripe and YooKassa as far as they are called here: their wire formats, as plain ASGI applications."""

import asyncio
import json
from base64 import b64encode
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs, parse_qsl
from uuid import uuid4

type Reply = tuple[int, Any]


class HttpProvider:
    """What both have in common: keys, refunds, and troubles. `says` answers the next calls instead, one status each."""

    proof = ""
    key_header = b""

    def __init__(self) -> None:
        self.payments: dict[str, dict[str, Any]] = {}
        self.refunds: dict[str, dict[str, Any]] = {}
        self.answers: dict[str, Reply] = {}
        self.says: list[tuple[int, bytes]] = []
        self.silent_s = 0.0
        self.calls: list[str] = []

    async def __call__(self, scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[..., Any]) -> None:
        """Answer one call."""
        if scope["type"] != "http":
            return
        body = b""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        self.calls.append(f"{scope['method']} {scope['path']}")
        await asyncio.sleep(self.silent_s)
        headers = dict(scope["headers"])
        if headers.get(b"authorization") != self.proof.encode():
            status, content = 401, b'{"error":{"type":"invalid_request_error"}}'
        elif self.says:
            status, content = self.says.pop(0)
        else:
            status, answer = self.keyed(scope, headers.get(self.key_header, b"").decode(), body)
            content = json.dumps(answer).encode()
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": content})

    def keyed(self, scope: Any, key: str, body: bytes) -> Reply:
        """Give the first answer again under a key that is known, word for word."""
        if key and key in self.answers:
            return self.answers[key]
        query = {name: value[0] for name, value in parse_qs(scope["query_string"].decode()).items()}
        # A path is read as it was sent: what is escaped in a name never becomes a part of the path.
        raw = scope.get("raw_path", scope["path"].encode()).decode().partition("?")[0]
        reply = self.answered(scope["method"], raw.split("/")[2:], query, body)
        if key and reply[0] < 500:
            self.answers[key] = reply
        return reply

    def answered(self, method: str, path: list[str], query: dict[str, str], body: bytes) -> Reply:
        """Do what a call asks for."""
        raise NotImplementedError

    def back_of(self, ref: str, name: str) -> list[dict[str, Any]]:
        """Return the refunds of a payment."""
        return [one for one in self.refunds.values() if one[name] == ref]


class HttpStripe(HttpProvider):
    """Checkout sessions, payment intents and refunds."""

    proof = "Bearer sk_test_of_the_tests"
    key_header = b"idempotency-key"

    def answered(self, method: str, path: list[str], query: dict[str, str], body: bytes) -> Reply:
        fields = dict(parse_qsl(body.decode()))
        match (method, *path):
            case ("POST", "checkout", "sessions"):
                return 200, self.opened(fields)
            case ("GET", "checkout", "sessions", ref):
                found = self.payments.get(ref)
                return (200, found) if found else (404, {"error": {"code": "resource_missing"}})
            case ("GET", "refunds"):
                return 200, {"object": "list", "data": self.back_of(query["payment_intent"], "payment_intent")}
            case ("POST", "refunds"):
                return self.given_back(fields)
            case ("GET", "balance"):
                return 200, {"object": "balance"}
        return 404, {"error": {"type": "invalid_request_error"}}

    def opened(self, fields: dict[str, str]) -> dict[str, Any]:
        """Open a session."""
        assert fields["mode"] == "payment"
        assert fields["metadata[opora_key]"] == fields["payment_intent_data[metadata][opora_key]"]
        ref = f"cs_test_{uuid4().hex}"
        self.payments[ref] = {
            "id": ref,
            "object": "checkout.session",
            "amount_total": int(fields["line_items[0][price_data][unit_amount]"]),
            "currency": fields["line_items[0][price_data][currency]"],
            "client_reference_id": fields["client_reference_id"],
            "metadata": {"opora_key": fields["metadata[opora_key]"]},
            "payment_intent": None,
            "payment_status": "unpaid",
            "status": "open",
            "url": f"https://checkout.stripe.example/{ref}",
        }
        return dict(self.payments[ref])

    def given_back(self, fields: dict[str, str]) -> Reply:
        """Give a part back."""
        intent, amount = fields["payment_intent"], int(fields["amount"])
        paid = next(one for one in self.payments.values() if one["payment_intent"] == intent)
        if sum(one["amount"] for one in self.back_of(intent, "payment_intent")) + amount > paid["amount_total"]:
            return 400, {"error": {"type": "invalid_request_error", "code": "charge_already_refunded"}}
        made = {
            "id": f"re_{uuid4().hex}",
            "object": "refund",
            "amount": amount,
            "currency": paid["currency"],
            "payment_intent": intent,
            "metadata": {"opora_key": fields["metadata[opora_key]"]},
            "status": "succeeded",
        }
        self.refunds[made["id"]] = made
        return 200, made

    def pays(self, ref: str) -> None:
        """Let the person pay."""
        self.payments[ref] |= {"payment_status": "paid", "status": "complete", "payment_intent": f"pi_{ref}"}


class HttpYookassa(HttpProvider):
    """Payments and refunds, with amounts as text."""

    proof = "Basic " + b64encode(b"shop:secret of the tests").decode()
    key_header = b"idempotence-key"
    page = 1

    def answered(self, method: str, path: list[str], query: dict[str, str], body: bytes) -> Reply:
        match (method, *path):
            case ("POST", "payments"):
                return 200, self.opened(json.loads(body))
            case ("GET", "payments", ref):
                found = self.payments.get(ref)
                return (200, found) if found else (404, {"type": "error", "code": "not_found"})
            case ("GET", "refunds"):
                return 200, self.listed(query)
            case ("POST", "refunds"):
                return self.given_back(json.loads(body))
            case ("GET", "me"):
                return 200, {"account_id": "shop"}
        return 404, {"type": "error", "code": "not_found"}

    def opened(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Open a payment."""
        assert fields["capture"] is True
        ref = str(uuid4())
        self.payments[ref] = {
            "id": ref,
            "status": "pending",
            "paid": False,
            "amount": fields["amount"],
            "confirmation": {"type": "redirect", "confirmation_url": f"https://yoomoney.example/{ref}"},
            "metadata": fields["metadata"],
            "description": fields["description"],
        }
        return dict(self.payments[ref])

    def listed(self, query: dict[str, str]) -> dict[str, Any]:
        """List refunds, few a page."""
        found = self.back_of(query["payment_id"], "payment_id")
        start = int(query.get("cursor", "0"))
        page: dict[str, Any] = {"type": "list", "items": found[start : start + self.page]}
        return page | ({"next_cursor": str(start + self.page)} if start + self.page < len(found) else {})

    def given_back(self, fields: dict[str, Any]) -> Reply:
        """Give a part back."""
        payment = self.payments[fields["payment_id"]]
        amounts = [float(one["amount"]["value"]) for one in self.back_of(payment["id"], "payment_id")]
        if payment["status"] != "succeeded" or sum(amounts) + float(fields["amount"]["value"]) > float(
            payment["amount"]["value"]
        ):
            return 400, {"type": "error", "code": "invalid_request", "parameter": "amount"}
        made = {"id": str(uuid4()), "status": "succeeded", **fields}
        self.refunds[made["id"]] = made
        payment["refunded_amount"] = fields["amount"]
        return 200, made

    def pays(self, ref: str) -> None:
        """Let the person pay."""
        self.payments[ref] |= {"status": "succeeded", "paid": True}
        self.payments[ref]["refunded_amount"] = {"value": "0.00", "currency": "RUB"}
