"""API keys over HTTP: status, body, headers and problem code of every call."""

import re

import pytest

from core.access.stage import Stage
from opora.core.access.model.scopes import Role

pytestmark = pytest.mark.anyio

NEW = {"label": "QA", "scopes": ["profiles:read"]}
VIEW = {
    "id", "label", "prefix", "last4", "environment", "scopes", "status", "rate_limit_per_min", "allowed_ips",
    "owner_id", "rotated_from", "sunset_at", "last_used_at", "created_at", "expires_at", "version",
}  # fmt: skip


async def test_a_key_is_made_shown_once_and_works(service):
    admin = await service.keyed("admin")
    answer = await admin.post("/admin/api-keys", json={**NEW, "rate_limit_per_min": 7, "environment": "test"})
    assert answer.status_code == 201
    made = answer.json()
    assert made.keys() == VIEW | {"key"}
    assert re.fullmatch(r"opk_test_[0-9A-Za-z]{49}", made["key"]) and made["status"] == "active"
    read = await admin.get(f"/admin/api-keys/{made['id']}")
    assert read.json() == {name: made[name] for name in VIEW}
    me = await service.client(key=made["key"]).get("/users/me")
    assert (me.status_code, me.json()["code"]) == (404, "no_such_user")
    assert '"minute";q=7;w=60' in me.headers["ratelimit-policy"]


async def test_keys_are_listed_in_pages_and_by_what_is_wanted(service):
    admin = await service.keyed("admin")
    for number in range(3):
        await admin.post("/admin/api-keys", json={**NEW, "label": f"Касса {number}"})
    answer = (await admin.get("/admin/api-keys", params={"q": "КАССА", "limit": 2})).json()
    assert (answer["count"], answer["count_exact"], answer["previous"]) == (3, True, None)
    assert [one["label"] for one in answer["results"]] == ["Касса 2", "Касса 1"]
    rest = (await admin.get(answer["next"].removeprefix("/api/v1"))).json()
    assert [one["label"] for one in rest["results"]] == ["Касса 0"] and rest["next"] is None
    assert (await admin.get("/admin/api-keys", params={"state": "revoked"})).json()["count"] == 0


async def test_a_key_is_changed_switched_off_and_on(service):
    admin = await service.keyed("admin")
    made = (await admin.post("/admin/api-keys", json={**NEW, "rate_limit_per_min": 7})).json()
    path, client = f"/admin/api-keys/{made['id']}", service.client(key=made["key"])
    changed = (await admin.patch(path, json={"rate_limit_per_min": None, "status": "disabled"})).json()
    assert (changed["rate_limit_per_min"], changed["status"], changed["label"]) == (None, "disabled", "QA")
    refused = await client.get("/users/me")
    assert (refused.status_code, refused.json()["code"]) == (401, "key_disabled")
    assert "www-authenticate" in refused.headers
    assert (await admin.patch(path, json={"status": "active", "scopes": ["profiles:read"]})).status_code == 200
    assert (await service.client(key=made["key"]).get("/users/me")).status_code == 404


async def test_a_revoked_key_is_refused_and_stays_so(service):
    admin = await service.keyed("admin")
    made = (await admin.post("/admin/api-keys", json=NEW)).json()
    path = f"/admin/api-keys/{made['id']}"
    client = service.client(key=made["key"])
    assert (await client.get("/users/me")).status_code == 404
    assert (await admin.delete(path)).status_code == 204
    assert (await admin.delete(path)).status_code == 204
    refused = await client.get("/users/me")
    assert refused.status_code == 401
    again = await admin.patch(path, json={"status": "active"})
    assert (again.status_code, again.json()["code"], again.json()["allowed"]) == (409, "illegal_move", [])


@pytest.mark.parametrize("body", [None, {}, {"overlap_seconds": 60}])
async def test_a_rotated_key_is_deprecated_while_both_work(service, body):
    admin = await service.keyed("admin")
    old = (await admin.post("/admin/api-keys", json=NEW)).json()
    sent = {} if body is None else {"json": body}
    answer = await admin.post(f"/admin/api-keys/{old['id']}/rotate", **sent)
    assert answer.status_code == 201 and answer.json()["rotated_from"] == old["id"]
    by_old, by_new = [await service.client(key=key).get("/users/me") for key in (old["key"], answer.json()["key"])]
    assert by_old.status_code == by_new.status_code == 404
    assert "deprecation" in by_old.headers and "sunset" in by_old.headers and "sunset" not in by_new.headers
    again = await admin.post(f"/admin/api-keys/{old['id']}/rotate", json={"overlap_seconds": 0})
    assert (again.status_code, again.json()["code"]) == (409, "key_not_rotatable")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"label": "", "scopes": []}, {"label", "scopes"}),
        ({"label": "QA"}, {"scopes"}),
        ({**NEW, "admin": True}, {"admin"}),
        ({**NEW, "scopes": ["no:such"]}, {"scopes"}),
        ({**NEW, "expires_at": "2001-01-01T00:00:00Z"}, {"expires_at"}),
        ({**NEW, "rate_limit_per_min": -1}, {"rate_limit_per_min"}),
        ({**NEW, "allowed_ips": ["10.0.0.1/8", "x.y"]}, {"allowed_ips"}),
        ({**NEW, "environment": "prod"}, {"environment"}),
    ],
)
async def test_every_field_at_fault_is_named(service, body, fields):
    answer = await (await service.keyed("admin")).post("/admin/api-keys", json=body)
    assert answer.status_code == 422 and answer.json()["errors"].keys() == fields
    assert answer.headers["content-type"].startswith("application/problem+json")


async def test_a_manager_makes_and_sees_keys_within_their_own_rights_alone(service):
    manager = await service.signed_in(Role.MANAGER)
    admin = await service.keyed("admin")
    theirs = (await admin.post("/admin/api-keys", json=NEW)).json()["id"]
    made = await manager.post("/admin/api-keys", json=NEW)
    assert made.status_code == 201 and made.json()["owner_id"] is not None
    beyond = await manager.post("/admin/api-keys", json={**NEW, "scopes": ["audit:read"]})
    assert (beyond.status_code, beyond.json()["code"]) == (403, "beyond_own_rights")
    assert (await manager.get(f"/admin/api-keys/{theirs}")).status_code == 404
    assert (await manager.delete(f"/admin/api-keys/{theirs}")).status_code == 404
    assert (await manager.get("/admin/api-keys")).json()["count"] == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", ""),
        ("GET", ""),
        ("GET", "/1"),
        ("PATCH", "/1"),
        ("DELETE", "/1"),
        ("POST", "/1/rotate"),
    ],
)
async def test_who_may_not_is_told_so(service, method, path):
    client = await service.keyed("profiles:read")
    assert (await client.request(method, f"/admin/api-keys{path}")).status_code == 403
    assert (await service.client().request(method, f"/admin/api-keys{path}")).status_code == 401


async def test_a_use_is_shown_after_it_was_written(service, stage: Stage):
    admin = await service.keyed("admin")
    made = (await admin.post("/admin/api-keys", json=NEW)).json()
    await service.client(key=made["key"]).get("/users/me")
    await stage.usage.flush()
    assert (await admin.get(f"/admin/api-keys/{made['id']}")).json()["last_used_at"] == "2030-01-01T12:00:00Z"


async def test_a_key_is_changed_and_revoked_in_the_version_that_was_read(service):
    admin = await service.keyed("admin")
    path = f"/admin/api-keys/{(await admin.post('/admin/api-keys', json=NEW)).json()['id']}"
    first = (await admin.get(path)).headers["etag"]
    changed = await admin.patch(path, json={"label": "Касса"}, headers={"If-Match": first})
    assert (changed.status_code, changed.json()["label"]) == (200, "Касса")
    for late in (
        await admin.patch(path, json={"label": "QA"}, headers={"If-Match": first}),
        await admin.delete(path, headers={"If-Match": first}),
    ):
        assert (late.status_code, late.json()["code"]) == (412, "precondition_failed")
    assert (await admin.get(path)).json() == changed.json()
    assert (await admin.delete(path, headers={"If-Match": changed.headers["etag"]})).status_code == 204


async def test_a_tag_is_refused_where_none_is_compared(service):
    client = await service.signed_in()
    refused = await client.delete("/users/me", headers={"If-Match": '"1"'})
    assert (refused.status_code, refused.json()["code"]) == (412, "precondition_failed")
    assert (await client.get("/users/me")).status_code == 200
    assert (await client.delete("/users/me", headers={"If-Match": "*"})).status_code == 204
