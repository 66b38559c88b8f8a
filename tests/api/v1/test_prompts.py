"""Prompts over HTTP."""

from collections.abc import AsyncIterator
from itertools import count

import httpx
import pytest

from api.newcomers import newcomer
from api.program import Program
from opora.core.access.model.scopes import Role

pytestmark = pytest.mark.anyio

PATH = "/api/v1/prompts"
POEM = {"name": "poem", "template": "Стихи о {{ topic }}", "variables": ["topic"]}
NAMES = (f"poem-{number}" for number in count(1))


def poem() -> dict[str, object]:
    """Return a prompt of a name that no other test takes."""
    return {**POEM, "name": next(NAMES)}


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """The program outlives a test."""
    return "asyncio"


@pytest.fixture(scope="module")
async def program(anyio_backend: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Program]:
    async with Program.over(tmp_path_factory.mktemp("home")) as program:
        yield program


@pytest.fixture
async def admin(program: Program) -> httpx.AsyncClient:
    return await newcomer(program, Role.ADMIN)


async def test_a_prompt_goes_from_its_making_to_a_text(admin: httpx.AsyncClient) -> None:
    asked = poem()
    made = await admin.post(PATH, json=asked)
    assert made.status_code == 201, made.text
    id = made.json()["id"]
    told = {name: made.json()[name] for name in ("name", "version", "labels")}
    assert told == {"name": asked["name"], "version": 1, "labels": {"production": 1}}
    assert made.headers["location"] == f"{PATH}/{id}"
    shown = (await admin.get(f"{PATH}/{id}")).json()
    assert shown["production"]["variables"] == [
        {"name": "topic", "default": None, "max_length": 10000, "description": ""}
    ]
    seen = await admin.post(f"{PATH}/{id}/preview", json={"variables": {"topic": "чае"}})
    assert (seen.status_code, seen.json()["text"]) == (200, "Стихи о чае")
    text = await admin.post("/api/v1/generate", json={"function": asked["name"], "topic": "чае"})
    assert text.status_code == 200, text.text
    by_id = await admin.post("/api/v1/generate", json={"prompt_id": id, "variables": {"topic": "кофе"}})
    assert by_id.status_code == 200, by_id.text


@pytest.mark.parametrize("variables", [{"topic": "a\u202eb"}, {"topic": "a\u0000b"}])
async def test_a_value_that_turns_text_around_is_refused(admin: httpx.AsyncClient, variables: dict[str, str]) -> None:
    id = (await admin.post(PATH, json=poem())).json()["id"]
    answer = await admin.post(f"{PATH}/{id}/preview", json={"variables": variables})
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
    lines = await admin.post(f"{PATH}/{id}/preview", json={"variables": {"topic": "a\n\tb"}})
    assert (lines.status_code, lines.json()["text"]) == (200, "Стихи о a\n\tb")


async def test_versions_are_published_and_labels_moved_back(admin: httpx.AsyncClient) -> None:
    id = (await admin.post(PATH, json=poem())).json()["id"]
    variables = [{"name": "topic", "max_length": 10}, {"name": "tone", "default": ""}]
    second = {"template": "{% if tone %}{{ tone }}: {% endif %}{{ topic }}", "variables": variables}
    answer = await admin.post(f"{PATH}/{id}/versions", json=second)
    assert (answer.status_code, answer.json()["labels"]) == (201, {"production": 2})
    listed = (await admin.get(f"{PATH}/{id}/versions")).json()
    assert ([one["version"] for one in listed["results"]], listed["count"]) == ([2, 1], 2)
    newest = (await admin.get(f"{PATH}/{id}/versions", params={"limit": 1})).json()
    older = (await admin.get(newest["next"])).json()
    assert ([one["version"] for one in newest["results"]], [one["version"] for one in older["results"]]) == ([2], [1])
    assert (older["next"], older["count"]) == (None, 2)
    assert (await admin.get(f"{PATH}/{id}/versions", params={"limit": 201})).status_code == 422
    assert (await admin.get(f"{PATH}/{10**9}/versions")).json()["code"] == "no_such_prompt"
    assert (await admin.get(f"{PATH}/{id}/versions/1")).json()["template"] == POEM["template"]
    back = await admin.put(f"{PATH}/{id}/labels/production", json={"version": 1})
    assert back.json()["labels"] == {"production": 1}
    await admin.put(f"{PATH}/{id}/labels/next", json={"version": 2})
    assert (await admin.delete(f"{PATH}/{id}/labels/next")).json()["labels"] == {"production": 1}
    refused = await admin.delete(f"{PATH}/{id}/labels/production")
    assert (refused.status_code, refused.json()["code"]) == (409, "label_in_use")
    preview = await admin.post(
        f"{PATH}/{id}/preview", json={"version": 2, "variables": {"topic": "чай", "tone": "Тихо"}}
    )
    assert preview.json()["text"] == "Тихо: чай"


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"template": "{% for i in range(10**9) %}x{% endfor %}", "variables": []}, "invalid_template", "template"),
        ({"template": "{{ topic }} {{ tone }}"}, "invalid_prompt", "variables"),
        ({"variables": ["topic", "tone"]}, "invalid_prompt", "variables"),
        ({"variables": [{"name": "topic", "colour": 1}]}, "validation_failed", "variables"),
        ({"max_tokens": 0}, "invalid_prompt", "max_tokens"),
        ({"name": "Poem"}, "invalid_prompt", "name"),
        ({"labels": ["1"]}, "invalid_prompt", "labels"),
        ({"template": ""}, "validation_failed", "template"),
    ],
)
async def test_what_cannot_be_published_is_refused(
    admin: httpx.AsyncClient, changes: dict[str, object], code: str, field: str
) -> None:
    answer = await admin.post(PATH, json={**POEM, **changes})
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
    assert any(name.startswith(field) for name in answer.json()["errors"]), answer.text


async def test_a_name_is_taken_once_and_what_is_not_there_is_not_found(admin: httpx.AsyncClient) -> None:
    asked = poem()
    assert (await admin.post(PATH, json=asked)).status_code == 201
    assert (await admin.post(PATH, json=asked)).json()["code"] == "prompt_exists"
    version = {name: value for name, value in POEM.items() if name != "name"}
    for method, path, body in (
        ("GET", "/999", None),
        ("GET", "/999/versions", None),
        ("POST", "/999/versions", version),
        ("GET", "/1/versions/9", None),
        ("PUT", "/1/labels/x", {"version": 9}),
        ("POST", "/999/preview", {}),
    ):
        answer = await admin.request(method, PATH + path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (404, "no_such_prompt"), path


async def test_a_preview_names_what_is_missing_and_what_is_not_declared(admin: httpx.AsyncClient) -> None:
    answer = await admin.post(f"{PATH}/1/preview", json={"variables": {"colour": "red"}})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_variables")
    assert set(answer.json()["errors"]) == {"variables.topic", "variables.colour"}


async def test_clients_read_prompts_and_change_none(program: Program) -> None:
    client = program.client(token=await program.token(Role.CLIENT))
    listed = {one["name"] for one in (await client.get(PATH)).json()["results"]}
    assert listed >= {"article", "post", "summary"}
    assert (await client.post(PATH, json=POEM)).status_code == 403
