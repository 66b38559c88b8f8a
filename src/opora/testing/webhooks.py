"""The contract of ways to other programs."""

import hmac
import json
from abc import abstractmethod
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from opora.core.notifications.errors import Deferred, Refused, TargetGone, Unsure
from opora.core.notifications.model.letters import WebhookCall
from opora.core.notifications.model.places import WebhookEndpoint
from opora.core.notifications.ports.channels import WebhookSender

SECRET = "whsec_" + b64encode(bytes(range(32))).decode()
BODY = {"type": "notifications.trial", "timestamp": "2030-01-01T12:00:00+00:00", "data": {"name": "Анна"}}


@dataclass(frozen=True, slots=True)
class Heard:
    """A call as the other side got it; names of headers are in small letters."""

    path: str
    headers: Mapping[str, str]
    body: bytes


def an_endpoint(url: str) -> WebhookEndpoint:
    """Return an endpoint at a URL."""
    at = datetime(2030, 1, 1, tzinfo=UTC)
    return WebhookEndpoint(id=1, user_id=3, url=url, kinds=(), secret=SECRET, is_active=True, created_at=at)


def a_call(url: str) -> WebhookCall:
    """Return a call of a URL."""
    return WebhookCall(endpoint=an_endpoint(url), id="msg_018f", body=BODY)


class WebhookSenderContract:
    """What every way to other programs promises."""

    sender: WebhookSender
    url: str

    @abstractmethod
    def heard(self) -> list[Heard]:
        """Return the calls that came, in order."""

    @abstractmethod
    def behave(self, status: int | None) -> None:
        """Make the other side answer with a status, or hang up without an answer where it is None."""

    async def test_a_call_is_signed_over_its_name_time_and_body(self) -> None:
        await self.sender.send(a_call(self.url))
        [call] = self.heard()
        signed = f"{call.headers['webhook-id']}.{call.headers['webhook-timestamp']}.".encode() + call.body
        expected = b64encode(hmac.digest(b64decode(SECRET.removeprefix("whsec_")), signed, "sha256")).decode()
        assert f"v1,{expected}" in call.headers["webhook-signature"].split()
        assert call.headers["webhook-id"] == "msg_018f"
        assert abs(int(call.headers["webhook-timestamp"]) - datetime.now(UTC).timestamp()) < 60
        assert json.loads(call.body) == BODY

    async def test_a_call_repeated_has_the_same_name(self) -> None:
        for _ in range(2):
            await self.sender.send(a_call(self.url))
        assert {call.headers["webhook-id"] for call in self.heard()} == {"msg_018f"}

    @pytest.mark.parametrize("status", [301, 302, 400, 404, 429, 500, 503])
    async def test_what_is_not_taken_is_tried_again_and_no_redirect_followed(self, status: int) -> None:
        self.behave(status)
        with pytest.raises(Deferred, match=str(status)):
            await self.sender.send(a_call(self.url))
        assert len(self.heard()) == 1

    async def test_an_endpoint_that_is_gone_is_not_called_again(self) -> None:
        self.behave(410)
        with pytest.raises(TargetGone):
            await self.sender.send(a_call(self.url))

    async def test_a_call_without_an_answer_may_have_arrived(self) -> None:
        self.behave(None)
        with pytest.raises(Unsure):
            await self.sender.send(a_call(self.url))

    @pytest.mark.parametrize(
        "url",
        [
            "http://127.0.0.2:9/",
            "http://169.254.169.254/latest/meta-data/",
            "http://[::1]:9/",
            "http://[::ffff:10.0.0.1]/",
            "http://[64:ff9b::7f00:2]/",
            "http://[2002:7f00:0002::]/",
            "http://0.0.0.0/",
            "http://2130706434/",
            "http://0x7f.2/",
            "http://127.2:9/",
            "http://10.0.0.1/",
            "http://192.168.1.1/",
            "http://100.64.0.1/",
            "http://[fd00::1]/",
            "http://224.0.0.1/",
        ],
    )
    async def test_no_address_inside_the_network_is_called(self, url: str) -> None:
        with pytest.raises(Refused):
            await self.sender.send(a_call(url))

    async def test_where_nobody_listens_the_call_is_made_later(self) -> None:
        with pytest.raises(Deferred):
            await self.sender.send(a_call(self.url.replace("/hook", "").rpartition(":")[0] + ":9/"))
