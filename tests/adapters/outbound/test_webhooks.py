"""Webhooks keep their contract, and what may be called is judged by the address called."""

import asyncio
import socket
from base64 import b64decode
from collections.abc import AsyncIterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from adapters.outbound.conftest import Other
from opora.adapters.outbound.addresses import Addresses, CheckedDestinations
from opora.adapters.outbound.client import OutboundClient
from opora.adapters.outbound.webhooks import SignedWebhooks
from opora.adapters.system.clock import SystemClock
from opora.core.notifications.errors import Refused
from opora.testing.webhooks import Heard, WebhookSenderContract, a_call

pytestmark = pytest.mark.anyio

PUBLIC = "93.184.215.14"


class TestSigned(WebhookSenderContract):
    """Calls of a real server on this machine, whose one address was allowed."""

    @pytest.fixture(autouse=True)
    async def _other(self, other: Other) -> AsyncIterator[None]:
        self.other = other
        self.url = f"http://127.0.0.1:{other.port}/hook?x=1"
        client = OutboundClient(Addresses(["127.0.0.1/32"]))
        self.sender = SignedWebhooks(client, bytes(32), SystemClock())
        yield
        await client.close()

    def heard(self) -> list[Heard]:
        return self.other.calls

    def behave(self, status: int | None) -> None:
        self.other.status = status

    async def test_the_key_of_the_service_signs_besides(self) -> None:
        await self.sender.send(a_call(self.url))
        [call] = self.heard()
        own = next(one for one in call.headers["webhook-signature"].split() if one.startswith("v1a,"))
        key = Ed25519PublicKey.from_public_bytes(b64decode(self.sender.public_key().removeprefix("whpk_")))
        signed = f"{call.headers['webhook-id']}.{call.headers['webhook-timestamp']}.".encode() + call.body
        key.verify(b64decode(own.removeprefix("v1a,")), signed)

    async def test_an_answer_without_end_is_read_no_further_than_is_looked_at(self) -> None:
        self.other.text = "x" * 1_000_000
        assert await self.sender.send(a_call(self.url)) == "200"


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Answers to questions about names, each given once and the last one for ever."""
    answers: list[list[str]] = [[PUBLIC]]

    async def getaddrinfo(self: Any, host: str, port: int, **_: Any) -> list[Any]:
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        if not found:
            raise socket.gaierror(-2, "no such name")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in found]

    monkeypatch.setattr(asyncio.base_events.BaseEventLoop, "getaddrinfo", getaddrinfo)
    return answers


async def test_a_name_that_leads_inside_later_is_not_called(resolver: list[list[str]]) -> None:
    resolver[:] = [[PUBLIC], ["127.0.0.1"]]
    addresses = Addresses()
    assert await CheckedDestinations(addresses).refusal("https://hooks.example/") is None
    client = OutboundClient(addresses)
    with pytest.raises(Refused):
        await client.post("https://hooks.example/", {}, b"")
    await client.close()


async def test_a_name_with_one_address_inside_is_not_called_at_all(resolver: list[list[str]]) -> None:
    resolver[:] = [[PUBLIC, "10.0.0.1"]]
    assert await CheckedDestinations(Addresses()).refusal("https://hooks.example/")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://hooks.example/",
        "https://",
        "https://user:word@hooks.example/",
        "https://hooks.example:99999/",
        "https://hooks example/",
        "https://hooks.example/\r\nx",
        "http://hooks.example/",
        "file:///etc/passwd",
        "https://пример.рф/",
        "https://[::1",
    ],
)
async def test_what_is_no_address_of_the_web_is_refused_when_it_is_named(url: str, resolver: list[list[str]]) -> None:
    assert await CheckedDestinations(Addresses()).refusal(url)


async def test_a_name_without_an_address_is_refused_when_it_is_named(resolver: list[list[str]]) -> None:
    resolver[:] = [[]]
    assert await CheckedDestinations(Addresses()).refusal("https://hooks.example/")


async def test_a_network_that_was_allowed_may_be_called_by_http(resolver: list[list[str]]) -> None:
    resolver[:] = [["10.1.2.3"]]
    assert await CheckedDestinations(Addresses(["10.0.0.0/8"])).refusal("http://intranet/") is None
