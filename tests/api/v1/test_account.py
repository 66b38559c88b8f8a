"""Becoming known, verifying, forgetting, changing, a second factor, and leaving for good: over HTTP."""

from base64 import b32decode

import pytest

from api.v1.service import ORIGIN
from core.access.stage import PASSWORD
from opora.api.cookies import DEVICE, REFRESH, origin_of
from opora.core.access.model.scopes import Role
from opora.core.access.rules.totp import code_at, step_of

pytestmark = pytest.mark.anyio

EMAIL = "anna@example.org"
ANNA = {"email": EMAIL, "password": PASSWORD}
OTHER = "another long phrase"
PAGE = {"x-opora-cookies": "1", "sec-fetch-site": "same-origin", "origin": ORIGIN}


async def logged_in(service, password=PASSWORD):
    """Return a client with a fresh access token."""
    answer = await service.client().post("/auth/login", json={**ANNA, "password": password})
    assert answer.status_code == 200, answer.text
    return service.client(token=answer.json()["access_token"])


def code(stage, secret):
    """Return the code that a device with this secret shows."""
    return code_at(b32decode(secret), step_of(stage.clock.now()))


async def with_factor(service, stage):
    """Give Anna a second factor; return her client, the secret and the recovery codes."""
    if (await stage.arrivals.at(EMAIL, [b""])).user is None:
        await stage.a_person()
    client = await logged_in(service)
    shown = (await client.post("/auth/mfa/totp")).json()
    confirmed = await client.post("/auth/mfa/totp/confirm", json={"code": code(stage, shown["secret"])})
    assert (confirmed.status_code, confirmed.json()) == (200, {"recovery_codes": shown["recovery_codes"]})
    stage.clock.pass_by(seconds=30)
    return client, shown["secret"], shown["recovery_codes"]


async def test_from_registration_to_a_verified_address(service, stage):
    client = service.client()
    wanted = {"email": "Anna@Example.org", "password": PASSWORD, "full_name": "Анна", "locale": "ru"}
    answer = await client.post("/auth/register", json=wanted)
    assert (answer.status_code, answer.json()) == (202, {"email": EMAIL})
    signed = await logged_in(service)
    me = (await signed.get("/users/me")).json()
    assert (me["full_name"], me["locale"], me["roles"], me["email_verified"]) == ("Анна", "ru", ["client"], False)
    assert (await signed.post("/auth/verify-email/resend")).status_code == 204
    verified = await client.post("/auth/verify-email", json={"token": stage.one_time.told[-1]})
    assert (verified.status_code, verified.content) == (204, b"")
    assert (await signed.get("/users/me")).json()["email_verified"] is True
    again = await client.post("/auth/verify-email", json={"token": stage.one_time.told[-1]})
    assert (again.status_code, again.json()["code"]) == (422, "one_time_token_invalid")


async def test_a_taken_address_is_answered_like_a_free_one(service, stage):
    await stage.a_person()
    taken = await service.client().post("/auth/register", json={"email": EMAIL, "password": OTHER})
    free = await service.client().post("/auth/register", json={"email": "free@example.org", "password": OTHER})
    assert taken.status_code == free.status_code == 202
    assert taken.json().keys() == free.json().keys() == {"email"}
    shared = [name for name in taken.headers if name not in {"x-request-id", "content-length"}]
    assert all(name in free.headers for name in shared)
    assert (await service.client().post("/auth/login", json={"email": EMAIL, "password": OTHER})).status_code == 401


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"email": "no address", "password": "short"}, {"email", "password"}),
        ({"email": "a@b\r\nBcc: x@y", "password": PASSWORD}, {"email"}),
        ({"email": "a@b", "password": PASSWORD, "full_name": "a\r\nb"}, {"full_name"}),
        ({"email": "a@b", "password": "x" * 10_000}, {"password"}),
        ({"email": "a@b", "password": "password1234"}, {"password"}),
        ({"email": "a@b", "password": PASSWORD, "roles": ["admin"]}, None),
        ({"email": "a@b", "password": PASSWORD, "email_verified": True}, None),
        ({"email": "a@b"}, {"password"}),
    ],
)
async def test_what_cannot_be_registered_is_named_field_by_field(service, body, fields):
    answer = await service.client().post("/auth/register", json=body)
    assert answer.status_code == 422
    assert fields is None or answer.json()["errors"].keys() == fields


async def test_a_forgotten_password_is_answered_alike_for_everybody(service, stage):
    await stage.a_person()
    client = service.client()
    for email in (EMAIL, "nobody@example.org", "no address"):
        answer = await client.post("/auth/password/forgot", json={"email": email})
        assert (answer.status_code, answer.json()) == (202, {"email": email})


async def test_a_forgotten_password_is_replaced_and_whoever_was_in_is_out(service, stage):
    await stage.a_person()
    old = await logged_in(service)
    client = service.client()
    await client.post("/auth/password/forgot", json={"email": EMAIL})
    await stage.run("access.send_reset", stage.send_reset)
    token = stage.one_time.told[-1]
    stage.clock.pass_by(seconds=1)
    bad = await client.post("/auth/password/reset", json={"token": token, "password": "short"})
    assert (bad.status_code, bad.json()["errors"].keys()) == (422, {"password"})
    assert (await client.post("/auth/password/reset", json={"token": token, "password": OTHER})).status_code == 204
    assert (await old.get("/users/me")).status_code == 401
    assert (await client.post("/auth/login", json=ANNA)).status_code == 401
    assert (await (await logged_in(service, OTHER)).get("/users/me")).status_code == 200
    again = await client.post("/auth/password/reset", json={"token": token, "password": OTHER})
    assert (again.status_code, again.json()["errors"].keys()) == (422, {"token"})


async def test_a_password_is_changed_with_the_present_one(service, stage):
    await stage.a_person()
    mine, other = await logged_in(service), await logged_in(service)
    wrong = await mine.post("/auth/password/change", json={"current_password": "wrong", "password": OTHER})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "current_password_wrong")
    changed = await mine.post("/auth/password/change", json={"current_password": PASSWORD, "password": OTHER})
    assert changed.status_code == 204
    assert (await mine.get("/users/me")).status_code == 200
    assert (await other.get("/users/me")).status_code == 401


async def test_a_log_in_with_a_second_factor_takes_two_steps(service, stage):
    _, secret, recovery = await with_factor(service, stage)
    client = service.client()
    asked = await client.post("/auth/login", json=ANNA)
    body = asked.json()
    assert (asked.status_code, body["code"], body["expires_in"]) == (401, "mfa_required", 300)
    assert asked.headers["www-authenticate"] and asked.headers["cache-control"] == "no-store"
    wrong = await client.post("/auth/login/mfa", json={"mfa_token": body["mfa_token"], "code": "000000"})
    assert (wrong.status_code, wrong.json()["code"]) == (401, "code_wrong")
    step = {"mfa_token": body["mfa_token"], "code": code(stage, secret)}
    done = await client.post("/auth/login/mfa", json=step)
    assert done.status_code == 200 and done.headers["cache-control"] == "no-store"
    assert done.json().keys() == {"access_token", "token_type", "expires_in", "refresh_token", "scope"}
    spent = await client.post("/auth/login/mfa", json=step)
    assert (spent.status_code, spent.json()["code"]) == (401, "mfa_token_invalid")
    token = (await client.post("/auth/login", json=ANNA)).json()["mfa_token"]
    used = await client.post("/auth/login/mfa", json={"mfa_token": token, "code": recovery[0]})
    assert used.status_code == 200


async def test_a_session_from_before_the_second_factor_is_asked_again_where_it_matters(service, stage):
    await stage.a_person()
    client = await logged_in(service)  # first used below: who calls is remembered for a moment
    _, secret, _ = await with_factor(service, stage)
    refused = await client.delete("/auth/mfa/totp")
    assert (refused.status_code, refused.json()["code"]) == (401, "step_up_required")
    assert 'error="insufficient_user_authentication", max_age=3600' in refused.headers["www-authenticate"]
    assert (await client.get("/users/me")).status_code == 200
    token = (await service.client().post("/auth/login", json=ANNA)).json()["mfa_token"]
    step = {"mfa_token": token, "code": code(stage, secret)}
    pair = (await service.client().post("/auth/login/mfa", json=step)).json()
    fresh = service.client(token=pair["access_token"])
    assert (await fresh.delete("/auth/mfa/totp")).status_code == 204
    gone = await fresh.delete("/auth/mfa/totp")
    assert (gone.status_code, gone.json()["code"]) == (404, "no_second_factor")
    assert (await logged_in(service)) is not None


async def test_an_old_sign_in_may_read_but_not_change_rights_make_keys_or_erase(service, stage):
    admin = await service.signed_in(Role.ADMIN, email="admin@localhost")
    pair = await stage.log_in("admin@localhost", PASSWORD, stage.acting(await stage.a_person()).origin)
    user_id = (await admin.get("/users/me")).json()["id"]
    stage.clock.pass_by(hours=1, seconds=1)
    pair = await stage.refresh(pair.refresh_token, stage.acting(await stage.a_person(email="b@example.org")).origin)
    stale = service.client(token=pair.access_token)
    assert (await stale.get("/users")).status_code == 200
    for method, path, body in (
        ("PATCH", f"/users/{user_id}", {"full_name": "x"}),
        ("POST", "/users", {"email": "x@example.org"}),
        ("POST", "/admin/api-keys", {"label": "x", "scopes": ["profiles:read"]}),
        ("POST", "/auth/mfa/totp", None),
        ("DELETE", "/users/me", None),
        ("GET", "/users/me/export", None),
    ):
        answer = await stale.request(method, path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (401, "step_up_required"), path
    key = await service.keyed("admin")
    assert (await key.patch(f"/users/{user_id}", json={"full_name": "x"})).status_code == 200


async def test_people_download_what_is_held_on_them_and_are_gone_when_they_say_so(service, stage):
    await stage.a_person()
    client = await logged_in(service)
    held = await client.get("/users/me/export")
    assert held.status_code == 200 and "attachment" in held.headers["content-disposition"]
    records = held.json()["access"]
    assert {record["record"] for record in records} >= {"account", "role", "session", "activity"}
    assert next(record for record in records if record["record"] == "account")["email"] == EMAIL
    assert (await client.delete("/users/me")).status_code == 204
    assert (await client.get("/users/me")).status_code == 401
    assert (await service.client().post("/auth/login", json=ANNA)).status_code == 401
    assert (await service.client().post("/auth/register", json=ANNA)).status_code == 202
    assert (await logged_in(service)) is not None


async def test_a_key_is_not_its_owner(service):
    key = await service.keyed("admin")
    for method, path, body in (
        ("DELETE", "/users/me", None),
        ("GET", "/users/me/export", None),
        ("POST", "/auth/mfa/totp", None),
        ("POST", "/auth/password/change", {"current_password": PASSWORD, "password": OTHER}),
    ):
        answer = await key.request(method, path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (404, "no_such_user"), path


async def test_a_page_of_this_origin_has_its_refresh_token_in_a_cookie(service, stage):
    await stage.a_person()
    client = service.client()
    answer = await client.post("/auth/login", json=ANNA, headers=PAGE)
    assert answer.json()["refresh_token"] == "" and answer.json()["access_token"]
    set_cookies = answer.headers.get_list("set-cookie")
    assert len(set_cookies) == 2
    for text in set_cookies:
        assert all(part in text for part in ("HttpOnly", "Secure", "SameSite=strict", "Path=/")), text
        assert "Domain" not in text
    sent = "; ".join(text.partition(";")[0] for text in set_cookies)
    assert REFRESH in sent and DEVICE in sent
    client.cookies.clear()
    renewed = await client.post("/auth/refresh", json={}, headers={**PAGE, "cookie": sent})
    assert renewed.status_code == 200 and REFRESH in renewed.headers["set-cookie"]
    signed = service.client(token=renewed.json()["access_token"])
    left = await signed.post("/auth/logout", headers={**PAGE, "cookie": sent})
    assert left.status_code == 204 and "Max-Age=0" in left.headers["set-cookie"]


@pytest.mark.parametrize(
    "foreign",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"x-opora-cookies": "0"},
    ],
)
async def test_a_cookie_that_a_foreign_page_sends_along_opens_nothing(service, stage, foreign):
    await stage.a_person()
    client = service.client()
    answer = await client.post("/auth/login", json=ANNA, headers=PAGE)
    sent = answer.headers["set-cookie"].partition(";")[0]
    client.cookies.clear()
    refused = await client.post("/auth/refresh", json={}, headers={**PAGE, **foreign, "cookie": sent})
    assert (refused.status_code, refused.json()["code"]) == (403, "cross_site_request")


async def test_without_a_cookie_or_a_token_there_is_nothing_to_refresh(service):
    answer = await service.client().post("/auth/refresh", json={}, headers=PAGE)
    assert (answer.status_code, answer.json()["errors"].keys()) == (422, {"refresh_token"})


async def test_a_browser_is_known_by_its_cookie_wherever_it_goes(service, stage):
    await stage.a_person()
    client = service.client()
    answer = await client.post("/auth/login", json=ANNA, headers=PAGE)
    device = next(text for text in answer.headers.get_list("set-cookie") if DEVICE in text).partition(";")[0]
    client.cookies.clear()
    for number in range(6):
        await client.post("/auth/login", json={**ANNA, "password": "wrong"}, headers={"user-agent": f"{number}"})
    away = {"user-agent": "moved"}
    assert (await client.post("/auth/login", json=ANNA, headers=away)).status_code == 429
    assert (await client.post("/auth/login", json=ANNA, headers={**PAGE, **away, "cookie": device})).status_code == 200


@pytest.mark.parametrize(
    ("url", "origin"),
    [("https://opora.test/base", "https://opora.test"), ("http://127.0.0.1:8000", "http://127.0.0.1:8000"), ("", "")],
)
def test_the_origin_of_an_address_is_what_browsers_write(url, origin):
    assert origin_of(url) == origin
