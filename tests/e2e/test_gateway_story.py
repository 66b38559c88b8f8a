"""Document 3 over a real nginx: who is let through, what the service behind it is told, and who cannot lie to it."""

import json
import os
import socket
import ssl
import time
from uuid import uuid4

import httpx
import pytest

from e2e.gateway import PASSWORD, Town, town
from e2e.running import free_port
from e2e.test_people_story import letter, token_in
from opora.identity import IdentityRefused, IdentityVerifier
from servers import nginx

__all__ = ["town"]
TOLD = ("x-user-id", "x-scopes", "x-roles", "x-subscription-tier", "x-email-verified", "x-api-key-id")


def heard(answer: httpx.Response) -> dict[str, list[str]]:
    """Return the headers that the service was called with."""
    assert answer.status_code == 200, answer.text
    found: dict[str, list[str]] = {}
    for name, value in answer.json():
        found.setdefault(name, []).append(value)
    return found


def refused(town: Town, answer: httpx.Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_person_goes_through_with_all_that_the_service_has_to_know(town: Town) -> None:
    client = town.client()
    pair = town.tokens(client, town.person("client", "staff"))
    sent = {"Authorization": f"Bearer {pair['access_token']}"}
    for method in ("GET", "POST"):
        told = heard(client.request(method, f"{town.url}/ai/generate", headers=sent, content=b"x" * 100))
        assert told["x-user-id"][0].isdigit() and told["x-roles"] == ["client,staff"]
        assert "generate:write" in told["x-scopes"][0].split(",")
        assert (told["x-subscription-tier"], told["x-email-verified"]) == (["free"], ["false"])
        assert "x-api-key-id" not in told and "authorization" not in told


def test_what_is_told_is_signed_for_this_service_alone(town: Town) -> None:
    client = town.client()
    token = town.tokens(client, town.person())["access_token"]
    told = heard(client.get(f"{town.url}/ai/x", headers={"Authorization": f"Bearer {token}"}))
    keys = f"{town.processes[0]}/.well-known/identity-jwks.json"
    caller = IdentityVerifier(keys, "ai-service", issuer=town.url).verify(told["x-opora-identity"][0])
    assert str(caller.user_id) == told["x-user-id"][0] and caller.may("generate:write")
    assert (
        ",".join(sorted(caller.scopes)) == told["x-scopes"][0] and caller.tier == "free" and not caller.email_verified
    )
    for other in (IdentityVerifier(keys, "billing"), IdentityVerifier(keys, "ai-service", issuer="https://evil")):
        with pytest.raises(IdentityRefused):
            other.verify(told["x-opora-identity"][0])


LIES = {
    "X-User-Id": "999",
    "X-Scopes": "admin",
    "X-Roles": "admin",
    "X-Subscription-Tier": "premium",
    "X-Email-Verified": "true",
    "X-Api-Key-Id": "1",
    "X-Opora-Identity": "a.b.c",
    "X-Gateway-Client": "10.0.0.1",
    "X-Gateway-Charge": "0",
}


def spellings(name: str) -> list[str]:
    return [name, name.lower(), name.upper(), name.replace("-", "_"), name.replace("-", "_", 1), name.replace("-", ".")]


def test_no_spelling_of_a_lie_reaches_the_service(town: Town) -> None:
    client = town.client()
    token = town.tokens(client, town.person())["access_token"]
    sent = {"Authorization": f"Bearer {token}"}
    honest = heard(client.get(f"{town.url}/ai/x", headers=sent))
    for name, value in LIES.items():
        for spelling in spellings(name):
            told = heard(client.get(f"{town.url}/ai/x", headers=[*sent.items(), (spelling, value), (spelling, value)]))
            for one in TOLD:
                assert told.get(one) == honest.get(one), spelling
            assert len(told["x-opora-identity"]) == 1 and told["x-opora-identity"] != ["a.b.c"]
            squeezed = {one.replace("_", "-").replace(".", "-") for one in told}
            assert squeezed == set(honest), spelling


def test_a_key_goes_through_by_either_header_and_what_it_has_not_is_not_there(town: Town) -> None:
    key = town.key("generate:write")
    client = town.client()
    for sent in ({"X-API-Key": key["key"]}, {"Authorization": f"Bearer {key['key']}"}):
        told = heard(client.get(f"{town.url}/ai/x", headers={**sent, "X-User-Id": "1", "X-Roles": "admin"}))
        assert (told["x-api-key-id"], told["x-scopes"]) == ([str(key["id"])], ["generate:write"])
        assert not {"x-user-id", "x-roles", "x-subscription-tier", "x-api-key"} & set(told)


def test_nobody_without_good_credentials_reaches_the_service(town: Town) -> None:
    client, before = town.client(), town.calls
    answers = {
        "unauthenticated": client.get(f"{town.url}/ai/x"),
        "token_malformed": client.get(f"{town.url}/ai/x", headers={"Authorization": "Bearer a.b.c"}),
        "key_malformed": client.get(f"{town.url}/ai/x", headers={"X-API-Key": "nonsense"}),
        "credentials_ambiguous": client.get(
            f"{town.url}/ai/x", headers={"X-API-Key": town.key("generate:write")["key"], "Authorization": "Basic eDp5"}
        ),
    }
    for code, answer in answers.items():
        refused(town, answer, 401, code)
        assert answer.headers["www-authenticate"].startswith("Bearer"), code
        assert len(answer.headers.get_list("www-authenticate")) == 1
    narrow = client.get(f"{town.url}/ai/x", headers={"X-API-Key": town.key("profiles:read")["key"]})
    refused(town, narrow, 403, "scope_missing")
    assert town.calls == before


def test_two_authorizations_never_make_one(town: Town) -> None:
    client, before = town.client(), town.calls
    token = town.tokens(client, town.person())["access_token"]
    twice = [("Authorization", f"Bearer {token}"), ("Authorization", "Bearer a.b.c")]
    for sent in (twice, twice[::-1]):
        answer = client.get(f"{town.url}/ai/x", headers=sent)
        assert answer.status_code in {400, 401}
    assert client.get(f"{town.url}/ai/x", headers={"Authorization": f"bearer {token}"}).status_code == 200
    assert client.get(f"{town.url}/ai/x?access_token={token}").status_code == 401
    assert town.calls == before + 1


def test_a_spent_limit_is_told_as_opora_tells_it(town: Town) -> None:
    key, client = town.key("generate:write", limit=3), town.client()
    answers = [client.get(f"{town.url}/ai/x", headers={"X-API-Key": key["key"]}) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    spent = answers[-1]
    refused(town, spent, 429, "rate_limited")
    assert (spent.json()["limit"], spent.json()["remaining"]) == (3, 0) and spent.json()["reset_at"]
    assert spent.headers["ratelimit-policy"] == '"minute";q=3;w=60' and spent.headers["ratelimit"].startswith(
        '"minute"'
    )
    assert int(spent.headers["retry-after"]) >= 1
    assert (spent.headers["x-ratelimit-limit"], spent.headers["x-ratelimit-remaining"]) == ("3", "0")


def test_who_leaves_is_out_at_the_gateway_and_on_every_process_at_once(town: Town) -> None:
    client = town.client()
    email = town.person()
    pair, other = town.tokens(client, email), town.tokens(client, email)
    sent, there = ({"Authorization": f"Bearer {one['access_token']}"} for one in (pair, other))
    for _ in range(4):
        assert client.get(f"{town.url}/ai/x", headers=sent).status_code == 200
    assert client.post(f"{town.url}/api/auth/logout", headers=sent).status_code == 204
    for _ in range(6):
        assert client.get(f"{town.url}/ai/x", headers=sent).status_code == 401
    for process in town.processes:
        assert client.get(f"{process}/api/v1/users/me", headers=sent).status_code == 401
    assert client.get(f"{town.url}/ai/x", headers=there).status_code == 200
    assert client.post(f"{town.url}/api/auth/logout-all", headers=there).status_code == 204
    assert client.get(f"{town.url}/ai/x", headers=there).status_code == 401


def test_who_is_demoted_or_blocked_may_nothing_more_on_the_next_call_of_every_process_keys_included(
    town: Town,
) -> None:
    admin, client = town.admin(), town.client()
    manager = town.tokens(client, town.person("manager", "client"))
    sent = {"Authorization": f"Bearer {manager['access_token']}"}
    user_id = client.get(f"{town.url}/api/users/me", headers=sent).json()["id"]
    wanted = {"label": "own", "scopes": ["projects:read", "profiles:read"]}
    key = client.post(f"{town.url}/api/admin/api-keys", json=wanted, headers=sent).json()["key"]

    def asked(path: str) -> set[int]:
        """Ask both processes, as the person and by their key; what each remembers of them is warm."""
        ways = (sent, {"X-API-Key": key})
        return {client.get(f"{one}/api/v1{path}", headers=way).status_code for one in town.processes for way in ways}

    def changed(**changes: object) -> None:
        assert admin.patch(f"{town.processes[0]}/api/v1/users/{user_id}", json=changes).status_code == 200

    for _ in range(3):
        assert asked("/projects") == {200}
        changed(roles=["client"])
        assert asked("/projects") == {403} and asked("/profiles") == {200}
        changed(roles=["manager", "client"])
    assert asked("/projects") == {200}
    changed(is_active=False)
    assert asked("/projects") == asked("/profiles") == {401}


INTERNAL = [
    "/api/auth/internal/jwt/validate",
    "/api/v1/auth/internal/jwt/validate",
    "/v1/auth/internal/jwt/validate/",
    "/api//auth/internal/jwt/validate",
    "/api/v1/x/../auth/internal/jwt/validate",
    "/api/%61uth/internal/jwt/validate",
    "/API/AUTH/INTERNAL/jwt/validate",
    "/authz/forward",
    "/api/authz/forward",
    "/_opora_auth",
]


def raw(address: tuple[str, int], path: str, *lines: str, source: str) -> bytes:
    """Ask for a path as it is written, which no client library would do."""
    with socket.create_connection(address, 5, source_address=(source, 0)) as link:
        head = [f"GET {path} HTTP/1.1", "Host: localhost", "Connection: close", *lines, "", ""]
        link.sendall("\r\n".join(head).encode())
        return link.makefile("rb").read()


def test_the_gateways_questions_are_not_there_for_clients(town: Town) -> None:
    client = town.client()
    token = town.tokens(client, town.person())["access_token"]
    for path in INTERNAL:
        for forwarded in ({}, {"X-Forwarded-For": "127.0.0.1"}, {"X-Gateway-Client": "127.0.0.1"}):
            answer = client.get(f"{town.url}{path}", headers={"Authorization": f"Bearer {token}", **forwarded})
            assert answer.status_code == 404, path
            assert not any(name in answer.headers for name in TOLD)
    for process in town.processes:
        host, port = process.removeprefix("http://").split(":")
        for path in INTERNAL:
            lines = (f"Authorization: Bearer {token}", "X-Forwarded-For: 127.0.0.1", "X-Gateway-Client: 127.0.0.1")
            answer = raw((host, int(port)), path, *lines, source="127.0.0.9")
            assert b" 404 " in answer.split(b"\r\n", 1)[0], (path, answer[:200])
            assert b"x-user-id" not in answer.lower()


def test_called_directly_a_process_believes_no_lie_either(town: Town) -> None:
    client = town.client("127.0.0.8")
    token = town.tokens(client, town.person())["access_token"]
    for process in town.processes:
        me = f"{process}/api/v1/users/me"
        assert client.get(me, headers=LIES).status_code == 401
        honest = client.get(me, headers={"Authorization": f"Bearer {token}"}).json()
        assert client.get(me, headers={"Authorization": f"Bearer {token}", **LIES}).json() == honest
        for alias in ("X_User_Id", "X.Scopes", "X_Opora_Identity"):
            answer = client.get(me, headers={"Authorization": f"Bearer {token}", alias: "1"})
            assert (answer.status_code, answer.json()["code"]) == (400, "identity_header_refused")


def test_plain_http_is_sent_to_tls_and_an_address_that_hurries_is_told_to_wait(town: Town) -> None:
    client = town.client()
    answer = client.get(f"{town.plain_url}/api/versions?x=1")
    assert (answer.status_code, answer.headers["location"]) == (301, "https://127.0.0.1/api/versions?x=1")
    wrong = {"email": "nobody@example.org", "password": "wrong"}
    answers = [client.post(f"{town.url}/api/auth/login", json=wrong) for _ in range(40)]
    busy = [answer for answer in answers if answer.headers.get("retry-after") == "1" and "reset_at" not in answer.text]
    assert busy and {answer.status_code for answer in answers} <= {401, 429}
    assert busy[-1].json()["status"] == 429 and busy[-1].headers["content-type"] == "application/problem+json"


def registered(town: Town, client: httpx.Client) -> str:
    """Register over the gateway, read the letter and show that the address is one's own; return the address."""
    email = f"{uuid4().hex[:8]}@example.org"
    wanted = {"email": email, "password": PASSWORD, "full_name": "Анна", "locale": "ru"}
    assert client.post(f"{town.url}/api/auth/register", json=wanted).status_code == 202
    token = token_in(letter(town, email, "Подтвердите адрес"))
    early = client.post(f"{town.url}/api/auth/login", json={"email": email, "password": PASSWORD}).json()
    sent = {"Authorization": f"Bearer {early['access_token']}"}
    assert heard(client.get(f"{town.url}/ai/x", headers=sent))["x-email-verified"] == ["false"]
    assert client.post(f"{town.url}/api/auth/verify-email", json={"token": token}).status_code == 204
    deadline_s = time.monotonic() + 30  # what is told of people is half a second old at most
    while heard(client.get(f"{town.url}/ai/x", headers=sent))["x-email-verified"] != ["true"]:
        assert time.monotonic() < deadline_s, "the service never hears that the address is verified"
        time.sleep(0.1)
    return email


def test_the_story_of_document_3_from_registration_to_leaving(town: Town) -> None:
    client = town.client()
    email = registered(town, client)
    wrong = client.post(f"{town.url}/api/auth/login", json={"email": email, "password": "wrong"})
    refused(town, wrong, 401, "credentials_wrong")
    form = {"grant_type": "password", "username": email, "password": PASSWORD}
    pair = client.post(f"{town.url}/token", data=form).json()
    sent = {"Authorization": f"Bearer {pair['access_token']}"}
    assert client.get(f"{town.url}/api/users/me", headers=sent).json()["email"] == email
    told = heard(client.post(f"{town.url}/ai/generate", headers=sent, json={"topic": "x"}))
    assert (told["x-roles"], told["x-email-verified"], told["x-subscription-tier"]) == (["client"], ["true"], ["free"])
    renewed = client.post(f"{town.url}/api/auth/refresh", json={"refresh_token": pair["refresh_token"]}).json()
    sent = {"Authorization": f"Bearer {renewed['access_token']}"}
    sessions = client.get(f"{town.url}/api/auth/sessions", headers=sent).json()["results"]
    assert sorted(one["current"] for one in sessions) == [False, True]
    assert all(one["address"].startswith("127.0.0.") for one in sessions)
    assert client.post(f"{town.url}/api/auth/logout", headers=sent).status_code == 204
    for path in ("/ai/x", "/api/users/me"):
        assert client.get(f"{town.url}{path}", headers=sent).status_code == 401
    again = client.post(f"{town.url}/api/auth/refresh", json={"refresh_token": renewed["refresh_token"]})
    assert again.status_code == 401


def test_the_story_of_document_1_from_registration_to_leaving(town: Town) -> None:
    client = town.client()
    metadata = client.get(f"{town.url}/.well-known/oauth-authorization-server").json()
    assert metadata["issuer"] == town.url
    email = registered(town, client)
    form = {"username": email, "password": PASSWORD, "grant_type": "password", "scope": ""}
    pair = client.post(f"{town.url}/api/v1/auth/login", data=form).json()
    sent = {"Authorization": f"Bearer {pair['access_token']}"}
    me = client.get(f"{town.url}/api/v1/users/me", headers=sent).json()
    assert (me["email"], me["roles"], me["email_verified"]) == (email, ["client"], True)
    repeated = [
        client.post(f"{town.url}/api/v1/auth/refresh", json={"refresh_token": pair["refresh_token"]}).json()
        for _ in range(4)
    ]
    assert len({one["refresh_token"] for one in repeated}) == 1
    assert client.post(f"{town.url}/api/v1/auth/logout", headers=sent).status_code == 204
    again = client.post(f"{town.url}/api/v1/auth/refresh", json={"refresh_token": repeated[0]["refresh_token"]})
    assert again.status_code == 401
    for process in town.processes:
        assert client.get(f"{process}/api/v1/users/me", headers=sent).status_code == 401


def test_a_gateway_whose_opora_is_away_lets_nobody_through_and_says_when_to_come_again(town: Town, tmp_path) -> None:
    port = free_port()
    yours = {
        "server 127.0.0.1:8000;": "server 127.0.0.1:9;",
        "server 127.0.0.1:9000;": f"server 127.0.0.1:{town.service.server_port};",
        "listen 80;": f"listen 127.0.0.1:{free_port()};",
        "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
    }
    server, certificate = nginx.start(tmp_path / "nginx", os.getpid(), yours, port)
    try:
        before = town.calls
        with httpx.Client(verify=ssl.create_default_context(cafile=str(certificate))) as client:
            answer = client.get(f"https://127.0.0.1:{port}/ai/x", headers={"Authorization": "Bearer x"})
            own = client.get(f"https://127.0.0.1:{port}/api/v1/profiles", headers={"Authorization": "Bearer x"})
        for told in (answer, own):
            assert told.status_code == 503 and told.headers["retry-after"] == "1"
            assert json.loads(told.text)["status"] == 503 and town.calls == before
    finally:
        server.stop()
