"""What is no access token, brought in every way there is: a 4xx with a code, and nobody let in."""

import base64
import hashlib
import hmac
import json
from dataclasses import replace

import pytest

from core.access.stage import PASSWORD
from opora.core.access.model.identities import Identity

pytestmark = pytest.mark.anyio

ME = "/users/me"


def b64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def part(text, number):
    piece = text.split(".")[number]
    return json.loads(base64.urlsafe_b64decode(piece + "=" * (-len(piece) % 4)))


def with_header(text, **changes):
    _, claims, signature = text.split(".")
    header = {name: value for name, value in (part(text, 0) | changes).items() if value is not ...}
    return f"{b64(json.dumps(header).encode())}.{claims}.{signature}"


def by_shared_secret(text, secret):
    payload = ".".join(with_header(text, alg="HS256").split(".")[:2])
    return f"{payload}.{b64(hmac.new(secret, payload.encode(), hashlib.sha256).digest())}"


@pytest.fixture
async def pair(service, stage):
    """Good tokens of Anna."""
    await stage.a_person()
    answer = await service.client().post("/auth/login", json={"email": "anna@example.org", "password": PASSWORD})
    return answer.json()


async def test_no_forged_token_is_taken(service, stage, pair):
    good = pair["access_token"]
    public = json.dumps(stage.ring.jwks()["keys"][0]).encode()
    claims = part(good, 1)
    raised = f"{good.split('.')[0]}.{b64(json.dumps(claims | {'scope': 'admin', 'roles': ['admin']}).encode())}"
    forged = {
        "unsigned": f"{with_header(good, alg='none').rpartition('.')[0]}.",
        "unsigned with a signature": with_header(good, alg="none"),
        "by the public key as a secret": by_shared_secret(good, public),
        "by no secret": by_shared_secret(good, b""),
        "of a foreign key": with_header(good, kid="foreign"),
        "of no key": with_header(good, kid=...),
        "of a key that is a path": with_header(good, kid="../../etc/passwd"),
        "with a key of its own": with_header(good, jwk=stage.ring.jwks()["keys"][0]),
        "with an address of keys": with_header(good, jku="https://evil.example/keys", kid="evil"),
        "of another type": with_header(good, typ="JWT"),
        "padded": good + "==",
        "with spaces": good.replace(".", ". "),
        "with more rights": f"{raised}.{good.split('.')[2]}",
        "cut": good[:-10],
        "doubled": f"{good}.{good}",
        "a refresh token": pair["refresh_token"],
        "an identity": stage.identities.sign(Identity(user_id=1), "opora", stage.clock.at),
        "long": "a" * 9000 + ".b.c",
        "empty": "",
    }
    for name, text in forged.items():
        answer = await service.client(token=text).get(ME)
        assert answer.status_code in {401, 431} and answer.json()["code"], name
    assert (await service.client(token=good).get(ME)).status_code == 200


async def test_the_scheme_may_be_written_in_any_case_and_is_needed(service, pair):
    client, token = service.client(), pair["access_token"]
    for scheme in ("Bearer", "bearer", "BEARER"):
        assert (await client.get(ME, headers={"authorization": f"{scheme} {token}"})).status_code == 200
    for text in (token, f"Token {token}", f"Bearer{token}", f"Bearer\t{token}", "Bearer", "Bearer "):
        assert (await client.get(ME, headers={"authorization": text})).status_code == 401, text[:10]


async def test_two_authorizations_are_ambiguous_whatever_they_say(service, pair):
    good, bad = (("authorization", f"Bearer {text}") for text in (pair["access_token"], "a.b.c"))
    for both in ([good, good], [good, bad], [bad, good]):
        answer = await service.client().get(ME, headers=both)
        assert (answer.status_code, answer.json()["code"]) == (400, "ambiguous_credentials")
    joined = {"authorization": f"Bearer {pair['access_token']}, Bearer a.b.c"}
    assert (await service.client().get(ME, headers=joined)).status_code == 401


@pytest.mark.parametrize("name", ["access_token", "token", "api_key", "refresh_token", "Authorization", "X-API-Key"])
async def test_a_token_in_the_query_string_is_refused_and_not_taken(service, pair, name):
    answer = await service.client().get(ME, params={name: pair["access_token"]})
    assert answer.status_code in {400, 401, 422}
    signed = await service.client(token=pair["access_token"]).get(ME, params={name: "x"})
    assert signed.status_code in {400, 422}


async def test_a_token_of_another_installation_is_not_taken(service, stage, pair):
    claims = stage.tokens.verify(pair["access_token"], stage.clock.at)
    for change in ({"issuer": "https://other.example"}, {"audience": "other"}):
        foreign = await stage.tokens.issue(replace(claims, **change))
        answer = await service.client(token=foreign).get(ME)
        assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid")
