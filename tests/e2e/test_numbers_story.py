"""Document 2 from its first call to its last: a campaign, its numbers from a file, calls, figures, the audit log."""

import json
import os
import time
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

import httpx

from e2e.conftest import Client, Setup
from opora.bootstrap.sources import load
from opora.core.kernel.rules import webhook_key, webhook_signature

WEEK = [{"weekday": day, "start_time": "00:00", "end_time": "24:00"} for day in range(7)]


def made(client: Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Make a record and return it."""
    answer = client.call("POST", path, json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def campaign(client: Client) -> int:
    """Make a project with a provider, an area and hours, and return its id."""
    project = made(client, "/api/projects/", {"name": "Осень", "zone_mode": "project", "timezone": "UTC"})["id"]
    provider = made(client, "/api/providers/", {"name": "МТС", "contact_info": {"email": "a@b.example"}})["id"]
    area = made(client, "/api/geo/", {"country_code": "RU", "timezone": "Europe/Moscow"})["id"]
    made(client, f"/api/projects/{project}/providers/", {"provider_id": provider})
    made(client, f"/api/projects/{project}/geo/", {"geo_id": area})
    assert client.call("PUT", f"/api/projects/{project}/schedules/", json={"items": WEEK}).status_code == 200
    number = {"phone_number": "8 (495) 123-45-67", "project_id": project, "provider_id": provider, "geo_id": area}
    assert made(client, "/api/phone-numbers/", number)["phone_number"] == "+74951234567"
    return int(project)


def imported(client: Client, project: int) -> dict[str, Any]:
    """Bring a file of numbers and return how that ended."""
    rows = ["phone_number", "89160000001", "+7 916 000-00-02", "89160000001", "nobody"]
    sent = client.call(
        "POST",
        "/api/phone-numbers/import",
        data={"project_id": str(project)},
        files={"file": ("base.csv", "\n".join(rows).encode(), "text/csv")},
    )
    assert sent.status_code == 202, sent.text
    deadline_s = time.monotonic() + 30
    while time.monotonic() < deadline_s:
        job: dict[str, Any] = client.call("GET", f"/api/sftp/jobs/{sent.json()['job_id']}").json()
        if job["status"] in {"completed", "failed"}:
            return job
        time.sleep(0.05)
    raise AssertionError(f"the import is still {job['status']}")


def tell(setup: Setup, client: Client, event: dict[str, Any]) -> httpx.Response:
    """Send a signed event, as a telephone does."""
    with patch.dict(os.environ, setup.installation.variables(), clear=True):
        key = webhook_key(load().softphone_secret)
    at = datetime.now(UTC)
    body = json.dumps({"occurred_at": at.isoformat().replace("+00:00", "Z"), **event}).encode()
    stamp = int(at.timestamp())
    headers = {
        "content-type": "application/json",
        "webhook-id": event["event_id"],
        "webhook-timestamp": str(stamp),
        "webhook-signature": webhook_signature(key, event["event_id"], stamp, body),
    }
    return client.call("POST", "/api/softphone/webhook/", content=body, headers=headers)


def calls_are_told_of(setup: Setup, client: Client, project: int) -> None:
    """Claim three numbers and tell of their calls, each the end first and twice."""
    claimed = client.call("POST", "/api/phone-numbers/claim", json={"project_id": project, "limit": 3}).json()[
        "results"
    ]
    assert len({one["id"] for one in claimed}) == 3
    for one, result in zip(claimed, ("success", "failed", "no_answer"), strict=True):
        event = {"phone_number": one["phone_number"], "call_id": f"call-{one['id']}"}
        ended = event | {"event_id": f"r-{one['id']}", "type": "call_result", "result": result}
        assert tell(setup, client, ended).json()["duplicate"] is False
        assert tell(setup, client, event | {"event_id": f"s-{one['id']}", "type": "call_started"}).status_code == 200
        assert tell(setup, client, ended).json()["duplicate"] is True
        shown = client.call("GET", f"/api/softphone/number/{one['phone_number']}/").json()
        assert (shown["status"], shown["attempts"], len(shown["last_calls"])) == (result, 1, 1)
    unsigned = client.call("POST", "/api/softphone/webhook/", json={"event_id": "x"})
    assert unsigned.status_code == 401


def test_a_campaign_goes_from_its_making_to_its_figures(setup: Setup) -> None:
    client = setup.client(setup.key("admin")["key"])
    project = campaign(client)

    job = imported(client, project)
    assert (job["status"], job["created"], job["duplicates"], job["invalid"]) == ("completed", 2, 1, 1)
    bulk = client.call(
        "POST", "/api/phone-numbers/bulk/", json={"items": [{"phone_number": "+79160000003", "project_id": project}]}
    )
    assert bulk.json()["created"] == 1
    listed = client.call("GET", "/api/phone-numbers/", params={"project_id": project, "status": "new"}).json()
    assert (listed["count"], listed["count_exact"]) == (4, True)

    calls_are_told_of(setup, client, project)

    figures = client.call("POST", f"/api/projects/{project}/recalculate-conversion/").json()
    assert (figures["total_numbers"], figures["processed_numbers"], figures["conversion_rate"]) == (4, 3, 33.33)
    assert len(client.call("GET", f"/api/projects/{project}/conversion/").json()["history"]) == 1

    assert client.call("DELETE", f"/api/projects/{project}/").status_code == 204
    assert project in {one["id"] for one in client.call("GET", "/api/projects/deleted/").json()["results"]}
    assert client.call("GET", "/api/phone-numbers/", params={"project_id": project}).json()["count"] == 0
    assert client.call("POST", f"/api/projects/{project}/restore/").status_code == 200
    assert client.call("GET", "/api/phone-numbers/", params={"project_id": project}).json()["count"] == 4

    told = {one["action"] for one in client.call("GET", "/api/audit-log/", params={"limit": 200}).json()["results"]}
    assert told >= {
        "project.created",
        "provider.created",
        "geo.created",
        "project.schedule_set",
        "numbers.added",
        "numbers.claimed",
        "number.status_changed",
        "project.deleted",
        "project.restored",
    }
