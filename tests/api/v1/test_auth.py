"""Coming in, staying and leaving over HTTP."""

import json

import jwt
import pytest

from core.access.stage import PASSWORD
from opora.api import openapi

pytestmark = pytest.mark.anyio

FORM = {"content-type": "application/x-www-form-urlencoded"}
ANNA = {"email": "anna@example.org", "password": PASSWORD}


@pytest.fixture
async def client(service, stage):
    """A client nobody knows, of a service that Anna may log in to."""
    await stage.a_person()
    return service.client()


@pytest.mark.parametrize(
    "sent",
    [
        {"json": ANNA},
        {"json": {"username": "ANNA@example.org", "password": PASSWORD}},
        {"data": {"username": "anna@example.org", "password": PASSWORD}},
        {"data": {"grant_type": "password", "username": "anna@example.org", "password": PASSWORD, "scope": ""}},
    ],
)
async def test_json_and_the_password_form_both_log_in(client, sent):
    answer = await client.post("/auth/login", **sent)
    assert answer.status_code == 200
    body = answer.json()
    assert body.keys() == {"access_token", "token_type", "expires_in", "refresh_token", "scope"}
    assert (body["token_type"], body["expires_in"]) == ("bearer", 900)
    assert answer.headers["cache-control"] == "no-store"


async def test_wrong_and_unknown_get_the_same_answer(client):
    answers = [
        await client.post("/auth/login", json={**ANNA, "password": "wrong"}),
        await client.post("/auth/login", json={**ANNA, "email": "nobody@example.org"}),
        await client.post("/auth/login", json={**ANNA, "email": "no address"}),
    ]
    bodies = [{**answer.json(), "trace_id": ""} for answer in answers]
    assert bodies[0] == bodies[1] == bodies[2] and bodies[0]["code"] == "credentials_wrong"
    assert {answer.status_code for answer in answers} == {401}
    assert all("www-authenticate" in answer.headers for answer in answers)


async def test_the_sixth_wrong_password_waits(client):
    for _ in range(5):
        assert (await client.post("/auth/login", json={**ANNA, "password": "wrong"})).status_code == 401
    answer = await client.post("/auth/login", json=ANNA)
    assert (answer.status_code, answer.json()["code"]) == (429, "login_limited")
    assert answer.json()["limit"] == 5 and answer.json()["remaining"] == 0 and answer.json()["reset_at"]
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert answer.headers.get_list("x-ratelimit-limit") == ["5"]
    assert answer.headers.get_list("x-ratelimit-remaining") == ["0"]
    assert len(answer.headers.get_list("x-ratelimit-reset")) == 1


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"json": {"email": "anna@example.org"}}, 422),
        ({"json": {"password": PASSWORD}}, 422),
        ({"json": {**ANNA, "username": "anna"}}, 422),
        ({"json": {**ANNA, "remember": True}}, 422),
        ({"json": {**ANNA, "password": "x" * 10_000}}, 422),
        ({"json": [ANNA]}, 422),
        ({"data": {"grant_type": "client_credentials", "username": "a", "password": "b"}}, 422),
        ({"data": {"username": "a"}}, 422),
        ({"content": b"username=a&username=b&password=c", "headers": FORM}, 422),
        ({"content": b"username=%ff&password=c", "headers": FORM}, 422),
        ({"content": b"a&" * 30, "headers": FORM}, 422),
        ({"content": b"{", "headers": {"content-type": "application/json"}}, 400),
        ({"content": b"", "headers": {"content-type": "application/json"}}, 400),
        ({"content": b"<a/>", "headers": {"content-type": "application/xml"}}, 415),
    ],
)  # fmt: skip
async def test_what_is_no_log_in_is_refused_by_name(client, sent, status):
    answer = await client.post("/auth/login", **sent)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("application/problem+json")


@pytest.mark.parametrize("type", [None, "application/json", "application/vnd.api+json"])
async def test_a_log_in_is_guarded_as_json_whatever_its_type_says(client, type):
    headers = {} if type is None else {"content-type": type}
    twice = b'{"email":"anna@example.org","password":"a","password":"b"}'
    answer = await client.post("/auth/login", content=twice, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_body")
    nul = b'{"email":"anna@example.org","password":"a\\u0000"}'
    answer = await client.post("/auth/login", content=nul, headers=headers)
    assert (answer.status_code, answer.json()["errors"].keys()) == (422, {"password"})


@pytest.mark.parametrize(
    ("sent", "named"),
    [
        ({"json": {}}, {"email", "password"}),
        ({"json": {"email": 5, "remember": True}}, {"email", "password", "remember"}),
        ({"json": {**ANNA, "username": "anna", "password": ""}}, {"email", "password"}),
        ({"data": {"grant_type": "password"}}, {"email", "password"}),
    ],
)  # fmt: skip
async def test_every_field_of_a_log_in_at_fault_is_named(client, sent, named):
    answer = await client.post("/auth/login", **sent)
    assert (answer.status_code, answer.json()["errors"].keys()) == (422, named)


async def test_a_session_from_log_in_over_refresh_to_log_out(client, service, stage):
    first = (await client.post("/auth/login", json=ANNA)).json()
    answer = await client.post("/auth/refresh", json={"refresh_token": first["refresh_token"]})
    assert answer.status_code == 200 and answer.headers["cache-control"] == "no-store"
    second = answer.json()
    repeated = (await client.post("/auth/refresh", json={"refresh_token": first["refresh_token"]})).json()
    assert repeated["refresh_token"] == second["refresh_token"]
    signed = service.client(token=second["access_token"])
    assert (await signed.get("/users/me")).json()["email"] == "anna@example.org"
    assert (await signed.post("/auth/logout")).status_code == 204
    refused = await signed.get("/users/me")
    assert refused.status_code == 401
    spent = await client.post("/auth/refresh", json={"refresh_token": second["refresh_token"]})
    assert (spent.status_code, spent.json()["code"]) == (401, "refresh_token_invalid")
    assert (await service.client(token=first["access_token"]).get("/users/me")).status_code == 401


async def test_a_spent_refresh_token_that_comes_late_ends_the_session(client, stage):
    first = (await client.post("/auth/login", json=ANNA)).json()
    await client.post("/auth/refresh", json={"refresh_token": first["refresh_token"]})
    stage.clock.pass_by(seconds=11)
    answer = await client.post("/auth/refresh", json={"refresh_token": first["refresh_token"]})
    assert (answer.status_code, answer.json()["code"]) == (401, "refresh_token_reused")


async def test_a_refresh_token_opens_nothing_else_and_a_key_cannot_log_out(client, service):
    pair = (await client.post("/auth/login", json=ANNA)).json()
    assert (await service.client(token=pair["refresh_token"]).get("/users/me")).status_code == 401
    assert (await client.post("/auth/logout")).status_code == 401
    answer = await (await service.keyed("admin")).post("/auth/logout")
    assert (answer.status_code, answer.json()["code"]) == (401, "token_malformed")


async def test_others_check_our_tokens_by_the_published_keys(client):
    pair = (await client.post("/auth/login", json=ANNA)).json()
    answer = await client.get("http://opora.test/.well-known/jwks.json")
    assert answer.status_code == 200 and "max-age=300" in answer.headers["cache-control"] and answer.headers["etag"]
    (key,) = answer.json()["keys"]
    assert key["kid"] == jwt.get_unverified_header(pair["access_token"])["kid"]
    unchecked = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}
    public = jwt.PyJWK.from_json(json.dumps(key)).key
    claims = jwt.decode(pair["access_token"], public, [key["alg"]], unchecked, audience="opora", issuer="opora")
    assert claims["scope"] == pair["scope"]


async def test_the_published_document_tells_both_forms_of_a_log_in(service):
    paths = openapi.schema(service.bare)["paths"]
    content = paths["/api/v1/auth/login"]["post"]["requestBody"]["content"]
    assert content.keys() == {"application/json", "application/x-www-form-urlencoded"}
    assert "password" in content["application/json"]["schema"]["required"]
    assert paths["/api/v1/admin/api-keys"]["post"]["x-scopes"] == ["keys:write"]
