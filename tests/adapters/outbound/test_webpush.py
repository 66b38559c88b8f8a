"""Web Push is encrypted as the standard's own example, proves who calls, and forgets browsers that are gone."""

from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from adapters.outbound.conftest import Other
from opora.adapters.outbound.addresses import Addresses
from opora.adapters.outbound.client import OutboundClient
from opora.adapters.outbound.sms import TwilioTexter
from opora.adapters.outbound.webpush import CURVE, PAYLOAD_BYTES_MAX, EncryptedPush, encrypted, point
from opora.adapters.system.clock import SystemClock
from opora.core.notifications.errors import Deferred, Refused, TargetGone, Undelivered, Unsure
from opora.core.notifications.model.letters import PushMessage, TextMessage
from opora.core.notifications.model.places import PushSubscription

pytestmark = pytest.mark.anyio

BROWSER = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
EPHEMERAL = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
EXPECTED = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3"
    "jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)
"""RFC 8291, appendix A."""


def read(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def a_subscription(endpoint: str, **changes: Any) -> PushSubscription:
    """Return the browser of the standard's example."""
    given = {"p256dh": read(BROWSER), "auth": read("BTBZMqHH6r4Tts7J_aSIgg"), **changes}
    return PushSubscription(id=1, user_id=3, endpoint=endpoint, created_at=datetime(2030, 1, 1, tzinfo=UTC), **given)


def test_the_standards_example_comes_out_byte_by_byte() -> None:
    key = ec.derive_private_key(int.from_bytes(read(EPHEMERAL)), CURVE)
    plain = b"When I grow up, I want to be a watermelon"
    assert encrypted(plain, a_subscription("x"), read("DGv6ra1nlYgDCS1FRnbzlw"), key) == read(EXPECTED)


@pytest.fixture
async def push(other: Other) -> AsyncIterator[EncryptedPush]:
    client = OutboundClient(Addresses(["127.0.0.1/32"]))
    yield EncryptedPush(client, bytes(range(48)), "mailto:opora@opora.example", SystemClock())
    await client.close()


def a_message(other: Other, **changes: Any) -> PushMessage:
    given = {"subscription": a_subscription(f"http://127.0.0.1:{other.port}/push/1"), "body": {"title": "Привет"}}
    return PushMessage(topic="0" * 32, **given | changes)


async def test_who_calls_is_proven_to_the_push_service_and_not_for_longer_than_half_a_day(
    push: EncryptedPush, other: Other
) -> None:
    other.status = 201
    for _ in range(2):
        await push.send(a_message(other))
    first, again = other.calls
    assert first.headers["authorization"] == again.headers["authorization"]
    token, _, key = first.headers["authorization"].removeprefix("vapid t=").partition(", k=")
    assert key == push.public_key()
    public = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, read(key))
    claims = jwt.decode(token, public, algorithms=["ES256"], audience=f"http://127.0.0.1:{other.port}")
    assert claims["sub"] == "mailto:opora@opora.example"
    assert claims["exp"] - datetime.now(UTC).timestamp() <= 12 * 3600
    assert (first.headers["ttl"], first.headers["content-encoding"]) == ("86400", "aes128gcm")
    assert first.body != again.body


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (404, TargetGone),
        (410, TargetGone),
        (429, Deferred),
        (500, Deferred),
        (400, Refused),
        (413, Refused),
        (None, Unsure),
    ],
)
async def test_each_answer_of_a_push_service_means_one_thing(
    push: EncryptedPush, other: Other, status: int | None, error: type[Undelivered]
) -> None:
    other.status = status
    with pytest.raises(error):
        await push.send(a_message(other))


async def test_a_push_endpoint_inside_the_network_is_not_called(push: EncryptedPush, other: Other) -> None:
    with pytest.raises(Refused):
        await push.send(a_message(other, subscription=a_subscription("https://10.0.0.1/push")))


async def test_a_key_that_is_no_point_ends_the_subscription(push: EncryptedPush, other: Other) -> None:
    broken = a_subscription(f"http://127.0.0.1:{other.port}/", p256dh=b"\x04" + bytes(64))
    with pytest.raises(TargetGone):
        await push.send(a_message(other, subscription=broken))
    assert other.calls == []


async def test_what_does_not_fit_in_one_record_is_refused(push: EncryptedPush, other: Other) -> None:
    with pytest.raises(Refused):
        await push.send(a_message(other, body={"title": "x" * PAYLOAD_BYTES_MAX}))


def test_every_process_of_an_installation_has_the_same_key() -> None:
    keys = {
        EncryptedPush(OutboundClient(None), bytes(48), "mailto:a@b.c", SystemClock()).public_key() for _ in range(2)
    }
    assert len(keys) == 1
    assert len(read(keys.pop())) == len(point(ec.generate_private_key(CURVE).public_key()))


@pytest.mark.parametrize(
    ("status", "text", "error"),
    [
        (201, '{"sid": "SM1"}', None),
        (400, '{"code": 21211}', Refused),
        (401, "{}", Deferred),
        (429, "busy", Deferred),
        (503, "[]", Deferred),
        (None, "", Unsure),
    ],
)
async def test_each_answer_of_an_sms_service_means_one_thing(
    other: Other, status: int | None, text: str, error: type[Undelivered] | None
) -> None:
    other.status, other.text = status, text
    client = OutboundClient(None)
    texter = TwilioTexter(client, f"http://AC1:to%40ken@127.0.0.1:{other.port}/?from=+15551234567")
    message = TextMessage(id="018f", to="+79120000000", text="Запись подтверждена & готово")
    if error is None:
        assert await texter.send(message) == "201 SM1"
    else:
        with pytest.raises(error):
            await texter.send(message)
    await client.close()
    [call] = other.calls
    assert call.path == "/2010-04-01/Accounts/AC1/Messages.json"
    assert call.headers["authorization"] == "Basic QUMxOnRvQGtlbg=="
    assert b"From=%2B15551234567" in call.body
    assert b"To=%2B79120000000" in call.body
