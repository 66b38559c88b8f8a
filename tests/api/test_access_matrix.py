"""Who gets where: every operation of the program against every kind of caller. Nobody gets in who may not."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from api import operations
from api.operations import GUARDED, NOWHERE, OPERATIONS, SCOPED, address, content, named, parameters
from api.program import ELSEWHERE, Program
from opora.api.policy import Access, Operation
from opora.core.access.model.keys import IssuedKey
from opora.core.access.model.keytext import Environment, KeyFormat
from opora.core.access.model.scopes import ROLE_SCOPES, SCOPES, Role, scopes_of

pytestmark = pytest.mark.anyio

OWNED = {
    "profile_id": "no_such_profile",
    "export_id": "no_such_export",
    "key_id": "no_such_key",
    "project_id": "no_such_project",
    "number_id": "no_such_number",
    "suppression_id": "no_such_suppression",
}
"""Records that belong to somebody, and what everyone else is told of them."""
ABOUT_OWNED = [one for one in GUARDED if OWNED.keys() & {*parameters(one), *(operations.body(one, **OWNED) or {})}]
LEAVING = {"DELETE /api/v1/users/me"}
NOT_LEAVING = [one for one in GUARDED if "/auth/logout" not in one.path and named(one) not in LEAVING]
"""Operations that leave the caller and their session as they are; a key has none to end."""
WAYS_IN = {
    "anonymous": (401, "unauthenticated"),
    "expired": (401, "key_expired"),
    "revoked": (401, "key_revoked"),
    "disabled": (401, "key_disabled"),
    "mistyped": (401, "key_malformed"),
    "unknown": (401, "key_unknown"),
    "elsewhere": (403, "address_not_allowed"),
    "bad token": (401, "token_invalid"),
}
"""Callers who are not let in anywhere, and what they are told."""


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
async def strangers(program: Program) -> dict[str, dict[str, Any]]:
    """Credentials that are not good, each for its own reason; the scopes of their keys would do."""
    expired = await program.expired()
    good = await program.key()
    mistyped = good.key[:-1] + ("0" if good.key[-1] != "0" else "1")
    return {
        "anonymous": {},
        "expired": {"key": expired.key},
        "revoked": {"key": (await program.revoked(await program.key())).key},
        "disabled": {"key": (await program.disabled(await program.key())).key},
        "mistyped": {"key": mistyped},
        "unknown": {"key": KeyFormat().compose(Environment.LIVE, bytes(32)).text},
        "elsewhere": {"key": (await program.key(allowed_ips=("203.0.113.0/24",))).key, "address": ELSEWHERE},
        "bad token": {"token": "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.AAAA"},
    }


async def call(client: httpx.AsyncClient, operation: Operation, **own: Any) -> httpx.Response:
    """Make the smallest call of an operation that it would accept."""
    async with client:
        return await client.request(operation.method, address(operation, **own), **content(operation, **own))


def refusal(answer: httpx.Response) -> dict[str, Any]:
    """Return what a refusal says."""
    said = operations.refusal(answer)
    assert said is not None, answer.text
    return said


def told(answer: httpx.Response) -> tuple[int, str]:
    """Return the status and the code of a refusal."""
    return answer.status_code, refusal(answer)["code"]


def is_let_in(answer: httpx.Response) -> bool:
    """Tell whether an answer is about the call and no more about the caller.

    That a caller may not hand on more rights than it has, or is no person and so has no documents, is about the call.
    """
    if answer.status_code == 403:
        return told(answer)[1] in {"beyond_own_rights", "no_person", "no_balance_of_ones_own"}
    return answer.status_code not in {401, 429} and answer.status_code < 500


def test_the_program_serves_the_operations_of_these_tests_and_no_other(program: Program) -> None:
    served = {(one.method, one.path, one.policy) for one in program.gate.routes.operations}
    assert served == {(one.method, one.path, one.policy) for one in OPERATIONS}


def test_every_scope_that_a_route_wants_is_listed_and_every_listed_one_is_held_by_some_role() -> None:
    wanted = {scope for one in OPERATIONS for scope in one.policy.scopes}
    assert wanted <= SCOPES.keys()
    assert all(granted <= SCOPES.keys() for granted in ROLE_SCOPES.values())


def test_every_record_in_an_address_is_known_to_be_owned_or_not() -> None:
    unsaid = {name for one in OPERATIONS for name in parameters(one)} - OWNED.keys() - operations.PLACES.keys()
    assert not unsaid, "say in OWNED whose these are, and how one is made in `owned`"


@pytest.mark.parametrize("operation", GUARDED, ids=named)
async def test_a_caller_who_is_nobody_is_told_so(
    program: Program, strangers: dict[str, dict[str, Any]], operation: Operation
) -> None:
    answers = {name: told(await call(program.client(**one), operation)) for name, one in strangers.items()}
    assert answers == WAYS_IN


@pytest.mark.parametrize("operation", GUARDED, ids=named)
async def test_a_refusal_says_how_to_come_in(program: Program, operation: Operation) -> None:
    answer = await call(program.client(), operation)
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert refusal(answer)["trace_id"]


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if one not in GUARDED], ids=named)
async def test_bad_credentials_change_nothing_where_anyone_may_call(
    program: Program, strangers: dict[str, dict[str, Any]], operation: Operation
) -> None:
    answers = [(await call(program.client(**one), operation)).status_code for one in strangers.values()]
    assert len(set(answers)) == 1, dict(zip(strangers, answers, strict=True))
    if operation.policy.access is Access.INTERNAL:
        assert set(answers) == {404}
    assert answers[0] < 500


@pytest.mark.parametrize("operation", SCOPED, ids=named)
async def test_a_key_lacking_one_of_the_scopes_is_told_which(program: Program, operation: Operation) -> None:
    for lacking in operation.policy.scopes:
        key = await program.key(*(SCOPES.keys() - {lacking, "admin"}))
        answer = await call(program.client(key=key.key), operation)
        assert told(answer) == (403, "insufficient_scope")
        said = refusal(answer)
        assert said["missing"] == [lacking] if "missing" in said else lacking in said["message"]


@pytest.mark.parametrize("operation", NOT_LEAVING, ids=named)
async def test_a_key_with_just_the_scopes_is_let_in(program: Program, operation: Operation) -> None:
    key = await program.key(*(operation.policy.scopes or ("profiles:read",)))
    assert is_let_in(await call(program.client(key=key.key), operation))


@pytest.fixture(scope="module")
async def tokens(program: Program) -> dict[Role, str]:
    """An access token of a person of each role."""
    return {role: await program.token(role) for role in Role}


@pytest.mark.parametrize("operation", NOT_LEAVING, ids=named)
async def test_each_role_gets_where_its_scopes_lead_and_no_further(
    program: Program, tokens: dict[Role, str], operation: Operation
) -> None:
    for role, token in tokens.items():
        granted = scopes_of([role])
        answer = await call(program.client(token=token), operation)
        if "admin" in granted or granted >= set(operation.policy.scopes):
            assert is_let_in(answer), (role, answer.text)
        else:
            assert told(answer) == (403, "insufficient_scope"), role


async def owned(program: Program, key: IssuedKey) -> dict[str, Any]:
    """Make one record of each kind with this key."""
    async with program.client(key=key.key) as client:
        people = await client.post("/api/v1/profiles/generate", json={"persist": True})
        profile_id = people.json()["profiles"][0]["id"]
        export = await client.post("/api/v1/exports", json={"profile_id": profile_id, "format": "json"})
        made = await client.post("/api/v1/admin/api-keys", json={"label": "mine", "scopes": ["profiles:read"]})
        campaign = await owned_campaign(program, client)
    own = {"profile_id": profile_id, "export_id": export.json()["export_id"], "key_id": made.json()["id"]}
    return {**own, **campaign}


async def owned_campaign(program: Program, client: httpx.AsyncClient) -> dict[str, Any]:
    """Make a project with all that hangs on one; what is nobody's own (a provider, an area, a user) is there too."""
    own: dict[str, Any] = {}
    for name, path, body in (
        ("project_id", "/projects", {"name": "mine"}),
        ("provider_id", "/providers", {"name": "anyone's"}),
        ("geo_id", "/geo", {"country_code": "RU"}),
    ):
        own[name] = (await client.post(f"/api/v1{path}", json=body)).json()["id"]
    own["user_id"] = await program.user_id(Role.MANAGER)
    for link, name in (("providers", "provider_id"), ("geo", "geo_id"), ("managers", "user_id")):
        await client.post(f"/api/v1/projects/{own['project_id']}/{link}", json={name: own[name]})
    phone = {"phone_number": "+79161234567", "project_id": own["project_id"]}
    own["number_id"] = (await client.post("/api/v1/phone-numbers", json=phone)).json()["id"]
    entry = {"phone_number": "+79161234568", "project_id": own["project_id"]}
    own["suppression_id"] = (await client.post("/api/v1/suppression-list", json=entry)).json()["id"]
    return own


def nobodys(own: dict[str, Any]) -> dict[str, Any]:
    """Return ids of the same kinds that no record has."""
    return {name: NOWHERE if isinstance(one, str) else 2**53 for name, one in own.items()}


def own_scopes() -> Sequence[str]:
    """Return every scope that does not reach beyond one's own records."""
    return sorted(SCOPES.keys() - {"admin", "profiles:read_all", "projects:read_all"})


@pytest.mark.parametrize("operation", ABOUT_OWNED, ids=named)
async def test_a_record_is_its_owners_and_an_admins_and_for_others_it_is_not_there(
    program: Program, operation: Operation
) -> None:
    mine, yours = await program.key(*own_scopes()), await program.key(*own_scopes())
    own = await owned(program, mine)
    refused = await call(program.client(key=yours.key), operation, **own)
    absent = await call(program.client(key=yours.key), operation, **nobodys(own))
    assert told(refused) == told(absent)
    assert told(refused)[0] == 404
    assert told(refused)[1] in OWNED.values()
    assert refused.json()["detail"] == absent.json()["detail"]
    admin = await program.key("admin")
    answers = [await call(program.client(key=admin.key), operation, **own)]
    if operation.method != "DELETE":
        answers.append(await call(program.client(key=mine.key), operation, **own))
    for answer in answers:
        assert is_let_in(answer) and answer.status_code != 404, answer.text


@pytest.mark.parametrize("path", ["/profiles", "/profiles/export", "/exports", "/admin/api-keys"])
async def test_a_list_shows_ones_own_and_all_to_an_admin(program: Program, path: str) -> None:
    mine, yours = await program.key(*own_scopes()), await program.key(*own_scopes())
    own = await owned(program, mine)
    async with program.client(key=mine.key) as client:
        assert str(own[kind(path)]) in (await client.get(f"/api/v1{path}")).text
    async with program.client(key=yours.key) as client:
        answer = (await client.get(f"/api/v1{path}")).json()
        assert answer == [] or (answer["count"], answer["results"]) == (0, [])
    async with program.client(key=(await program.key("admin")).key) as client:
        assert str(own[kind(path)]) in (await client.get(f"/api/v1{path}")).text


def kind(path: str) -> str:
    """Return which record a list is of."""
    return {"/exports": "export_id", "/admin/api-keys": "key_id"}.get(path, "profile_id")


async def test_postgresql_lets_the_same_callers_in(postgres_url: str, tmp_path: Path) -> None:
    told_secret = {"OPORA_DATABASE_URL": postgres_url, "OPORA_SECRET_KEY": "a secret of at least thirty-two bytes"}
    async with Program.over(tmp_path, **told_secret) as program:
        admin, nobody = await program.key("admin"), await program.disabled(await program.key("admin"))
        yours, tried = await program.key(*own_scopes()), await program.key("profiles:read")
        for operation in NOT_LEAVING:
            assert told(await call(program.client(), operation)) == WAYS_IN["anonymous"]
            assert told(await call(program.client(key=nobody.key), operation)) == WAYS_IN["disabled"]
            assert is_let_in(await call(program.client(key=admin.key), operation, key_id=tried.id)), operation
        for operation in ABOUT_OWNED:
            own = await owned(program, admin)
            assert told(await call(program.client(key=yours.key), operation, **own))[0] == 404
