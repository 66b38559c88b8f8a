"""What a gateway is told, and what it can not be talked into."""

import json

import jwt
import pytest

from core.access.stage import PASSWORD
from opora.api.v1.gateway import TOLD
from opora.core.access.model.keys import NewKey
from opora.core.access.model.scopes import Role
from opora.core.access.model.tokens import KeyPurpose
from opora.core.kernel.model import SYSTEM

pytestmark = pytest.mark.anyio

GATEWAY = "10.0.0.1"
VALIDATE = "http://opora.test/api/auth/internal/jwt/validate"
FORWARD = "http://opora.test/authz/forward"
BOTH = pytest.mark.parametrize("url", [VALIDATE, FORWARD])


@pytest.fixture
async def token(service, stage):
    """An access token of Anna, who is a client and staff."""
    await stage.a_person(Role.CLIENT, Role.STAFF)
    answer = await service.client().post("/auth/login", json={"email": "anna@example.org", "password": PASSWORD})
    return answer.json()["access_token"]


async def asked(service, url=VALIDATE, *, address=GATEWAY, method="GET", **credentials):
    headers = credentials.pop("headers", {})
    async with service.client(**credentials, address=address) as client:
        return await client.request(method, url, headers=headers)


@BOTH
@pytest.mark.parametrize("prefix", ["/api", "/api/v1", "/v1"])
async def test_a_token_is_told_in_headers_that_are_all_there(service, token, url, prefix):
    path = url.removeprefix("http://opora.test").removeprefix("/api")
    answer = await asked(service, f"http://opora.test{prefix}{path}", token=token)
    assert answer.status_code == 204 and answer.content == b""
    told = {name: answer.headers[name] for name in TOLD}
    assert told["X-User-Id"] == "1" and told["X-Roles"] == "client,staff"
    assert "profiles:read" in told["X-Scopes"].split(",")
    assert (told["X-Subscription-Tier"], told["X-Email-Verified"], told["X-Api-Key-Id"]) == ("free", "false", "")


async def test_a_key_is_told_by_its_id_and_what_it_has_not_is_empty(service, stage):
    made = await stage.issue(SYSTEM, NewKey(label="QA", scopes=frozenset({"profiles:read", "exports:read"})))
    for credentials in ({"key": made.key}, {"token": made.key}):
        answer = await asked(service, **credentials)
        told = [answer.headers[name] for name in TOLD]
        assert told[:6] == ["", "exports:read,profiles:read", "", "", "false", str(made.id)]


async def test_the_key_of_a_person_is_told_with_what_the_person_is_now(service, stage, token):
    wanted = NewKey(label="mine", scopes=frozenset({"profiles:read", "keys:write"}), owner_id=1)
    made = await stage.issue(SYSTEM, wanted)
    answer = await asked(service, key=made.key)
    told = [answer.headers[name] for name in TOLD]
    assert told[:6] == ["1", "profiles:read", "client,staff", "free", "false", str(made.id)]


@BOTH
async def test_the_identity_is_signed_for_one_service_for_a_minute(service, stage, token, url):
    answer = await asked(service, f"{url}?upstream=ai-service", token=token)
    text = answer.headers["X-Opora-Identity"]
    (key,) = stage.ring.jwks(KeyPurpose.IDENTITY)["keys"]
    assert jwt.get_unverified_header(text) == {"alg": "ES256", "kid": key["kid"], "typ": "opora-identity+jwt"}
    unchecked = {"verify_exp": False, "verify_iat": False}
    claims = jwt.decode(text, jwt.PyJWK(key).key, ["ES256"], unchecked, audience="ai-service", issuer="opora")
    assert (claims["sub"], claims["user_id"], claims["roles"], claims["tier"]) == ("1", 1, ["client", "staff"], "free")
    assert claims["exp"] - claims["iat"] == 60 and "api_key_id" not in claims and claims["sid"] == 1
    refused = await service.client(token=text).get("/users/me")
    assert refused.status_code == 401, "an identity is no access token"


@BOTH
async def test_who_is_nobody_is_refused_with_a_way_in(service, url):
    for credentials in ({}, {"token": "a.b.c"}, {"key": "opk_live_nonsense"}):
        answer = await asked(service, url, **credentials)
        assert answer.status_code == 401 and answer.headers["www-authenticate"].startswith("Bearer")
        line = json.loads(answer.headers["x-opora-problem"])
        assert line["code"] == answer.json()["code"] and "instance" not in line


@BOTH
async def test_a_scope_that_is_asked_for_must_be_held(service, token, url):
    assert (await asked(service, f"{url}?scope=profiles:read,exports:read", token=token)).status_code == 204
    refused = await asked(service, f"{url}?scope=profiles:read%20audit:read", token=token)
    assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")
    assert refused.json()["scopes"] == ["audit:read"]
    assert (await asked(service, f"{url}?scope=%0a", token=token)).status_code == 422


async def test_who_left_was_blocked_or_demoted_is_told_so_at_once(service, stage, token):
    await service.client(token=token).post("/auth/logout")
    assert (await asked(service, token=token)).status_code == 401


@BOTH
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "HEAD"])
async def test_from_elsewhere_there_is_no_such_route_whatever_is_sent(service, token, url, method):
    for credentials in ({}, {"token": token}, {"token": "a.b.c"}, {"key": "opk_live_nonsense"}):
        answer = await asked(service, url, address="192.0.2.7", method=method, **credentials)
        assert answer.status_code == 404
        assert "allow" not in answer.headers and "x-user-id" not in answer.headers


async def test_a_client_of_a_trusted_proxy_is_elsewhere(service, token):
    outside = {"x-forwarded-for": "203.0.113.9"}
    assert (await asked(service, VALIDATE, token=token, headers=outside)).status_code == 404
    # Proxies that forward calls to be judged always say for whom: their own address counts.
    assert (await asked(service, FORWARD, token=token, headers=outside)).status_code == 204
    assert (await asked(service, FORWARD, token=token, headers=outside, address="192.0.2.7")).status_code == 404


async def test_a_gateway_says_for_whom_it_asks_and_only_one_that_is_trusted_is_believed(service, stage):
    wanted = NewKey(label="QA", scopes=frozenset({"profiles:read"}), allowed_ips=("203.0.113.0/24",))
    key = (await stage.issue(SYSTEM, wanted)).key
    inside, outside = {"x-gateway-client": "203.0.113.9"}, {"x-gateway-client": "198.51.100.9"}
    assert (await asked(service, key=key, headers=inside)).status_code == 204
    refused = await asked(service, key=key, headers=outside)
    assert (refused.status_code, refused.json()["code"]) == (403, "address_not_allowed")
    for headers in ({}, {"x-gateway-client": "nonsense"}):
        assert (await asked(service, key=key, headers=headers)).status_code == 403
    assert (await asked(service, key=key, headers=inside, address="127.0.0.1")).status_code == 403
    twice = [("x-gateway-client", "198.51.100.9"), ("x-gateway-client", "203.0.113.9")]
    assert (await asked(service, key=key, headers=twice)).status_code == 400
    forwarded = {"x-forwarded-for": "203.0.113.9"}
    assert (await asked(service, FORWARD, key=key, headers=forwarded)).status_code == 204


async def test_a_call_is_charged_where_the_gateway_says_so_and_a_spent_limit_is_told_in_full(service, stage):
    wanted = NewKey(label="QA", scopes=frozenset({"profiles:read"}), rate_limit_per_min=3)
    key = (await stage.issue(SYSTEM, wanted)).key
    for _ in range(5):
        assert (await asked(service, key=key)).status_code == 204
    charged = {"x-gateway-charge": "1"}
    answers = [await asked(service, key=key, headers=charged) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [204, 204, 204, 429]
    spent = answers[-1]
    assert spent.headers["x-ratelimit-remaining"] == "0" and spent.headers["ratelimit"] and spent.headers["retry-after"]
    line = json.loads(spent.headers["x-opora-problem"])
    assert (line["limit"], line["remaining"], line["code"]) == (3, 0, "rate_limited") and line["reset_at"]
    assert (await asked(service, FORWARD, key=key)).status_code == 429
    assert (await asked(service, key=key)).status_code == 429, "who has spent it does not pass by a gateway that asks"


async def test_forwarded_calls_are_charged(service, stage):
    wanted = NewKey(label="QA", scopes=frozenset({"profiles:read"}), rate_limit_per_min=2)
    key = (await stage.issue(SYSTEM, wanted)).key
    assert [(await asked(service, FORWARD, key=key)).status_code for _ in range(3)] == [204, 204, 429]


async def test_what_a_client_says_of_itself_is_not_believed(service, token):
    claimed = dict.fromkeys(TOLD, "1") | {"X-Subscription-Tier": "premium", "X-Email-Verified": "true"}
    honest, lied = await asked(service, token=token), await asked(service, token=token, headers=claimed)
    for name in TOLD[:-1]:
        assert honest.headers[name] == lied.headers[name]
    for alias in ("X_User_Id", "X.User.Id", "x_scopes", "X-Email_Verified", "X_Opora_Identity"):
        answer = await asked(service, token=token, headers={alias: "1"})
        assert (answer.status_code, answer.json()["code"]) == (400, "identity_header_refused")


async def test_a_gateway_is_not_held_for_the_bad_credentials_of_its_clients(service, stage, token):
    for number in range(120):
        assert (await asked(service, key=f"opk_live_{number}")).status_code == 401
    assert (await asked(service, token=token)).status_code == 204
    attacker = {"x-gateway-client": "198.51.100.66"}
    answers = {(await asked(service, key=f"opk_live_{n}", headers=attacker)).status_code for n in range(120)}
    assert answers == {401, 429}
    assert (await asked(service, token=token, headers={"x-gateway-client": "198.51.100.67"})).status_code == 204
