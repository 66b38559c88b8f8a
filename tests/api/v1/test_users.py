"""People over HTTP: oneself, and for admins everybody."""

import pytest

from core.access.stage import PASSWORD
from opora.core.access.model.scopes import Role

pytestmark = pytest.mark.anyio

VIEW = {
    "id", "email", "full_name", "locale", "roles", "is_active", "email_verified", "created_at", "version",
}  # fmt: skip


async def test_people_read_and_change_themselves(service):
    client = await service.signed_in()
    me = (await client.get("/users/me")).json()
    assert me.keys() == VIEW and me["roles"] == ["client"]
    changed = await client.patch("/users/me", json={"full_name": "Анна", "locale": "ru"})
    assert (changed.status_code, changed.json()["full_name"], changed.json()["locale"]) == (200, "Анна", "ru")
    for body in ({"roles": ["admin"]}, {"is_active": False}, {"email": "x@example.org"}, {"full_name": "a\nb"}):
        assert (await client.patch("/users/me", json=body)).status_code == 422


async def test_an_admin_creates_lists_reads_and_changes_users(service):
    admin = await service.signed_in(Role.ADMIN, email="admin@localhost")
    made = await admin.post("/users", json={"email": "Boris@Example.org", "password": PASSWORD, "roles": ["staff"]})
    assert made.status_code == 201 and made.json()["email"] == "boris@example.org"
    path = f"/users/{made.json()['id']}"
    assert (await admin.get(path)).json() == made.json()
    listed = (await admin.get("/users", params={"role": "staff", "is_active": "true", "q": "BORIS"})).json()
    assert listed["results"] == [made.json()] and listed["count"] == 1
    changed = await admin.patch(path, json={"roles": ["client", "manager"]})
    assert changed.json()["roles"] == ["client", "manager"]


async def test_a_block_ends_sessions_at_once(service):
    admin = await service.signed_in(Role.ADMIN, email="admin@localhost")
    client = await service.signed_in()
    service.stage.clock.pass_by(seconds=1)
    user_id = (await client.get("/users/me")).json()["id"]
    assert (await admin.patch(f"/users/{user_id}", json={"is_active": False})).json()["is_active"] is False
    assert (await client.get("/users/me")).status_code == 401
    login = await service.client().post("/auth/login", json={"email": "anna@example.org", "password": PASSWORD})
    assert (login.status_code, login.json()["code"]) == (401, "credentials_wrong")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"email": "anna@example.org"}, 409, "email_taken"),
        ({"email": "no address"}, 422, "user_invalid"),
        ({"email": "x@example.org", "password": "short"}, 422, "user_invalid"),
        ({"email": "x@example.org", "roles": ["god"]}, 422, None),
        ({"email": "x@example.org", "is_admin": True}, 422, None),
    ],
)
async def test_what_cannot_be_created_is_named(service, body, status, code):
    await service.stage.a_person()
    answer = await (await service.keyed("admin")).post("/users", json=body)
    assert answer.status_code == status
    assert code is None or answer.json()["code"] == code


async def test_the_last_admin_stays(service):
    admin = await service.signed_in(Role.ADMIN)
    me = (await admin.get("/users/me")).json()["id"]
    for body in ({"roles": ["client"]}, {"is_active": False}):
        answer = await admin.patch(f"/users/{me}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (409, "last_admin")


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("POST", ""), ("GET", "/1"), ("PATCH", "/1")])
async def test_who_may_not_is_told_so(service, method, path):
    client = await service.signed_in(Role.MANAGER)
    assert (await client.request(method, f"/users{path}")).status_code == 403
    assert (await service.client().request(method, f"/users{path}")).status_code == 401


async def test_a_user_who_is_not_there_is_not_found(service):
    admin = await service.keyed("admin")
    for answer in (await admin.get("/users/99"), await admin.patch("/users/99", json={})):
        assert (answer.status_code, answer.json()["code"]) == (404, "no_such_user")


@pytest.mark.parametrize("whose", ["own", "anothers"])
async def test_a_change_under_a_version_that_is_over_is_refused_and_changes_nothing(service, whose):
    client = await service.signed_in()
    path = "/users/me"
    if whose == "anothers":
        path = f"/users/{(await client.get(path)).json()['id']}"
        client = await service.signed_in(Role.ADMIN, email="admin@localhost")
    read = await client.get(path)
    tag = read.headers["etag"]
    changed = await client.patch(path, json={"full_name": "Anna"}, headers={"If-Match": f'W/"77", {tag}'})
    assert (changed.status_code, changed.json()["full_name"]) == (200, "Anna")
    assert changed.headers["etag"] != tag
    for stale in (tag, f"W/{changed.headers['etag']}", '"x"', "", '"99999999999999999999"'):
        late = await client.patch(path, json={"full_name": "Boris"}, headers={"If-Match": stale})
        assert (late.status_code, late.json()["code"]) == (412, "precondition_failed")
    assert (await client.get(path)).json() == changed.json()
    whatever = await client.patch(path, json={"full_name": "Vera"}, headers={"If-Match": "*"})
    assert (whatever.status_code, whatever.json()["full_name"]) == (200, "Vera")
