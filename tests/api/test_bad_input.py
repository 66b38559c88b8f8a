"""Bad input answers 4xx with a code, in time, and nothing is stored."""

import json
from collections.abc import AsyncIterator
from time import perf_counter

import pytest
from anyio import sleep_forever

from api.stand import Stand, ThingController

pytestmark = pytest.mark.anyio

BODIES = [
    (b"", 422, "validation_failed"),
    (b"{", 400, "malformed_body"),
    (b"nonsense", 400, "malformed_body"),
    (b"[]", 422, "validation_failed"),
    (b"null", 422, "validation_failed"),
    (b'"text"', 422, "validation_failed"),
    (b"\xff\xfe{\x00}\x00", 400, "malformed_body"),
    (b'\xef\xbb\xbf{"title":"a"}', 400, "malformed_body"),
    (b'{"title":"\xff"}', 400, "malformed_body"),
    (b'{"title":"\xed\xa0\x80"}', 400, "malformed_body"),
    (b'{"title":"\\ud800"}', 400, "malformed_body"),
    (b'{"title":"a\\u0000b"}', 422, "validation_failed"),
    (b'{"title":"a\x00b"}', 400, "malformed_body"),
    (b'{"title":"\\u202eabc"}', 422, "validation_failed"),
    ('{"title":"\u2066abc"}'.encode(), 422, "validation_failed"),
    (b'{"title":"two\\nlines"}', 422, "validation_failed"),
    (b'{"title":"ends\\n"}', 422, "validation_failed"),
    (b'{"title":"a","size":NaN}', 400, "malformed_body"),
    (b'{"title":"a","size":Infinity}', 400, "malformed_body"),
    (b'{"title":"a","size":1e400}', 400, "malformed_body"),
    (b'{"title":"a","size":9223372036854775807}', 422, "validation_failed"),
    (b'{"title":"a","size":9223372036854775808}', 422, "validation_failed"),
    (b'{"title":"a","size":-9223372036854775809}', 422, "validation_failed"),
    (b'{"title":"a","size":' + b"9" * 5000 + b"}", 400, "malformed_body"),
    (b'{"title":"a","size":"2"}', 422, "validation_failed"),
    (b'{"title":"a","size":2.5}', 422, "validation_failed"),
    (b'{"title":"a","size":true}', 422, "validation_failed"),
    (b'{"title":"a","size":0}', 422, "validation_failed"),
    (b'{"title":"a","title":"b"}', 400, "malformed_body"),
    (b'{"title":"a","id":7}', 422, "validation_failed"),
    (b'{"title":"a","at":"0001-01-01T00:00:00Z"}', 422, "validation_failed"),
    (b'{"title":"a","at":"9999-12-31T23:59:59-14:00"}', 422, "validation_failed"),
    (b'{"title":"a","at":"2026-01-01T00:00:00"}', 422, "validation_failed"),
    (b"[" * 100_000, 400, "malformed_body"),
    (b"[" * 100_000 + b"]" * 100_000, 400, "too_deep"),
    (b'{"a":' * 65 + b"1" + b"}" * 65, 400, "too_deep"),
    (b'{"title":' + b"[" * 70 + b"}" * 70 + b"}", 400, "malformed_body"),
    (b'{"title":"' + b"x" * 2000 + b'"}', 422, "validation_failed"),
]


@pytest.mark.parametrize(("body", "status", "code"), BODIES, ids=lambda value: repr(value)[:40])
async def test_a_bad_body_is_refused_with_a_code(stand: Stand, body: bytes, status: int, code: str) -> None:
    started = perf_counter()
    async with stand.client("good") as client:
        answer = await client.post("/api/v1/things", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert perf_counter() - started < 2
    assert ThingController.made == 0


async def test_every_field_at_fault_is_named(stand: Stand) -> None:
    body = {"size": 200, "note": 5, "at": "never", "extra": 1, "parts": [{"name": "a"}, {"name": "", "count": "5"}, 7]}
    async with stand.client("good") as client:
        answer = await client.post("/api/v1/things", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"].keys() == {
        "title",
        "size",
        "note",
        "at",
        "extra",
        "parts.1.name",
        "parts.1.count",
        "parts.2",
    }
    assert answer.json()["errors"]["title"] == ["is required"]
    assert answer.json()["errors"]["extra"] == ["is not a field of this body"]


async def test_good_bodies_with_odd_content_pass(stand: Stand) -> None:
    odd = {
        "title": 'Ёлка 😀 \\u0000 "quoted" 12345678901234567890',
        "note": "line\nline\ttab [[[[ }}}}",
        "at": "2026-01-01T00:00:00+03:00",
        "parts": [{"name": f"p{number}"} for number in range(100)],
    }
    async with stand.client("good") as client:
        answer = await client.post("/api/v1/things", json=odd)
        empty_note = await client.post("/api/v1/things", content=b' {"title" : "a" , "note" : null}')
    assert answer.status_code == 201
    assert answer.json()["title"] == odd["title"]
    assert empty_note.status_code == 201


@pytest.mark.parametrize("sent", ["text/plain", "application/xml", "multipart/form-data; boundary=x", "text/json"])
async def test_another_media_type_is_refused(stand: Stand, sent: str) -> None:
    async with stand.client("good") as client:
        answer = await client.post("/api/v1/things", content=b'{"title":"a"}', headers={"content-type": sent})
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    assert answer.json()["expected"] == "application/json"


@pytest.mark.parametrize(
    "sent", ["application/json; charset=utf-8", "APPLICATION/JSON", "application/merge-patch+json"]
)
async def test_json_in_other_words_is_taken(stand: Stand, sent: str) -> None:
    async with stand.client("good") as client:
        answer = await client.post("/api/v1/things", content=b'{"title":"a"}', headers={"content-type": sent})
    assert answer.status_code == 201


async def test_a_packed_body_is_refused(stand: Stand) -> None:
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    async with stand.client("good") as client:
        answer = await client.post("/api/v1/things", content=b"\x1f\x8b", headers=headers)
    assert answer.status_code == 415


@pytest.mark.parametrize(
    ("body", "status", "fields"),
    [
        (b"", 201, None),
        (b"{}", 201, None),
        (b"null", 201, None),
        (b'{"junk":1}', 422, {"junk"}),
        (b'{"junk":1,"more":[{}]}', 422, {"junk", "more"}),
        (b"[1]", 422, {"body"}),
        (b"0", 422, {"body"}),
        (b"{", 400, None),
        (b'{"a":1,"a":2}', 400, None),
    ],
)
@pytest.mark.parametrize("sent", ["application/json", ""])
async def test_a_call_without_a_body_takes_none_that_says_anything(
    stand: Stand, sent: str, body: bytes, status: int, fields: set[str] | None
) -> None:
    async with stand.client("good") as client:
        answer = await client.post("/api/v1/odd/secret", content=body, headers={"content-type": sent} if sent else {})
    assert answer.status_code == status
    assert (answer.json()["errors"].keys() if status == 422 else None) == fields
    assert ThingController.made == (status == 201)


QUERIES = [
    (b"limit=0", 422, "limit"),
    (b"limit=-1", 422, "limit"),
    (b"limit=201", 422, "limit"),
    (b"limit=1000000", 422, "limit"),
    (b"limit=1e2", 422, "limit"),
    (b"limit=", 422, "limit"),
    (b"limit=9223372036854775808", 422, "limit"),
    (b"limit=99999999999999999999999", 422, "limit"),
    (b"limit=%D9%A3", 422, "limit"),
    (b"limit=1_0", 422, "limit"),
    (b"limit=5&limit=6", 422, "limit"),
    (b"page=0", 422, "page"),
    (b"page=100001", 422, "page"),
    (b"colour=red", 422, "colour"),
    (b"q=" + b"x" * 201, 422, "q"),
    (b"q=a%0D%0Ab", 422, "q"),
    (b"q=%E2%80%AEabc", 422, "q"),
    (b"q=%00", 400, None),
    (b"q=%FF", 400, None),
    (b"q=%ED%A0%80", 400, None),
    (b"q=\xff", 400, None),
    (b"q=" + b"x" * 9000, 414, None),
    (b"&".join(b"a=1" for _ in range(101)), 414, None),
]


@pytest.mark.parametrize(("raw", "status", "field"), QUERIES, ids=lambda value: repr(value)[:30])
async def test_a_bad_query_is_refused_with_its_parameter(
    stand: Stand, raw: bytes, status: int, field: str | None
) -> None:
    status_sent, document = await asked(stand, "/api/v1/things", raw)
    assert status_sent == status
    if field is not None:
        assert list(document["errors"]) == [field]


@pytest.mark.parametrize(
    ("raw", "fields"),
    [
        (b"after=0001-01-01T00:00:00Z", {"after"}),
        (b"after=2026-01-01T00:00:00", {"after"}),
        (b"after=yesterday", {"after"}),
        (b"day=0001-01-01", {"day"}),
        (b"day=2026-02-30", {"day"}),
        (b"number=9223372036854775808", {"number"}),
        (b"number=-9223372036854775808", {"number"}),
        (b"number=x&day=y&after=z", {"number", "day", "after"}),
    ],
)
async def test_values_that_no_store_can_keep_are_refused(stand: Stand, raw: bytes, fields: set[str]) -> None:
    status, document = await asked(stand, "/api/v1/things/since", raw)
    assert (status, document["errors"].keys()) == (422, fields)


@pytest.mark.parametrize(
    ("raw", "fields"),
    [
        (b"", {"from", "to", "shelf"}),
        (b"colour=red", {"from", "to", "shelf", "colour"}),
        (b"from=2026-01-01&to=2026-13-01&kind=odd", {"to", "shelf", "kind"}),
        (b"from=2026-01-01&to=2026-02-01&shelf=0&kind=odd&size=7", {"shelf", "kind", "size"}),
        (b"from=yesterday&to=&shelf=x&kind=new&size=7&colour=red", {"from", "to", "shelf", "size", "colour"}),
        (b"from=2026-01-01&from=2026-01-02&to=2026-02-01&shelf=0", {"from", "shelf"}),
        (b"from=2026-01-01&to=&shelf=1", {"to"}),
    ],
)
async def test_every_parameter_at_fault_is_named_as_it_was_sent(stand: Stand, raw: bytes, fields: set[str]) -> None:
    status, document = await asked(stand, "/api/v1/things/between", raw)
    assert (status, document["errors"].keys()) == (422, fields)


async def test_a_parameter_that_is_missing_is_said_to_be_required(stand: Stand) -> None:
    _, document = await asked(stand, "/api/v1/things/between", b"from=2026-01-01&kind=odd")
    assert (document["errors"]["to"], document["errors"]["shelf"]) == (["is required"], ["is required"])
    assert document["errors"]["kind"] == ["Invalid enum value 'odd'"]
    good = b"from=2026-01-01&to=2026-02-01&shelf=1&kind=new&size=true"
    assert (await asked(stand, "/api/v1/things/between", good))[0] == 200


@pytest.mark.parametrize(
    "raw",
    [
        b"after=2026-01-01T00:00:00Z&day=2026-01-01&number=9223372036854775807&tag=a&tag=b",
        b"after=2026-01-01T00:00:00%2B03:00",
        b"number=-1&tag=%25_%27%22",
        b"",
    ],
)
async def test_good_queries_pass(stand: Stand, raw: bytes) -> None:
    assert (await asked(stand, "/api/v1/things/since", raw))[0] == 200


PATHS = [
    ("/api/v1/things/0x10", 404),
    ("/api/v1/things/1_0", 404),
    ("/api/v1/things/+1", 404),
    ("/api/v1/things/-1", 404),
    ("/api/v1/things/٣", 404),
    ("/api/v1/things/9223372036854775808", 404),
    ("/api/v1/things/" + "9" * 4000, 404),
    ("/api/v1/things/" + "9" * 5000, 414),
    ("/api/v1/../../etc/passwd", 404),
    ("/api/v1/things/a\x00b", 400),
    ("/api/v1/things/\ufffd", 400),
    ("/api/v1/things/a\r\nb", 400),
    ("/api/v1/things/\u202eabc", 400),
    ("//", 404),
    ("/", 404),
]


@pytest.mark.parametrize(("path", "status"), PATHS, ids=lambda value: repr(value)[:30])
async def test_a_bad_path_names_nothing(stand: Stand, path: str, status: int) -> None:
    assert (await asked(stand, path, b""))[0] == status


async def test_too_many_or_too_large_headers_are_refused(stand: Stand) -> None:
    async with stand.client() as client:
        large = await client.get("/api/v1/odd/open", headers={"x-much": "y" * 17_000})
        many = await client.get("/api/v1/odd/open", headers={f"x-{number}": "y" for number in range(101)})
    assert (large.status_code, many.status_code) == (431, 431)
    assert large.json()["code"] == "headers_too_large"


async def test_the_bound_of_a_body_is_a_setting() -> None:
    async with Stand(body_max_bytes=1024).client() as client:
        within = await client.post("/api/v1/odd/open", content=b"x" * 1024)
        beyond = await client.post("/api/v1/odd/open", content=b"x" * 1025)
    assert within.status_code != 413
    assert (beyond.status_code, beyond.json()["max_bytes"]) == (413, 1024)


async def test_a_body_past_its_bound_is_refused_before_it_is_read(stand: Stand) -> None:
    read = 0

    async def receive() -> dict[str, object]:
        nonlocal read
        read += 1
        return {"type": "http.request", "body": b"x" * 1000, "more_body": True}

    announced = [(b"content-length", b"1048577")]
    status, document = await asked(stand, "/api/v1/odd/open", b"", "POST", announced, receive)
    assert (status, document["code"], document["max_bytes"]) == (413, "body_too_large", 1_048_576)
    assert read == 0
    chunked = [(b"transfer-encoding", b"chunked")]
    status, _ = await asked(stand, "/api/v1/odd/open", b"", "POST", chunked, receive)
    assert status == 413
    assert read == 1049


@pytest.mark.parametrize("length", [b"abc", b"-1", b"1.5", b""])
async def test_a_length_that_is_no_number_is_refused(stand: Stand, length: bytes) -> None:
    status, _ = await asked(stand, "/api/v1/odd/open", b"", "POST", [(b"content-length", length)])
    assert status == 400


async def test_a_body_that_does_not_come_is_given_up() -> None:
    stand = Stand(body_timeout_s=0.01)

    async def never() -> dict[str, object]:
        await sleep_forever()
        raise AssertionError

    for path in ("/api/v1/odd/open", "/api/v1/odd/upload"):
        headers = [(b"content-length", b"10"), (b"authorization", b"Bearer good")]
        status, document = await asked(stand, path, b"", "POST", headers, never)
        assert (status, document["code"]) == (408, "body_too_slow")


async def test_a_client_that_leaves_gets_no_answer_and_no_fault(stand: Stand) -> None:
    async def gone() -> dict[str, object]:
        return {"type": "http.disconnect"}

    status, _ = await asked(stand, "/api/v1/odd/open", b"", "POST", [(b"content-length", b"10")], gone)
    assert status == 0
    assert 'status="499"' in stand.parts.metrics.render().decode()


async def test_an_upload_streams_up_to_its_own_bound(stand: Stand) -> None:
    async with stand.client("good") as client:
        small = await client.post("/api/v1/odd/upload", content=b"x" * 4096)
        large = await client.post("/api/v1/odd/upload", content=b"x" * 4097)
        chunked = await client.post("/api/v1/odd/upload", content=chunks())
    assert small.json() == {"length": 4096}
    assert [large.status_code, chunked.status_code] == [413, 413]


async def chunks() -> AsyncIterator[bytes]:
    """Five thousand bytes whose number is not said beforehand."""
    for _ in range(5):
        yield b"x" * 1000


async def asked(
    stand: Stand,
    path: str,
    raw_query: bytes,
    method: str = "GET",
    headers: list[tuple[bytes, bytes]] | None = None,
    receive: object = None,
) -> tuple[int, dict[str, object]]:
    """Send what no client library would, and return status and document (0 and nothing for no answer)."""
    sent: list[dict[str, object]] = []

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    async def nothing() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "headers": headers if headers is not None else [(b"authorization", b"Bearer good")],
        "query_string": raw_query,
        "client": ("192.0.2.1", 1),
    }
    await stand.app(scope, receive or nothing, send)  # type: ignore[arg-type]
    if not sent:
        return 0, {}
    body = b"".join(message.get("body", b"") for message in sent[1:])  # type: ignore[misc]
    return sent[0]["status"], json.loads(body or b"{}")  # type: ignore[return-value]
