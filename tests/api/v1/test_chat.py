"""OpenAI's chat completions over HTTP, as clients written for them see it."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.newcomers import newcomer
from api.program import Program
from opora.core.access.model.scopes import Role

pytestmark = pytest.mark.anyio

PATH = "/v1/chat/completions"
HELLO = {"model": "opora-local", "messages": [{"role": "user", "content": "Say hello"}]}


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


def chunks(text: str) -> list[Any]:
    """Read a stream's data."""
    lines = [line.removeprefix("data: ") for line in text.split("\n") if line.startswith("data: ")]
    return [one if one == "[DONE]" else json.loads(one) for one in lines]


async def test_a_conversation_is_completed(client: httpx.AsyncClient) -> None:
    answer = await client.post(PATH, json=HELLO)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["object"], told["model"]) == ("chat.completion", "opora-local")
    (choice,) = told["choices"]
    assert (choice["message"]["role"], choice["finish_reason"]) == ("assistant", "stop")
    assert choice["message"]["content"]
    usage = told["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    task = told["id"].removeprefix("chatcmpl-")
    assert (await client.get(f"/api/v1/generate/{task}")).json()["function"] == "chat"


async def test_a_streamed_conversation_gives_the_same_words(client: httpx.AsyncClient) -> None:
    whole = (await client.post(PATH, json=HELLO)).json()["choices"][0]["message"]["content"]
    asked = {**HELLO, "stream": True, "stream_options": {"include_usage": True}}
    *told, done = chunks((await client.post(PATH, json=asked)).text)
    assert done == "[DONE]"
    assert all(one["object"] == "chat.completion.chunk" for one in told)
    deltas = [one["choices"][0]["delta"] for one in told if one["choices"]]
    assert deltas[0]["role"] == "assistant"
    assert "".join(one.get("content", "") for one in deltas) == whole
    assert told[-1]["usage"]["completion_tokens"] > 0
    assert told[-2]["choices"][0]["finish_reason"] == "stop"
    *plain, _ = chunks((await client.post(PATH, json={**HELLO, "stream": True})).text)
    assert all(one["choices"] for one in plain)


async def test_parts_developers_and_stops_are_understood(client: httpx.AsyncClient) -> None:
    messages = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Hello"}]},
    ]
    asked = {"messages": messages, "max_completion_tokens": 2, "stop": "x", "n": 1, "user": "u"}
    answer = await client.post(PATH, json=asked)
    assert answer.status_code == 200, answer.text
    assert answer.json()["choices"][0]["finish_reason"] == "length"


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": 10**9}, "max_tokens"),
        ({"max_tokens": 1, "max_completion_tokens": 1}, "max_tokens"),
        ({"messages": []}, "messages"),
        ({"temperature": 3}, "temperature"),
        ({"n": 2}, "n"),
        ({"tools": []}, None),
        ({"messages": [{"role": "tool", "content": "x"}]}, None),
    ],
)
async def test_what_cannot_be_asked_is_refused_in_the_form_clients_read(
    client: httpx.AsyncClient, changes: dict[str, object], param: str | None
) -> None:
    answer = await client.post(PATH, json={**HELLO, **changes})
    error = answer.json()["error"]
    assert (answer.status_code, error["type"]) == (400, "invalid_request_error"), answer.text
    assert error["message"]
    if param is not None:
        assert error["param"] == param


async def test_who_is_not_let_in_is_told_in_the_same_form(program: Program) -> None:
    answer = await program.client().post(PATH, json=HELLO)
    assert (answer.status_code, answer.json()["error"]["type"]) == (401, "authentication_error")
    answer = await program.client(token="opk_live_no").post(PATH, json=HELLO)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")


@pytest.mark.parametrize("content", ["a\u202eb", [{"type": "text", "text": "a\u0000b"}]])
async def test_what_turns_text_around_is_refused(client: httpx.AsyncClient, content: object) -> None:
    answer = await client.post(PATH, json={"messages": [{"role": "user", "content": content}]})
    assert answer.status_code in {400, 422}, answer.text
    assert (await client.get("/api/v1/generate")).json()["count"] == 0
    lines = await client.post(PATH, json={"messages": [{"role": "user", "content": "a\n\tb" * 4000}]})
    assert lines.status_code == 200, lines.text


@pytest.mark.parametrize("stream", [True, False])
async def test_a_model_that_is_not_listed_is_refused(client: httpx.AsyncClient, stream: bool) -> None:
    answer = await client.post(PATH, json={**HELLO, "model": "no-such", "stream": stream})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")
    assert (await client.get("/api/v1/generate")).json()["count"] == 0


async def test_models_are_listed(client: httpx.AsyncClient) -> None:
    told = (await client.get("/v1/models")).json()
    assert told["data"] == [{"id": "opora-local", "object": "model", "created": 0, "owned_by": "local"}]
    assert (await client.get("/v1/models/opora-local")).json()["id"] == "opora-local"
    missing = await client.get("/v1/models/org/none")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "model_not_found")


@pytest.mark.parametrize(
    ("script", "status", "kind"), [("refuse*9", 400, "invalid_request_error"), ("down*9", 503, "api_error")]
)
async def test_an_engine_that_fails_is_told_whole_and_in_band(
    anyio_backend: str, tmp_path: Path, script: str, status: int, kind: str
) -> None:
    told = {"OPORA_TEXT_ENGINE_FAULTS": script, "OPORA_TEXT_ROUNDS": "1"}
    async with Program.over(tmp_path, **told) as program:
        client = program.client(token=await program.token(Role.CLIENT))
        answer = await client.post(PATH, json=HELLO)
        assert (answer.status_code, answer.json()["error"]["type"]) == (status, kind)
        *_, error, done = chunks((await client.post(PATH, json={**HELLO, "stream": True})).text)
        assert (error["error"]["type"], done) == (kind, "[DONE]")


async def test_words_that_do_not_count_end_a_stream_that_knows_no_reset(anyio_backend: str, tmp_path: Path) -> None:
    async with Program.over(tmp_path, OPORA_TEXT_ENGINE_FAULTS="truncate@4") as program:
        client = program.client(token=await program.token(Role.CLIENT))
        *_, error, done = chunks((await client.post(PATH, json={**HELLO, "stream": True})).text)
        assert (error["error"]["code"], done) == ("engine_unavailable", "[DONE]")
