"""More than a process can do: what is past its bound is refused at once, and what merely waits does not count."""

import asyncio

import httpx
import pytest

from api.stand import LATCH, Latch, Stand
from opora.api.bodies import Send
from opora.api.crowd import LOOK_S

pytestmark = pytest.mark.anyio
SLOW, TRICKLE, OPEN = "/api/v1/odd/slow", "/api/v1/odd/trickle", "/api/v1/odd/open"


def a_stand(requests_max: int) -> tuple[Stand, Latch]:
    """Return a service of that bound, and what holds its slow calls."""
    latch = Latch()
    LATCH.set(latch)
    return Stand(requests_max=requests_max), latch


async def test_what_is_past_the_bound_is_refused_at_once_and_the_rest_answered() -> None:
    stand, latch = a_stand(2)
    async with stand.client() as client:
        slow = [asyncio.create_task(client.get(SLOW)) for _ in range(2)]
        await latch.holding(2)
        refused, alive = await client.get(OPEN), await client.get("/health")
        counted = len(stand.gate.admissions)
        latch.open()
        answered = [await one for one in slow]
        after = await client.get(OPEN)
    assert (refused.status_code, refused.headers["retry-after"], refused.json()["code"]) == (503, "1", "overloaded")
    assert counted == 2, "who is refused for the service's sake is charged nothing"
    assert [one.status_code for one in (alive, *answered, after)] == [200] * 4


async def test_those_who_come_together_are_counted_as_well() -> None:
    stand, latch = a_stand(3)
    async with stand.client() as client:
        crowd = [asyncio.create_task(client.get(SLOW)) for _ in range(10)]
        await latch.holding(3)
        for _, one in zip(range(7), asyncio.as_completed(crowd), strict=False):
            assert (await one).status_code == 503
        assert latch.held == 3
        latch.open()
        statuses = [(await one).status_code for one in crowd]
    assert sorted(statuses) == [200] * 3 + [503] * 7


async def test_who_has_waited_too_long_before_the_process_is_refused_until_nobody_has() -> None:
    stand = Stand(wait_max_s=1.0)
    waited_s = [0.2, 1.5, 1.0, 0.9, 0.0]
    statuses = []
    for one in waited_s:
        sent: list[dict[str, object]] = []
        await asyncio.sleep(LOOK_S)
        await stand.app(a_request(one), nothing, collected(sent))
        statuses.append(sent[0]["status"])
    assert statuses == [200, 503, 503, 200, 200]


async def test_a_newcomer_is_looked_at_however_lately_another_was() -> None:
    stand = Stand(wait_max_s=1.0)
    statuses = []
    for waited_s, is_newcomer in [(0.0, True), (1.5, False), (1.5, True)]:
        sent: list[dict[str, object]] = []
        await stand.app({**a_request(waited_s), "is_newcomer": is_newcomer}, nothing, collected(sent))
        statuses.append(sent[0]["status"])
    assert statuses == [200, 200, 503]


def a_request(waited_s: float) -> dict[str, object]:
    scope = {"type": "http", "method": "GET", "path": OPEN, "headers": [], "query_string": b""}
    return {**scope, "client": ("192.0.2.1", 1), "waited_s": lambda: waited_s}


async def nothing() -> dict[str, object]:
    return {"type": "http.request", "body": b""}


def collected(sent: list[dict[str, object]]) -> Send:
    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    return send


async def test_a_stream_waits_and_keeps_nobody_out() -> None:
    stand, latch = a_stand(1)
    async with stand.client() as client:
        streams = [asyncio.create_task(client.get(TRICKLE)) for _ in range(3)]
        await latch.holding(3)
        answer = await client.get(OPEN)
        latch.open()
        statuses = [(await one).status_code for one in streams]
    assert (answer.status_code, statuses) == (200, [200] * 3)


async def test_a_call_that_fails_or_is_given_up_leaves_its_place() -> None:
    stand, latch = a_stand(1)
    async with stand.client() as client:
        assert (await client.get("/api/v1/odd/boom")).status_code == 500
        given_up = asyncio.create_task(client.get(SLOW))
        await latch.holding(1)
        given_up.cancel()
        await asyncio.gather(given_up, return_exceptions=True)
        answer: httpx.Response = await client.get(OPEN)
    assert answer.status_code == 200
