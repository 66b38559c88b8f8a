"""Texts over HTTP: asked for, waited for, taken on, streamed, cancelled, and what is refused."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from api.newcomers import newcomer
from api.program import Program
from opora.core.access.model.scopes import Role
from opora.core.generation.model.texts import KINDS
from opora.core.generation.usecases.writing import WriteText
from opora.core.jobs.ports import JobLeases

pytestmark = pytest.mark.anyio

API = "/api/v1"
PATH = f"{API}/generate"
POST = {"function": "post", "topic": "утренний чай"}


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """The program outlives a test."""
    return "asyncio"


@pytest.fixture(scope="module")
async def program(anyio_backend: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Program]:
    async with Program.over(tmp_path_factory.mktemp("home")) as program:
        yield program


@pytest.fixture
async def client(program: Program) -> httpx.AsyncClient:
    return await newcomer(program)


async def work(program: Program) -> None:
    """Run the next job of a text."""
    leases = await program.container.get(JobLeases)
    (claim,) = await leases.claim(KINDS, 1, 30.0)
    await (await program.container.get(WriteText))(claim)


def events(text: str) -> list[tuple[str, str, Any]]:
    """Read a stream as id, name and data of each event."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if line and not line.startswith(":"))
        if "data" in fields:
            found.append((fields.get("id", ""), fields.get("event", ""), json.loads(fields["data"])))
    return found


async def test_a_short_text_is_waited_for(client: httpx.AsyncClient) -> None:
    answer = await client.post(PATH, json=POST)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert "утренний чай" in told["text"]
    assert (told["cached"], told["model"], told["usage"]["estimated"]) == (False, "opora-local", False)
    again = (await client.post(PATH, json=POST)).json()
    assert (again["cached"], again["text"], again["usage"]["total_tokens"]) == (True, told["text"], 0)
    assert again["task_id"] != told["task_id"]
    fresh = (await client.post(PATH, json=POST, headers={"cache-control": "no-cache"})).json()
    assert not fresh["cached"]


async def test_a_text_is_taken_on_and_fetched_later(program: Program, client: httpx.AsyncClient) -> None:
    answer = await client.post(PATH, json={**POST, "mode": "async"})
    assert answer.status_code == 202
    told = answer.json()
    assert told["status_url"] == f"{PATH}/{told['task_id']}" == answer.headers["location"]
    waiting = await client.get(told["status_url"])
    assert (waiting.json()["status"], waiting.headers["retry-after"]) == ("queued", "1")
    await work(program)
    done = await client.get(told["status_url"])
    assert (done.json()["status"], done.json()["attempts"], done.json()["error"]) == ("completed", 1, None)
    assert "retry-after" not in done.headers
    listed = (await client.get(PATH)).json()
    assert [one["task_id"] for one in listed["results"]] == [told["task_id"]]


@pytest.mark.parametrize(
    ("prefer", "status"),
    [
        ("respond-async", 202),
        ("wait=20", 200),
        ("wait=0", 202),
        ("wait=x", 200),
        ("x", 200),
        ("respond-async, wait=20", 200),
        ("wait=20, respond-async", 200),
        ("respond-async, wait=0", 202),
    ],
)
async def test_a_preference_is_heeded(client: httpx.AsyncClient, prefer: str, status: int) -> None:
    answer = await client.post(PATH, json=POST, headers={"prefer": prefer})
    assert answer.status_code == status, answer.text


@pytest.mark.parametrize("mark", ["\u202e", "\u0007", "\u2066"])
async def test_a_variable_that_turns_text_around_is_refused_and_nothing_is_kept(
    client: httpx.AsyncClient, mark: str
) -> None:
    answer = await client.post(PATH, json={"function": "post", "variables": {"topic": f"tea{mark}"}})
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
    assert (await client.get(PATH)).json()["count"] == 0


async def test_a_model_that_is_not_listed_is_refused_and_nothing_is_kept(client: httpx.AsyncClient) -> None:
    answer = await client.post(PATH, json={**POST, "model": "no-such"})
    assert (answer.status_code, answer.json()["code"]) == (404, "model_not_found")
    assert (await client.get(PATH)).json()["count"] == 0
    assert (await client.post(PATH, json={**POST, "model": "opora-local"})).status_code == 200


async def test_a_streamed_text_is_whole_and_resumes_from_any_place(client: httpx.AsyncClient) -> None:
    answer = await client.post(PATH, json={**POST, "mode": "stream"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    told = events(answer.text)
    assert (told[0][1], told[-1][1]) == ("task", "done")
    whole = told[-1][2]["text"]
    assert "".join(data["text"] for _, name, data in told if name == "delta") == whole
    places = [id for id, name, _ in told if name == "delta"]
    url = told[0][2]["stream_url"]
    for place in (places[0], places[len(places) // 2], places[-1]):
        rest = events((await client.get(url, headers={"last-event-id": place})).text)
        read = whole[: int(place.partition(".")[2])]
        assert read + "".join(data["text"] for _, name, data in rest if name == "delta") == whole
        assert rest[-1][1] == "done"
    reset = events((await client.get(url, headers={"last-event-id": "9.4"})).text)
    assert [name for _, name, _ in reset] == ["task", "reset", "delta", "done"]


async def test_a_call_repeated_under_its_key_has_one_text(client: httpx.AsyncClient) -> None:
    for mode in ("sync", "async", "stream"):
        headers = {"idempotency-key": mode}
        first = await client.post(PATH, json={**POST, "mode": mode}, headers=headers)
        again = await client.post(PATH, json={**POST, "mode": mode}, headers=headers)
        assert (again.content, again.status_code) == (first.content, first.status_code)
        assert again.headers["idempotent-replayed"] == "true"
        other = await client.post(PATH, json={**POST, "topic": "other", "mode": mode}, headers=headers)
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert (await client.get(PATH)).json()["count"] == 3


async def test_a_text_is_cancelled_once(client: httpx.AsyncClient) -> None:
    told = (await client.post(PATH, json={**POST, "mode": "async"})).json()
    for _ in range(2):
        stopped = await client.delete(told["status_url"])
        assert (stopped.status_code, stopped.json()["status"]) == (200, "cancelled")
    stream = events((await client.get(told["stream_url"])).text)
    assert (stream[-1][1], stream[-1][2]["code"]) == ("error", "text_cancelled")
    done = (await client.post(PATH, json=POST)).json()
    refused = await client.delete(f"{PATH}/{done['task_id']}")
    assert (refused.status_code, refused.json()["code"]) == (409, "illegal_move")


async def test_anothers_text_is_not_there(program: Program, client: httpx.AsyncClient) -> None:
    told = (await client.post(PATH, json={**POST, "mode": "async"})).json()
    stranger = program.client(token=await program.token(Role.STAFF))
    for url in (told["status_url"], told["stream_url"], f"{PATH}/{uuid4()}"):
        answer = await stranger.get(url)
        assert (answer.status_code, answer.json()["code"]) == (404, "no_such_text")
    assert (await stranger.delete(told["status_url"])).status_code == 404
    assert (await stranger.get(PATH)).json()["count"] == 0
    admin = program.client(token=await program.token(Role.ADMIN))
    assert (await admin.get(told["status_url"])).status_code == 200


@pytest.mark.parametrize(
    ("changes", "status", "code", "field"),
    [
        ({"max_tokens": 0}, 422, "invalid_text_request", "max_tokens"),
        ({"max_tokens": 10**9}, 422, "invalid_text_request", "max_tokens"),
        ({"max_tokens": "9"}, 422, "validation_failed", "max_tokens"),
        ({"topic": None}, 422, "invalid_variables", "variables.topic"),
        ({"variables": {"colour": "red"}}, 422, "invalid_variables", "variables.colour"),
        ({"variables": {"tone": ["x"]}}, 422, "validation_failed", "variables"),
        ({"function": None}, 422, "invalid_text_request", "function"),
        ({"function": "none"}, 404, "no_such_prompt", None),
        ({"mode": "later"}, 422, "validation_failed", "mode"),
        ({"other": 1}, 422, "validation_failed", None),
        ({"function": "article"}, 403, "upgrade_required", None),
        ({"max_tokens": 4096}, 403, "upgrade_required", None),
    ],
)
async def test_what_cannot_be_asked_for_is_refused(
    client: httpx.AsyncClient, changes: dict[str, object], status: int, code: str, field: str | None
) -> None:
    answer = await client.post(PATH, json={**POST, **changes})
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    if field is not None:
        assert any(name.startswith(field) for name in answer.json()["errors"]), answer.text
    if code == "upgrade_required":
        assert answer.json()["upgrade_url"]
    assert (await client.get(PATH)).json()["count"] == 0


async def test_a_spent_quota_is_told_with_its_end(client: httpx.AsyncClient) -> None:
    found = await asyncio.gather(
        *(client.post(PATH, json={**POST, "topic": f"чай {number}", "mode": "async"}) for number in range(110))
    )
    assert sorted(one.status_code for one in found) == [202] * 100 + [429] * 10
    refused = next(one for one in found if one.status_code == 429)
    assert refused.json()["code"] == "quota_exhausted"
    assert int(refused.headers["retry-after"]) > 0


@pytest.mark.parametrize(
    ("script", "status", "code"),
    [("refuse*9", 422, "engine_refused"), ("down*9", 503, "engine_unavailable")],
)
async def test_a_text_that_no_engine_writes_is_refused(
    anyio_backend: str, tmp_path: Path, script: str, status: int, code: str
) -> None:
    told = {"OPORA_TEXT_ENGINE_FAULTS": script, "OPORA_TEXT_ROUNDS": "1"}
    async with Program.over(tmp_path, **told) as program:
        client = program.client(token=await program.token(Role.CLIENT))
        answer = await client.post(PATH, json=POST)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        task = answer.json()["task_id"]
        shown = (await client.get(f"{PATH}/{task}")).json()
        assert (shown["status"], shown["error"]["code"]) == ("failed", code)
        stream = events((await client.post(PATH, json={**POST, "mode": "stream"})).text)
        assert (stream[-1][1], stream[-1][2]["code"]) == ("error", code)


async def test_another_engine_takes_over_and_the_reader_is_reset(anyio_backend: str, tmp_path: Path) -> None:
    told = {"OPORA_TEXT_ENGINE_FAULTS": "truncate@4*9", "OPORA_TEXT_TRIES": "1", "OPORA_TEXT_FALLBACK": "openai"}
    told |= {"OPORA_TEXT_ENGINE_OPENAI_URL": "http://127.0.0.1:1", "OPORA_TEXT_ENGINE_OPENAI_MODEL": "m"}
    async with Program.over(tmp_path, **told) as program:
        client = program.client(token=await program.token(Role.CLIENT))
        answer = await client.post(PATH, json={**POST, "mode": "async"})
        await work(program)
        shown = (await client.get(answer.json()["status_url"])).json()
        assert (shown["status"], shown["attempts"], shown["engine"]) == ("queued", 2, "openai")
