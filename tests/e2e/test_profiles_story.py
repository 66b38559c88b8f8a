"""Document 0 from its first call to its last: a key, people, a list, a PDF, a limit."""

import io
import json
import time
from typing import Any

import pypdf

from e2e.conftest import Client, Setup


def a_client(setup: Setup, *scopes: str, limit: int = 10_000) -> Client:
    return setup.client(setup.key(*scopes, limit=limit)["key"])


ALL = ("profiles:read", "profiles:write", "profiles:delete", "exports:read", "exports:write")


def completed(client: Client, export_id: str) -> dict[str, Any]:
    deadline_s = time.monotonic() + 30
    while time.monotonic() < deadline_s:
        export: dict[str, Any] = client.call("GET", f"/api/v1/exports/{export_id}").json()
        if export["status"] in {"completed", "failed"}:
            return export
        time.sleep(0.05)
    raise AssertionError(f"the export is still {export['status']}")


def test_people_are_made_kept_listed_exported_and_deleted(setup: Setup) -> None:
    client = a_client(setup, *ALL)

    made = client.call("POST", "/api/v1/profiles/generate", json={"count": 100, "persist": True, "seed": 7})
    assert made.status_code == 201
    people = made.json()["profiles"]
    assert len({one["id"] for one in people}) == 100

    listed = client.call("GET", "/v1/profiles/", params={"q": people[0]["last_name"], "locale": "ru_RU"}).json()
    assert people[0]["id"] in {one["id"] for one in listed["results"]}

    wanted = {"profile_ids": [one["id"] for one in people], "format": "pdf"}
    asked = client.call("POST", "/api/exports", json=wanted)
    assert (asked.status_code, asked.json()["status"]) == (202, "queued")
    export = completed(client, asked.json()["export_id"])
    assert (export["status"], export["progress"], export["error"]) == ("completed", 100, None)
    file = client.call("GET", export["download_url"])
    assert file.headers["content-type"] == "application/pdf"
    pages = pypdf.PdfReader(io.BytesIO(file.content)).pages
    assert len(pages) == 100
    assert all(part in pages[0].extract_text() for part in people[0]["full_name"].split())

    part = client.call("GET", export["download_url"], headers={"Range": "bytes=0-7"})
    assert (part.status_code, part.content) == (206, file.content[:8])

    streamed = client.call("GET", "/api/v1/profiles/export", params={"format": "ndjson"})
    assert [json.loads(line)["id"] for line in streamed.text.splitlines()] == [one["id"] for one in reversed(people)]

    assert client.call("DELETE", f"/api/v1/profiles/{people[0]['id']}").status_code == 204
    gone = client.call("GET", f"/api/v1/profiles/{people[0]['id']}")
    assert (gone.status_code, gone.json()["code"]) == (404, "no_such_profile")

    verified = json.loads(setup.installation.command("audit", "verify", "--json").stdout)
    assert verified["whole"]


def test_the_call_past_the_limit_is_refused_by_whichever_process_it_meets(setup: Setup) -> None:
    client = a_client(setup, "profiles:read", limit=20)
    answers = [client.call("GET", "/api/v1/profiles") for _ in range(21)]
    assert [one.status_code for one in answers] == [200] * 20 + [429]
    assert [int(one.headers["x-ratelimit-remaining"]) for one in answers] == [*range(19, -1, -1), 0]
    refused = answers[-1]
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert (refused.json()["limit"], refused.json()["remaining"]) == (20, 0)


def test_the_same_call_twice_has_one_effect_and_one_answer(setup: Setup) -> None:
    client = a_client(setup, *ALL)
    once = {"json": {"count": 3, "persist": True}, "headers": {"Idempotency-Key": "once"}}
    first, second = (client.call("POST", "/api/v1/profiles/generate", **once) for _ in range(2))
    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert second.headers["idempotent-replayed"] == "true"
    assert client.call("GET", "/api/v1/profiles").json()["count"] == 3


def test_a_revoked_key_is_refused_everywhere_within_a_second(setup: Setup) -> None:
    key = setup.key("profiles:read")
    client = setup.client(key["key"])
    assert client.call("GET", "/api/v1/profiles").status_code == 200
    setup.installation.command("keys", "revoke", str(key["id"]))
    time.sleep(1.0)  # the promise is a second
    answers = [client.call("GET", "/api/v1/profiles") for _ in setup.addresses]
    assert {(one.status_code, one.json()["code"]) for one in answers} == {(401, "key_revoked")}


def test_an_admin_signs_in_makes_a_key_and_rotates_it(setup: Setup) -> None:
    setup.installation.command(
        "users", "create", "--email", "chief@example.com", "--role", "admin", given="correct horse battery\n"
    )
    client = setup.client("")
    del client.http.headers["X-API-Key"]
    signed_in = client.call(
        "POST", "/api/v1/auth/login", json={"email": "chief@example.com", "password": "correct horse battery"}
    )
    assert (signed_in.status_code, signed_in.json()["token_type"].lower()) == (200, "bearer")
    client.http.headers["Authorization"] = f"Bearer {signed_in.json()['access_token']}"
    wanted = {"label": "partner", "scopes": ["profiles:read"], "environment": "test"}
    made = client.call("POST", "/api/v1/admin/api-keys", json=wanted)
    assert (made.status_code, made.json()["key"].startswith("opk_test_")) == (201, True)
    rotated = client.call("POST", f"/api/v1/admin/api-keys/{made.json()['id']}/rotate", json={"overlap_seconds": 0})
    assert rotated.status_code == 201
    old, new = (setup.client(one.json()["key"]).call("GET", "/api/v1/profiles") for one in (made, rotated))
    assert (old.status_code, new.status_code) == (401, 200)
