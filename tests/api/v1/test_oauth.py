"""OAuth 2.0 over HTTP: grants, introspection, revocation, metadata, and refusals in their own words."""

import base64

import pytest

from core.access.stage import PASSWORD
from opora.core.access.model.keys import NewKey
from opora.core.access.model.scopes import SCOPES
from opora.core.kernel.model import SYSTEM

pytestmark = pytest.mark.anyio

ANNA = {"grant_type": "password", "username": "anna@example.org", "password": PASSWORD}
ADDRESSES = ["/api/v1/token", "/v1/token", "/api/token", "/token"]
TOKEN = "http://opora.test/token"
INTROSPECT = "http://opora.test/oauth/introspect"
REVOKE = "http://opora.test/oauth/revoke"


@pytest.fixture
async def anna(stage):
    """A person who may log in."""
    return await stage.a_person()


@pytest.fixture
async def key(stage):
    """A key that may ask about tokens."""
    return await stage.issue(SYSTEM, NewKey(label="gateway", scopes=frozenset({"tokens:introspect", "profiles:read"})))


def by_basic(key, secret=None):
    text = base64.b64encode(f"{key.id}:{secret or key.key}".encode()).decode()
    return {"authorization": f"Basic {text}"}


def refusal(answer):
    assert answer.headers["content-type"] == "application/json" and answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert body["error_description"] and body["error_uri"].startswith("http") and "type" not in body
    return answer.status_code, body["error"]


@pytest.mark.parametrize("path", ADDRESSES)
async def test_a_password_gives_a_pair_at_every_address(service, anna, path):
    answer = await service.client().post(f"http://opora.test{path}", data=ANNA)
    assert answer.status_code == 200 and answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert body.keys() == {"access_token", "token_type", "expires_in", "refresh_token", "scope"}
    assert (await service.client(token=body["access_token"]).get("/users/me")).json()["email"] == "anna@example.org"


async def test_a_public_client_may_name_itself_and_an_empty_secret_is_none(service, anna):
    for more in ({"client_id": "web"}, {"client_id": "web", "client_secret": ""}, {"scope": ""}):
        assert (await service.client().post(TOKEN, data=ANNA | more)).status_code == 200
    named = {"authorization": "Basic " + base64.b64encode(b"web:").decode()}
    assert (await service.client().post(TOKEN, data=ANNA, headers=named)).status_code == 200


async def test_a_refresh_token_gives_the_next_pair(service, anna):
    client = service.client()
    first = (await client.post(TOKEN, data=ANNA)).json()
    form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    second = (await client.post(TOKEN, data=form)).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert (await client.post(TOKEN, data=form)).json()["refresh_token"] == second["refresh_token"]


async def test_a_session_grants_what_was_asked_for_and_refreshing_widens_nothing(service, anna):
    client = service.client()
    narrow = (await client.post(TOKEN, data=ANNA | {"scope": "profiles:read exports:read"})).json()
    assert narrow["scope"] == "exports:read profiles:read"
    assert (await service.client(token=narrow["access_token"]).post("/exports", json={})).status_code in {403, 404}
    form = {"grant_type": "refresh_token", "refresh_token": narrow["refresh_token"]}
    again = (await client.post(TOKEN, data=form)).json()
    assert again["scope"] == "exports:read profiles:read"
    form = {"grant_type": "refresh_token", "refresh_token": again["refresh_token"], "scope": "profiles:read"}
    narrower = (await client.post(TOKEN, data=form)).json()
    assert narrower["scope"] == "profiles:read"
    form = {"grant_type": "refresh_token", "refresh_token": narrower["refresh_token"], "scope": "profiles:write"}
    assert refusal(await client.post(TOKEN, data=form)) == (400, "invalid_scope")


async def test_scopes_beyond_ones_own_open_no_session(service, anna, stage):
    for scope in ("admin", "no:such", "profiles:read users:write"):
        assert refusal(await service.client().post(TOKEN, data=ANNA | {"scope": scope})) == (400, "invalid_scope")
    assert await stage.database.read.fetch_value("SELECT count(*) FROM sessions WHERE ended_at IS NULL") == 0


async def test_a_key_gets_a_token_in_its_own_name_by_basic_and_by_form(service, key):
    form = {"grant_type": "client_credentials"}
    answers = [
        await service.client().post(TOKEN, data=form, headers=by_basic(key)),
        await service.client().post(TOKEN, data=form | {"client_id": str(key.id), "client_secret": key.key}),
        await service.client().post(TOKEN, data=form | {"scope": "profiles:read"}, headers=by_basic(key)),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    grant = answers[0].json()
    assert grant.keys() == {"access_token", "token_type", "expires_in", "scope"}
    assert grant["scope"] == "profiles:read tokens:introspect"
    narrow = service.client(token=answers[2].json()["access_token"])
    refused = await narrow.post(INTROSPECT, data={"token": "x"})
    assert refused.status_code == 403 and refused.json()["missing"] == ["tokens:introspect"]
    wide = service.client(token=grant["access_token"])
    assert (await wide.post(INTROSPECT, data={"token": "x"})).json() == {"active": False}


async def test_the_token_of_a_key_ends_with_the_key_and_is_limited_with_it(service, stage):
    wanted = NewKey(label="QA", scopes=frozenset({"keys:read"}), rate_limit_per_min=3, allowed_ips=("192.0.2.0/24",))
    key = await stage.issue(SYSTEM, wanted)
    form = {"grant_type": "client_credentials"}
    grant = (await service.client().post(TOKEN, data=form, headers=by_basic(key))).json()
    signed = service.client(token=grant["access_token"])
    assert (await signed.get("/admin/api-keys")).headers["x-ratelimit-limit"] == "3"
    stage.seconds += 1
    elsewhere = service.client(token=grant["access_token"], address="198.51.100.9")
    assert (await elsewhere.get("/admin/api-keys")).json()["code"] == "address_not_allowed"
    assert (await service.client(key=key.key).get("/admin/api-keys")).headers["x-ratelimit-remaining"] == "1"
    await stage.revoke(SYSTEM, key.id)
    assert (await signed.get("/admin/api-keys")).status_code == 401
    assert refusal(await service.client().post(TOKEN, data=form, headers=by_basic(key))) == (401, "invalid_client")


REFUSED = [
    ({}, {}, (400, "invalid_request")),
    ({"grant_type": "password"}, {}, (400, "invalid_request")),
    ({"grant_type": "password", "username": "anna@example.org"}, {}, (400, "invalid_request")),
    (ANNA | {"password": "wrong"}, {}, (400, "invalid_grant")),
    (ANNA | {"username": "nobody@example.org"}, {}, (400, "invalid_grant")),
    (ANNA | {"password": "x" * 2000}, {}, (400, "invalid_request")),
    (ANNA | {"client_id": "x", "client_secret": "y"}, {}, (400, "unauthorized_client")),
    (ANNA | {"client_secret": "y"}, {}, (400, "invalid_request")),
    ({"grant_type": "refresh_token"}, {}, (400, "invalid_request")),
    ({"grant_type": "refresh_token", "refresh_token": "opr_x"}, {}, (400, "invalid_grant")),
    ({"grant_type": "authorization_code", "code": "x"}, {}, (400, "unsupported_grant_type")),
    ({"grant_type": "client_credentials"}, {}, (401, "invalid_client")),
    ({"grant_type": "client_credentials"}, {"authorization": "Basic !!!"}, (401, "invalid_client")),
    ({"grant_type": "client_credentials"}, {"authorization": "Basic bm9jb2xvbg=="}, (401, "invalid_client")),
    ({"grant_type": "client_credentials"}, {"authorization": "Basic MTp4"}, (401, "invalid_client")),
    ({"grant_type": "client_credentials", "client_id": "1", "client_secret": "x"}, {}, (401, "invalid_client")),
]


@pytest.mark.parametrize(("form", "headers", "expected"), REFUSED)
async def test_what_gives_no_token_is_refused_in_the_words_of_the_rfc(service, anna, form, headers, expected):
    answer = await service.client().post(TOKEN, data=form, headers=headers)
    assert refusal(answer) == expected
    assert answer.headers.get("www-authenticate", "").startswith("Basic" if expected[0] == 401 else "")


async def test_a_request_that_is_no_form_is_refused_in_the_same_form(service, anna):
    form = {"content-type": "application/x-www-form-urlencoded"}
    for sent, status in (
        ({"json": ANNA}, 415),
        ({"content": b"grant_type=password&grant_type=password", "headers": form}, 400),
        ({"content": b"grant_type=%ff", "headers": form}, 400),
        ({"content": b"a=1&" * 30, "headers": form}, 400),
        ({"content": b"a=" + b"x" * 2_000_000, "headers": form}, 413),
    ):
        assert refusal(await service.client().post(TOKEN, **sent)) == (status, "invalid_request")


async def test_another_keys_id_beside_a_good_key_is_no_client(service, key, stage):
    other = await stage.issue(SYSTEM, NewKey(label="other", scopes=frozenset({"profiles:read"})))
    form = {"grant_type": "client_credentials"}
    answer = await service.client().post(TOKEN, data=form, headers=by_basic(other, key.key))
    assert refusal(answer) == (401, "invalid_client")
    two = by_basic(key) | {"content-type": "application/x-www-form-urlencoded"}
    body = f"grant_type=client_credentials&client_id={other.id}&client_secret={other.key}"
    assert refusal(await service.client().post(TOKEN, content=body, headers=two)) == (400, "invalid_request")


async def test_guessing_is_limited_and_told_so(service, anna):
    answers = [await service.client().post(TOKEN, data=ANNA | {"password": "wrong"}) for _ in range(6)]
    assert refusal(answers[-1]) == (429, "temporarily_unavailable")
    assert answers[-1].headers["retry-after"] and answers[-1].json()["limit"] == 5


async def test_the_password_grant_can_be_switched_off(service, anna, stage):
    service = await type(service).over(stage, by_password=False)
    assert refusal(await service.client().post(TOKEN, data=ANNA)) == (400, "unsupported_grant_type")
    metadata = (await service.client().get("http://opora.test/.well-known/oauth-authorization-server")).json()
    assert metadata["grant_types_supported"] == ["refresh_token", "client_credentials"]


async def test_an_access_token_is_told_of_until_it_is_no_good(service, anna, key):
    pair = (await service.client().post(TOKEN, data=ANNA)).json()
    asking = service.client()
    answer = await asking.post(INTROSPECT, data={"token": pair["access_token"]}, headers=by_basic(key))
    assert answer.status_code == 200 and answer.headers["cache-control"] == "no-store"
    told = answer.json()
    assert told["active"] and told["scope"] == pair["scope"] and told["username"] == "anna@example.org"
    assert (told["sub"], told["token_type"], told["iss"], told["aud"]) == ("1", "bearer", "opora", "opora")
    assert told["exp"] - told["iat"] == 900 and told["jti"] and told["sid"] == 1
    assert (told["roles"], told["subscription_tier"], told["email_verified"]) == (["client"], "free", False)
    await service.client(token=pair["access_token"]).post("/auth/logout")
    for text in (pair["access_token"], pair["refresh_token"], "a.b.c", "nonsense", "opk_live_x"):
        answer = await service.client(key=key.key).post(INTROSPECT, data={"token": text})
        assert (answer.status_code, answer.json()) == (200, {"active": False})


async def test_a_refresh_token_is_told_of_until_it_is_spent(service, anna, key):
    pair = (await service.client().post(TOKEN, data=ANNA)).json()
    asking = service.client(key=key.key)
    told = (await asking.post(INTROSPECT, data={"token": pair["refresh_token"]})).json()
    assert told["active"] and told["username"] == "anna@example.org" and "jti" not in told
    await service.client().post("/auth/refresh", json={"refresh_token": pair["refresh_token"]})
    assert (await asking.post(INTROSPECT, data={"token": pair["refresh_token"]})).json() == {"active": False}


async def test_a_key_is_told_of_and_so_is_its_token_until_the_key_is_revoked(service, key, stage, anna):
    wanted = NewKey(label="mine", scopes=frozenset({"profiles:read"}), owner_id=1, allowed_ips=("203.0.113.0/24",))
    other = await stage.issue(SYSTEM, wanted)
    own = await stage.issue(SYSTEM, NewKey(label="own", scopes=frozenset({"profiles:read"})))
    grant = (
        await service.client().post(TOKEN, data={"grant_type": "client_credentials"}, headers=by_basic(own))
    ).json()
    asking = service.client(key=key.key)
    told = (await asking.post(INTROSPECT, data={"token": other.key})).json()
    assert told["active"] and (told["client_id"], told["api_key_id"], told["user_id"]) == (str(other.id), other.id, 1)
    assert told["roles"] == ["client"] and told["scope"] == "profiles:read" and "exp" not in told
    told = (await asking.post(INTROSPECT, data={"token": grant["access_token"]})).json()
    assert told["active"] and (told["sub"], told["client_id"]) == (f"key:{own.id}", str(own.id)) and told["exp"]
    await stage.revoke(SYSTEM, own.id)
    await stage.revoke(SYSTEM, other.id)
    for text in (own.key, other.key, grant["access_token"]):
        assert (await asking.post(INTROSPECT, data={"token": text})).json() == {"active": False}


async def test_who_may_not_ask_about_tokens_is_told_in_both_languages(service, stage):
    nobody = await service.client().post(INTROSPECT, data={"token": "x"})
    assert (nobody.status_code, nobody.json()["error"], nobody.json()["code"]) == (
        401,
        "invalid_client",
        "unauthenticated",
    )
    assert nobody.headers["content-type"] == "application/problem+json"
    assert len(nobody.headers.get_list("www-authenticate")) == 2
    plain = await stage.issue(SYSTEM, NewKey(label="plain", scopes=frozenset({"profiles:read"})))
    refused = await service.client().post(INTROSPECT, data={"token": "x"}, headers=by_basic(plain))
    assert (refused.status_code, refused.json()["error"]) == (403, "insufficient_scope")
    missing = await (await service.keyed("tokens:introspect")).post(INTROSPECT, data={})
    assert (missing.status_code, missing.json()["error"]) == (422, "invalid_request")


async def test_basic_counts_only_where_clients_prove_themselves_so(service, key):
    assert (await service.client().get("/users/me", headers=by_basic(key))).status_code == 401
    assert (await service.client().post(INTROSPECT, data={"token": "x"}, headers=by_basic(key))).status_code == 200
    assert (await service.client().get("/users/me", headers=by_basic(key))).status_code == 401


async def test_a_key_beside_another_way_of_proving_oneself_is_ambiguous(service, key):
    keyed = service.client(key=key.key)
    for authorization in ("Basic eDp5", "Digest username=x", by_basic(key)["authorization"], "Bearer other"):
        answer = await keyed.get("/users/me", headers={"authorization": authorization})
        assert (answer.status_code, answer.json()["code"]) == (401, "credentials_ambiguous")
        answer = await keyed.post(INTROSPECT, data={"token": "x"}, headers={"authorization": authorization})
        assert answer.status_code == 401


async def test_the_holder_takes_a_token_back(service, anna):
    client = service.client()
    first, second = [(await client.post(TOKEN, data=ANNA)).json() for _ in range(2)]
    answer = await client.post(REVOKE, data={"token": first["access_token"], "token_type_hint": "refresh_token"})
    assert (answer.status_code, answer.content) == (200, b"")
    assert (await service.client(token=first["access_token"]).get("/users/me")).status_code == 401
    renewed = await client.post("/auth/refresh", json={"refresh_token": first["refresh_token"]})
    assert renewed.status_code == 200, "an access token alone was taken back"
    assert (await client.post(REVOKE, data={"token": renewed.json()["refresh_token"]})).status_code == 200
    for token in (first["access_token"], renewed.json()["access_token"]):
        assert (await service.client(token=token).get("/users/me")).status_code == 401
    assert (await service.client(token=second["access_token"]).get("/users/me")).status_code == 200


async def test_taking_back_what_is_no_good_is_well_and_a_key_is_not_taken_back_so(service, key, anna):
    client = service.client()
    pair = (await client.post(TOKEN, data=ANNA)).json()
    for text in ("nonsense", "a.b.c", pair["refresh_token"], pair["refresh_token"]):
        assert (await client.post(REVOKE, data={"token": text})).status_code == 200
    assert refusal(await client.post(REVOKE, data={"token": key.key})) == (400, "unsupported_token_type")
    assert refusal(await client.post(REVOKE, data={})) == (400, "invalid_request")
    bad = by_basic(key, "opk_live_wrong")
    assert refusal(await client.post(REVOKE, data={"token": "x"}, headers=bad)) == (401, "invalid_client")
    assert (await client.post(REVOKE, data={"token": "x"}, headers=by_basic(key))).status_code == 200


async def test_the_token_of_a_key_is_taken_back_alone(service, key):
    form = {"grant_type": "client_credentials"}
    one, two = [(await service.client().post(TOKEN, data=form, headers=by_basic(key))).json() for _ in range(2)]
    assert (await service.client().post(REVOKE, data={"token": one["access_token"]})).status_code == 200
    refused = await service.client(token=one["access_token"]).post(INTROSPECT, data={"token": one["access_token"]})
    assert refused.status_code == 401
    asking = service.client(token=two["access_token"])
    assert (await asking.post(INTROSPECT, data={"token": one["access_token"]})).json() == {"active": False}
    assert (await asking.post(INTROSPECT, data={"token": two["access_token"]})).json()["active"]


@pytest.mark.parametrize("prefix", ["", "/api", "/api/v1", "/v1"])
async def test_the_metadata_says_where_everything_is(service, prefix):
    answer = await service.client().get(f"http://opora.test{prefix}/.well-known/oauth-authorization-server")
    assert answer.status_code == 200 and "max-age" in answer.headers["cache-control"]
    found = answer.json()
    assert found["issuer"] == "http://opora.test" and set(found["scopes_supported"]) == set(SCOPES)
    for name in ("token_endpoint", "introspection_endpoint", "revocation_endpoint"):
        assert (await service.client().post(found[name], data={})).status_code in {400, 401}
    keys = await service.client().get(found["jwks_uri"])
    assert keys.status_code == 200 and keys.json()["keys"]
