"""Events of calls over HTTP, and the pop-up."""

import hmac
import json
from collections.abc import AsyncIterator
from hashlib import sha256

import pytest

from api.program import Program
from api.v1.campaigns import API, Campaigns
from opora.core.kernel.rules import webhook_signature
from opora.core.numbers.model.calls import SoftphoneKey

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def campaigns(anyio_backend: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Campaigns]:
    async with Program.over(tmp_path_factory.mktemp("home")) as program:
        yield await Campaigns.over(program)


async def test_a_call_leads_a_number_to_its_result(campaigns: Campaigns) -> None:
    project = await campaigns.open_project()
    number = await campaigns.number(project)
    phone = number["phone_number"]
    started = await campaigns.tell(campaigns.event("call_started", phone, "c1"))
    assert (started.status_code, started.json()["duplicate"]) == (200, False)
    assert (await campaigns.read(number["id"]))["status"] == "in_progress"
    await campaigns.tell(campaigns.event("call_ended", phone, "c1"))
    result = campaigns.event("call_result", phone, "c1", result="no_answer", cause="busy", data={"line": 3})
    await campaigns.tell(result)
    after = await campaigns.read(number["id"])
    assert (after["status"], after["cause"], after["attempts"]) == ("no_answer", "busy", 1)
    assert after["result_data"]["data"] == {"line": 3}
    again = await campaigns.tell(result)
    assert (again.status_code, again.json()["duplicate"]) == (200, True)
    assert await campaigns.read(number["id"]) == after


async def test_data_that_turns_text_around_is_refused_and_not_kept(campaigns: Campaigns) -> None:
    number = await campaigns.number(await campaigns.open_project())
    for data in ({"note": "a\u202eb"}, {"a\u0007": 1}):
        event = campaigns.event("call_result", number["phone_number"], "c9", result="no_answer", data=data)
        answer = await campaigns.tell(event)
        assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
    assert (await campaigns.read(number["id"]))["result_data"] is None


async def test_the_pop_up_tells_who_calls_in_any_spelling(campaigns: Campaigns) -> None:
    project = await campaigns.open_project(name="Осень")
    number = await campaigns.number(project, "+74951112233")
    await campaigns.tell(campaigns.event("call_started", "8 495 111 22 33", "c2"))
    answer = await campaigns.admin.get(f"{API}/softphone/number/8 (495) 111-22-33")
    assert answer.status_code == 200
    shown = answer.json()
    assert (shown["phone_number"], shown["status"], shown["attempts"]) == ("+74951112233", "in_progress", 1)
    assert shown["project"] == {"id": project, "name": "Осень"}
    assert [one["call_id"] for one in shown["last_calls"]] == ["c2"]
    assert shown["number"]["id"] == number["id"]
    assert (await campaigns.admin.get(f"{API}/softphone/number/+79990000000")).json()["code"] == "no_such_number"
    assert (await campaigns.admin.get(f"{API}/softphone/number/nobody")).status_code == 422


@pytest.mark.parametrize(
    "headers",
    [
        {"webhook_signature": ""},
        {"webhook_signature": "v1,AAAA"},
        {"webhook_signature": "v1,%%%"},
        {"webhook_signature": "v2,AAAA"},
        {"webhook_id": "another"},
        {"webhook_id": ""},
        {"webhook_timestamp": "1"},
        {"webhook_timestamp": "-1"},
        {"webhook_timestamp": "x"},
        {"webhook_timestamp": "9" * 40},
    ],
)
async def test_a_message_that_is_not_signed_or_not_of_now_is_refused(
    campaigns: Campaigns, headers: dict[str, str]
) -> None:
    event = campaigns.event("call_started", campaigns.phone(), "c3")
    answer = await campaigns.tell(event, **headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "webhook_unsigned")
    rows = await campaigns.program.rows()
    assert (await campaigns.tell(event)).json()["duplicate"] is False
    assert (await campaigns.program.rows())["call_events"] == rows["call_events"] + 1


async def test_a_changed_byte_a_foreign_key_and_an_old_message_are_refused(campaigns: Campaigns) -> None:
    body = json.dumps(campaigns.event("call_started", campaigns.phone(), "c4")).encode()
    now = int(campaigns.program.clock.now().timestamp())
    key = (await campaigns.program.container.get(SoftphoneKey)).key
    signed = webhook_signature(key, "msg_1", now, body)
    for place in range(0, len(body), 7):
        changed = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
        answer = await campaigns.send(changed, webhook_signature=signed)
        assert answer.status_code in {400, 401} and answer.json()["code"] != "internal"
    foreign = webhook_signature(b"another key of thirty-two bytes.", "msg_1", now, body)
    assert (await campaigns.send(body, webhook_signature=foreign)).status_code == 401
    old = webhook_signature(key, "msg_1", now - 301, body)
    stale = await campaigns.send(body, webhook_signature=old, webhook_timestamp=str(now - 301))
    assert stale.status_code == 401
    several = await campaigns.send(body, webhook_signature=f"{foreign} v1a,xyz {signed}")
    assert several.status_code == 200


async def test_a_plain_signature_is_taken_too(campaigns: Campaigns) -> None:
    body = json.dumps(campaigns.event("call_started", campaigns.phone(), "c5")).encode()
    key = (await campaigns.program.container.get(SoftphoneKey)).key
    stamp = str(int(campaigns.program.clock.now().timestamp()))
    digest = hmac.new(key, f"{stamp}.".encode() + body, sha256).hexdigest()
    plain = {"webhook_signature": "", "x_softphone_timestamp": stamp, "x_softphone_signature": f"sha256={digest}"}
    assert (await campaigns.send(body, **plain)).status_code == 200
    assert (await campaigns.send(body + b" ", **plain)).status_code == 401


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"type": "call_result"}, 422),
        ({"type": "call_sung"}, 422),
        ({"phone_number": "nobody"}, 422),
        ({"occurred_at": "2999-01-01T00:00:00Z"}, 422),
        ({"occurred_at": "yesterday"}, 422),
        ({"event_id": ""}, 422),
        ({"call_id": "x" * 201}, 422),
        ({"result": "gone", "type": "call_result"}, 422),
        ({"vendor": {"line": 7}}, 200),
        ({"cause": "486 Busy Here"}, 200),
    ],
)
async def test_a_signed_event_is_judged_by_its_fields(
    campaigns: Campaigns, change: dict[str, object], status: int
) -> None:
    event = campaigns.event("call_started", campaigns.phone(), "c6")
    answer = await campaigns.tell(event | change)
    assert answer.status_code == status, answer.text


async def test_signed_bytes_that_are_no_json_are_refused(campaigns: Campaigns) -> None:
    for body in (b"", b"{", b"\xff\xfe", b"[]", b"null", b'{"a":' * 100):
        assert (await campaigns.send(body)).status_code in {400, 422}


@pytest.mark.parametrize("type", ["", "application/json", "application/cloudevents+json"])
@pytest.mark.parametrize(
    ("data", "status"),
    [('{"a":1,"a":2}', 400), ('{"a":"\\u0000"}', 422), ('{"a":9223372036854775808}', 422)],
)
async def test_signed_json_is_guarded_whatever_its_type_says(
    campaigns: Campaigns, type: str, data: str, status: int
) -> None:
    event = json.dumps(campaigns.event("call_result", campaigns.phone(), "c7", result="success", data={}))
    rows = await campaigns.program.rows()
    answer = await campaigns.send(event.replace("{}", data).encode(), content_type=type)
    assert answer.status_code == status, answer.text
    assert (await campaigns.program.rows())["call_events"] == rows["call_events"]


@pytest.mark.parametrize("type", ["text/plain", "application/x-www-form-urlencoded", "text/json"])
async def test_a_signed_event_of_another_type_is_refused(campaigns: Campaigns, type: str) -> None:
    body = json.dumps(campaigns.event("call_started", campaigns.phone(), "c8")).encode()
    answer = await campaigns.send(body, content_type=type)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


async def test_a_signed_event_without_a_type_is_taken(campaigns: Campaigns) -> None:
    body = json.dumps(campaigns.event("call_started", campaigns.phone(), "c9")).encode()
    assert (await campaigns.send(body, content_type="")).status_code == 200
