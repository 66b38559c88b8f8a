"""One line a request, one a fault, and no secret in either."""

import io
import json
from collections.abc import Iterator

import pytest
import structlog

from api.stand import Stand
from opora.api import logs, sentry
from opora.api.calls import CALL, Call

pytestmark = pytest.mark.anyio

SECRETS = [
    "opk_live_" + "a" * 49,
    "opr_" + "b" * 43,
    "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
]


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What was logged as JSON."""
    stream = io.StringIO()
    logs.configure(stream=stream)
    yield stream
    logs.configure(stream=io.StringIO())
    structlog.reset_defaults()


async def test_a_request_is_one_line_of_names_and_numbers(stand: Stand, lines: io.StringIO) -> None:
    async with stand.client("good") as client:
        await client.post(
            "/v1/things?secret=hunter2", json={"title": "passport 4509 123456"}, headers={"x-request-id": "r-1"}
        )
        await client.get("/v1/things/77")
    first, second = [json.loads(line) for line in lines.getvalue().splitlines()]
    names = "event level timestamp method route status latency_ms request_id trace_id address key_id"
    assert first.keys() == set(names.split())
    assert (first["method"], first["route"], first["status"], first["key_id"]) == ("POST", "/api/v1/things", 422, 7)
    assert first["request_id"] == "r-1"
    assert second["route"] == "/api/v1/things/{thing_id}"
    assert not {"hunter2", "4509", "good", "77"} & set(lines.getvalue().replace('"', " ").split())


async def test_a_fault_is_one_line_with_its_traceback(stand: Stand, lines: io.StringIO) -> None:
    heard: list[BaseException] = []
    stand.app.on_fault = heard.append
    async with stand.client("good") as client:
        answer = await client.get("/api/v1/odd/boom")
    events = [json.loads(line) for line in lines.getvalue().splitlines()]
    faults = [event for event in events if event["event"] == "fault"]
    assert len(faults) == 1
    assert faults[0]["trace_id"] == answer.json()["trace_id"]
    assert "RuntimeError" in faults[0]["exception"]
    assert "Bearer good" not in lines.getvalue()
    assert [type(fault) for fault in heard] == [RuntimeError]


@pytest.mark.parametrize("secret", SECRETS)
def test_secrets_are_struck_out_wherever_they_stand(lines: io.StringIO, secret: str) -> None:
    structlog.get_logger().warning(f"refused {secret} twice", header=f"Bearer {secret}", password="x", api_key=secret)
    assert secret not in lines.getvalue()
    assert json.loads(lines.getvalue())["password"] == "[struck]"


def test_a_password_in_an_address_is_struck_out() -> None:
    text = logs.scrubbed("cannot reach postgresql://opora:hunter2@db:5432/opora")
    assert text == "cannot reach postgresql://opora:[struck]@db:5432/opora"


def test_lines_of_other_parts_name_the_request(lines: io.StringIO) -> None:
    call = Call("GET", "/", 0.0)
    token = CALL.set(call)
    structlog.get_logger().info("something")
    CALL.reset(token)
    structlog.get_logger().info("nothing")
    inside, outside = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert (inside["request_id"], inside["trace_id"]) == (call.request_id, call.trace_id)
    assert "request_id" not in outside


async def test_a_terminal_gets_colour_and_the_same_names(stand: Stand) -> None:
    stream = io.StringIO()
    logs.configure(stream=stream, as_json=False)
    try:
        async with stand.client("good") as client:
            await client.get("/api/v1/things/1")
            await client.get("/api/v1/odd/boom")
    finally:
        structlog.reset_defaults()
        logs.configure(stream=io.StringIO())
    assert "/api/v1/things/{thing_id}" in stream.getvalue()
    assert "\x1b[" in stream.getvalue()
    assert "Bearer good" not in stream.getvalue()


def test_what_goes_to_sentry_holds_no_secret_and_no_person() -> None:
    call = Call("GET", "/", 0.0)
    token = CALL.set(call)
    event = {
        "request": {"headers": {"Authorization": "Bearer x"}},
        "user": {"ip_address": "192.0.2.1"},
        "exception": {
            "values": [{"value": f"bad {SECRETS[0]}", "stacktrace": {"frames": [{"vars": {"a": 1}, "n": 1}]}}]
        },
    }
    sent = sentry.before_send(event, None)
    CALL.reset(token)
    assert sent == {
        "exception": {"values": [{"value": "bad [struck]", "stacktrace": {"frames": [{"n": 1}]}}]},
        "tags": {"trace_id": call.trace_id, "request_id": call.request_id, "route": "unmatched"},
    }
