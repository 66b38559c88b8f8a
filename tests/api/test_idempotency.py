"""The same key, caller and content have one effect and one answer."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.stand import Stand, ThingController
from opora.api.idempotency import fingerprint

pytestmark = pytest.mark.anyio

KEY = {"idempotency-key": "k-1"}


async def test_a_repeated_call_gives_the_first_answer_and_no_second_effect(stand: Stand) -> None:
    async with stand.client("good") as client:
        first = await client.post("/api/v1/things", json={"title": "a", "size": 2}, headers=KEY)
        again = await client.post("/v1/things/", content=b'{ "size":2, "title":"a" }', headers=KEY)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["content-type"] == first.headers["content-type"]
    assert again.headers["x-request-id"] != first.headers["x-request-id"]
    assert again.headers["ratelimit"] != first.headers["ratelimit"], "a repetition is a call all the same"
    assert ThingController.made == 1


async def test_another_body_under_the_same_key_is_refused(stand: Stand) -> None:
    async with stand.client("good") as client:
        await client.post("/api/v1/things", json={"title": "a"}, headers=KEY)
        other = await client.post("/api/v1/things", json={"title": "b"}, headers=KEY)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert ThingController.made == 1


async def test_a_call_that_still_runs_is_a_conflict(stand: Stand) -> None:
    stand.calls.kept["key:7", "k-1"] = (fingerprint("POST", "/api/v1/things", b"", b'{"title":"a"}'), None)
    async with stand.client("good") as client:
        answer = await client.post("/api/v1/things", json={"title": "a"}, headers=KEY)
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_still_running")
    assert answer.headers["retry-after"] == "1"


async def test_what_failed_may_be_repeated_with_the_same_key(stand: Stand) -> None:
    async with stand.client("good") as client:
        bad = await client.post("/api/v1/things", json={"title": ""}, headers=KEY)
        refused = await client.post("/api/v1/odd/fails", headers=KEY)
        good = await client.post("/api/v1/things", json={"title": "a"}, headers=KEY)
    assert (bad.status_code, refused.status_code, good.status_code) == (422, 409, 201)


async def test_an_effect_that_was_not_kept_is_not_acknowledged(stand: Stand) -> None:
    stand.calls.lost = True
    async with stand.client("good") as client:
        answer = await client.post("/api/v1/things", json={"title": "a"}, headers=KEY)
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_overtaken")


async def test_keys_belong_to_their_callers(stand: Stand) -> None:
    async with stand.client() as client:
        for bearer in ("good", "good", "reader"):
            await client.post(
                "/api/v1/things", json={"title": "a"}, headers={**KEY, "authorization": f"Bearer {bearer}"}
            )
    assert list(stand.calls.kept) == [("key:7", "k-1")]


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "ключ".encode(), b"a\x7f"])
async def test_a_bad_key_is_refused(stand: Stand, key: str | bytes) -> None:
    async with stand.client("good") as client:
        answer = await client.post("/api/v1/things", json={"title": "a"}, headers=[(b"idempotency-key", key)])  # type: ignore[list-item]
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_idempotency_key")
    assert ThingController.made == 0


async def test_a_key_sent_twice_is_refused(stand: Stand) -> None:
    twice = [("idempotency-key", "a"), ("idempotency-key", "a")]
    async with stand.client("good") as client:
        answer = await client.post("/api/v1/things", json={"title": "a"}, headers=twice)
    assert answer.status_code == 400


async def test_an_answer_that_carries_a_secret_is_not_kept(stand: Stand) -> None:
    async with stand.client("good") as client:
        first, second = [await client.post("/api/v1/odd/secret", headers=KEY) for _ in range(2)]
    assert first.json() != second.json()
    assert stand.calls.kept == {}


async def test_reads_and_public_calls_take_no_key(stand: Stand) -> None:
    async with stand.client("good") as client:
        await client.get("/api/v1/things", headers=KEY)
        await client.post("/api/v1/odd/open", content=b"x", headers=KEY)
    assert stand.calls.kept == {}


SPELLINGS = st.dictionaries(st.text(), st.integers(-(2**53), 2**53) | st.text(), min_size=1)


@given(SPELLINGS)
def test_the_fingerprint_is_of_the_content_and_not_of_its_spelling(content: dict[str, object]) -> None:
    plain = json.dumps(content).encode()
    other = json.dumps(dict(reversed(content.items())), indent=2, ensure_ascii=False).encode("utf-8", "surrogatepass")
    assert fingerprint("POST", "/x", b"", plain) == fingerprint("POST", "/x", b"", other)
    assert fingerprint("POST", "/x", b"", plain) != fingerprint("POST", "/y", b"", plain)
    assert fingerprint("POST", "/x", b"", plain) != fingerprint("POST", "/x", b"a=1", plain)
    assert fingerprint("POST", "/x", b"", plain) != fingerprint("PUT", "/x", b"", plain)
    assert fingerprint("POST", "/x", b"", plain) != fingerprint("POST", "/x", b"", plain + b"x")
