"""What the contract says of every route at once, on the whole program."""

import ast
import json
import re
from collections.abc import AsyncIterator
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import uuid4

import anyio
import httpx
import pytest

import opora
from api.operations import APPLICATION, DOCUMENT, OPERATIONS, described, named, parameters
from api.program import ELSEWHERE, Program
from opora.api import openapi
from opora.api.policy import Access, Operation
from opora.bootstrap.http import openapi_document
from opora.core.access.model.scopes import SCOPES

pytestmark = pytest.mark.anyio

SNAPSHOT = Path(__file__).parent / "openapi.json"
READABLE = [one for one in OPERATIONS if one.method == "GET" and not parameters(one)]
LIMITED = {"ratelimit-policy", "ratelimit", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"}
WITHOUT_ROUTE = {
    "admin",
    "appointments:read_all",
    "billing:manage",
    "documents:read_all",
    "jobs:read",
    "jobs:write",
    "profiles:read_all",
    "projects:read_all",
}
"""Scopes that no route asks for: some widen what others reach, and jobs are read and retried by commands alone."""

WORDLESS = {"/api/v1/oauth/revoke"}
"""Routes whose good answer has no body by the standard they follow."""


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """The program outlives a test."""
    return "asyncio"


@pytest.fixture(scope="module")
async def program(anyio_backend: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Program]:
    """The program in the embedded set-up."""
    async with Program.over(tmp_path_factory.mktemp("home")) as program:
        yield program


@pytest.fixture(scope="module")
async def client(program: Program) -> AsyncIterator[httpx.AsyncClient]:
    """A client that may do everything."""
    async with program.client(key=(await program.key("admin")).key) as client:
        yield client


async def test_what_is_served_is_what_the_command_prints_and_has_not_changed_unseen(client: httpx.AsyncClient) -> None:
    assert (await client.get("/openapi.json")).content == openapi_document()
    assert json.loads(SNAPSHOT.read_text()) == DOCUMENT, "`make openapi` renews the snapshot of a change that is meant"


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if described(one)], ids=named)
def test_every_operation_is_told_whole(operation: Operation) -> None:
    found = described(operation) or {}
    assert found["operationId"] and found["summary"] and found["tags"]
    assert bool(found["security"]) == (operation.policy.access in {Access.SCOPES, Access.SIGNED_IN})
    assert {one["name"] for one in found.get("parameters", ()) if one["in"] == "path"} == set(parameters(operation))
    good = {status: answer for status, answer in found["responses"].items() if status.startswith("2")}
    assert good
    for status, answer in good.items():
        assert ("content" in answer) == (status != "204" and operation.path not in WORDLESS), status
        assert all(one["schema"] for one in answer.get("content", {}).values()), status
    if operation.policy.access is not Access.EXEMPT:
        assert {"400", "422", "429", "503"} <= found["responses"].keys()


def test_every_reference_of_the_document_leads_somewhere() -> None:
    for reference in set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(DOCUMENT))):
        node: Any = DOCUMENT
        for part in reference.split("/"):
            assert part in node, reference
            node = node[part]


@pytest.mark.parametrize(
    ("path", "repeated"),
    [("/dbo/documents", {"201", "200"}), ("/projects/{project_id}/geo", {"201", "200"}), ("/geo", {"201"})],
)
def test_what_may_be_there_already_says_so(path: str, repeated: set[str]) -> None:
    answers = DOCUMENT["paths"][f"/api/v1{path}"]["post"]["responses"]
    assert {status for status in answers if status.startswith("2")} == repeated


def test_refusals_in_a_form_of_their_own_are_told_in_it() -> None:
    answers = DOCUMENT["paths"]["/api/v1/chat/completions"]["post"]["responses"]
    assert answers["429"] == answers["402"] == {"$ref": "#/components/responses/OpenAiRefusal"}


def test_no_part_of_the_program_is_shown_as_a_parameter() -> None:
    names = {p["name"] for item in DOCUMENT["paths"].values() for o in item.values() for p in o.get("parameters", ())}
    assert not names & {"actor", "views", "cursors", "clock", "generate", "registry", "log"}
    assert "9223372036854775808" not in openapi.snapshot(APPLICATION)


@pytest.mark.parametrize("operation", READABLE, ids=named)
async def test_head_answers_as_get_does_without_its_body(client: httpx.AsyncClient, operation: Operation) -> None:
    answer, head = await client.get(operation.path), await client.head(operation.path)
    assert head.status_code == answer.status_code
    assert head.content == b""
    assert head.headers["content-type"] == answer.headers["content-type"]


@pytest.mark.parametrize("path", ["/profiles", "/exports", "/admin/api-keys", "/audit-log", "/users", "/versions"])
async def test_one_rule_of_prefixes_and_slashes_for_every_route(client: httpx.AsyncClient, path: str) -> None:
    addresses = [f"{prefix}{path}{end}" for prefix in ("/api/v1", "/v1", "/api") for end in ("", "/")]
    assert {(await client.get(one)).status_code for one in addresses} == {200}
    assert (await client.get(f"/api/v2{path}")).status_code == 404


@pytest.mark.parametrize("operation", [one for one in READABLE if one.policy.access is not Access.EXEMPT], ids=named)
async def test_every_answer_under_a_limit_tells_what_is_left(client: httpx.AsyncClient, operation: Operation) -> None:
    for answer in (await client.get(operation.path), await client.get(f"{operation.path}?unheard_of=1")):
        assert answer.headers.keys() >= LIMITED


async def test_names_of_a_request_are_echoed_and_traced(client: httpx.AsyncClient) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    headers = {"x-request-id": "mine-1", "traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    answer = await client.get("/api/v1/profiles/999999", headers=headers)
    assert answer.headers["x-request-id"] == "mine-1"
    assert answer.json()["trace_id"] == trace
    odd = await client.get("/api/v1/profiles", headers={"x-request-id": "a" * 5000})
    assert odd.headers["x-request-id"] and len(odd.headers["x-request-id"]) < 300


async def test_the_type_of_a_problem_is_the_address_of_a_page(client: httpx.AsyncClient) -> None:
    told = (await client.get("/api/v1/profiles/999999")).json()
    assert told["type"].endswith(f"/problems/{told['code']}")
    page = await client.get(f"/problems/{told['code']}")
    assert (page.status_code, page.headers["content-type"].split(";")[0]) == (200, "text/html")


MAKING = {
    "/api/v1/profiles/generate": {"persist": True, "count": 2},
    "/api/v1/admin/api-keys": {"label": "again", "scopes": ["profiles:read"]},
    "/api/v1/users": {"email": "again@example.org"},
}


@pytest.mark.parametrize("path", MAKING)
async def test_a_call_repeated_makes_one_thing_and_answers_the_same(client: httpx.AsyncClient, path: str) -> None:
    key = {"idempotency-key": str(uuid4())}
    first, again = [await client.post(path, json=MAKING[path], headers=key) for _ in range(2)]
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["location"] == first.headers["location"]
    assert (await client.get(first.headers["location"])).status_code == 200
    other = await client.post(path, json=MAKING[path] | {"locale": "en_US", "label": "x"}, headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


async def test_a_rotation_repeated_gives_the_same_new_key(program: Program, client: httpx.AsyncClient) -> None:
    old = await program.key("profiles:read")
    place, key = f"/api/v1/admin/api-keys/{old.id}/rotate", {"idempotency-key": str(uuid4())}
    first, again = [await client.post(place, json={"overlap_seconds": 60}, headers=key) for _ in range(2)]
    assert (first.status_code, first.content) == (201, again.content)
    async with program.client(key=again.json()["key"]) as renewed:
        assert (await renewed.get("/api/v1/profiles")).status_code == 200


async def test_of_two_equal_calls_at_once_one_runs(client: httpx.AsyncClient) -> None:
    key, statuses = {"idempotency-key": str(uuid4())}, []

    async def call() -> None:
        answer = await client.post("/api/v1/profiles/generate", json={"persist": True}, headers=key)
        statuses.append((answer.status_code, answer.json().get("code")))

    async with anyio.create_task_group() as group:
        for _ in range(4):
            group.start_soon(call)
    assert {status for status, _ in statuses} <= {201, 409}
    assert {code for status, code in statuses if status == 409} <= {"idempotency_still_running"}


async def test_what_a_key_made_is_its_successors_too(program: Program, client: httpx.AsyncClient) -> None:
    scopes = ("profiles:read", "profiles:write", "exports:read", "exports:write")
    old = await program.key(*scopes)
    async with program.client(key=old.key) as before:
        made = await before.post("/api/v1/profiles/generate", json={"persist": True})
        profile_id = made.json()["profiles"][0]["id"]
        export = await before.post("/api/v1/exports", json={"profile_id": profile_id, "format": "json"})
    rotated = await client.post(f"/api/v1/admin/api-keys/{old.id}/rotate")
    async with program.client(key=rotated.json()["key"]) as after:
        assert (await after.get(made.headers["location"])).json()["id"] == profile_id
        assert (await after.get(export.headers["location"])).json()["profile_id"] == profile_id
        assert (await after.get(f"/api/v1/profiles?source_key={old.id}")).json()["count"] == 1


async def test_an_export_is_told_whole_and_not_given_out_early(client: httpx.AsyncClient) -> None:
    made = await client.post("/api/v1/profiles/generate", json={"persist": True})
    wish = {"profile_id": made.json()["profiles"][0]["id"], "format": "pdf"}
    asked = await client.post("/api/v1/exports", json=wish)
    assert (asked.status_code, asked.json()["status"]) == (202, "queued")
    place = asked.headers["location"]
    names = "id profile_id format status progress requested_at completed_at download_url error"
    assert (await client.get(place)).json().keys() == set(names.split())
    early = await client.get(f"{place}/download")
    assert (early.status_code, early.json()["code"]) == (409, "export_not_ready")


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ("created_after=2020-01-01T00:00:00Z", 3),
        ("created_before=2020-01-01T00:00:00Z", 0),
        ("source_key=key:999", 0),
        ("locale=de_DE", 2),
        ("locale=de_DE&created_after=2020-01-01T00:00:00%2B03:00", 2),
        ("q=zzzzzz", 0),
    ],
)
async def test_profiles_are_found_by_each_filter(program: Program, filters: str, count: int) -> None:
    key = await program.key("profiles:read", "profiles:write")
    async with program.client(key=key.key) as client:
        await client.post("/api/v1/profiles/generate", json={"persist": True, "count": 2, "locale": "de_DE"})
        await client.post("/api/v1/profiles/generate", json={"persist": True})
        assert (await client.get(f"/api/v1/profiles?{filters}")).json()["count"] == count


async def test_a_version_is_deprecated_and_told_of_on_every_answer(program: Program) -> None:
    async with program.client(key=(await program.key("admin")).key) as client:
        change = {"status": "deprecated", "deprecated_on": "2030-01-01", "sunset_on": "2199-01-01", "successor": "v2"}
        assert (await client.patch("/api/v1/admin/versions/v1", json=change)).status_code == 200
        program.gate.versions.forget()
        answer = await client.get("/api/v1/versions")
        assert answer.json()["results"][0]["successor"] == "v2"
        assert {"deprecation", "sunset", "link"} <= answer.headers.keys()
        back = {"status": "stable", "deprecated_on": None, "sunset_on": None, "successor": None}
        assert (await client.patch("/api/v1/admin/versions/v1", json=back)).status_code == 200
        program.gate.versions.forget()


REFUSED = [
    ({"count": 0}, "count"),
    ({"count": 101}, "count"),
    ({"count": "ten"}, "count"),
    ({"locale": "xx_XX"}, "locale"),
    ({"age_min": 60, "age_max": 20}, "age_min"),
    ({"count": -(2**63)}, "count"),
]


@pytest.mark.parametrize(("wish", "field"), REFUSED, ids=str)
async def test_a_wish_for_impossible_people_is_refused_by_field(
    client: httpx.AsyncClient, wish: dict[str, object], field: str
) -> None:
    answer = await client.post("/api/v1/profiles/generate", json=wish | {"persist": True})
    assert answer.status_code == 422
    assert any(name.startswith(field[:3]) for name in answer.json()["errors"])


async def test_a_format_that_does_not_exist_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/v1/exports", json={"profile_id": 1, "format": "docx"})
    assert (answer.status_code, answer.json()["errors"].keys()) == (422, {"format"})
    assert (await client.get("/api/v1/profiles/export?format=xml")).status_code == 422


async def test_each_end_of_a_key_is_told_by_its_code(program: Program) -> None:
    good = await program.key("profiles:write")
    bound = await program.key(allowed_ips=("203.0.113.0/24",))
    typo = good.key[:20] + ("a" if good.key[20] != "a" else "b") + good.key[21:]
    expired, revoked = await program.expired(), await program.revoked(await program.key())
    told = {}
    for name, key in {"good": good.key, "expired": expired.key, "revoked": revoked.key, "typo": typo}.items():
        async with program.client(key=key) as client:
            told[name] = (await client.get("/api/v1/profiles")).json()["code"]
    async with program.client(key=bound.key, address=ELSEWHERE) as client:
        told["bound"] = (await client.get("/api/v1/profiles")).json()["code"]
    assert told == {
        "good": "insufficient_scope",
        "expired": "key_expired",
        "revoked": "key_revoked",
        "typo": "key_malformed",
        "bound": "address_not_allowed",
    }


def scopes_asked_for() -> set[str]:
    """Return every scope that the program's text asks an actor for."""
    found: set[str] = {scope for one in OPERATIONS for scope in one.policy.scopes}
    for file in Path(opora.__path__[0]).glob("core/**/*.py"):
        module = ".".join(("opora", *file.relative_to(opora.__path__[0]).with_suffix("").parts))
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "may":
                asked = node.args[0]
                name = asked.id if isinstance(asked, ast.Name) else ""
                value = asked.value if isinstance(asked, ast.Constant) else getattr(import_module(module), name, None)
                found |= {value} if isinstance(value, str) else set()
    return found


def test_the_scopes_asked_for_are_the_scopes_that_can_be_granted() -> None:
    assert scopes_asked_for() <= SCOPES.keys()
    assert SCOPES.keys() - {scope for one in OPERATIONS for scope in one.policy.scopes} == WITHOUT_ROUTE
    assert all(re.fullmatch(r"admin|[a-z]+:[a-z_]+", one) for one in SCOPES)
