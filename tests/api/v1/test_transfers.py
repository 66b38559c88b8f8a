"""Imports and exports over HTTP: files sent, jobs followed, files and refused rows downloaded."""

import csv
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from api.program import Program
from api.v1.transfers import ROWS, Campaign

pytestmark = pytest.mark.anyio


@pytest.fixture
async def campaign(tmp_path: Path) -> AsyncIterator[Campaign]:
    """A campaign in the embedded set-up."""
    async with Program.over(tmp_path) as program:
        campaign = Campaign(program, tmp_path)
        await campaign.open()
        yield campaign
        for client in campaign.clients.values():
            await client.aclose()


async def test_a_file_that_is_sent_is_imported_and_its_refused_rows_are_read(campaign: Campaign) -> None:
    sent = await campaign.send(ROWS)
    assert sent.status_code == 202
    assert sent.json() == {"job_id": sent.json()["job_id"], "status": "pending"}
    place = f"/jobs/{sent.json()['job_id']}"
    assert sent.headers["location"] == f"/api/v1/sftp{place}"
    await campaign.work()
    found = (await campaign.get(place)).json()
    told = {
        name: found[name]
        for name in ("job_type", "status", "records_count", "created", "duplicates", "invalid", "progress", "file_name")
    }
    assert told == {
        "job_type": "import", "status": "completed", "records_count": 4, "created": 2, "duplicates": 1, "invalid": 1,
        "progress": 100, "file_name": "a.csv",
    }  # fmt: skip
    rows = await campaign.get(f"{place}/errors")
    assert rows.headers["content-type"].startswith("text/csv")
    assert [row[:4] for row in csv.reader(io.StringIO(rows.text))] == [
        ["line", "column", "reason", "value"],
        ["4", "phone_number", "duplicate_in_file", "'+79160000001"],
        ["5", "phone_number", "not_a_phone", "'=cmd"],
    ]
    listed = (await campaign.get("/jobs?job_type=import&status=completed")).json()
    assert [one["id"] for one in listed["results"]] == [found["id"]]


async def test_a_repeated_upload_is_one_import(campaign: Campaign) -> None:
    key = {"idempotency-key": "once"}
    first, second = await campaign.send(ROWS, headers=key), await campaign.send(ROWS, headers=key)
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json() == second.json()
    assert second.headers["idempotent-replayed"] == "true"
    other = await campaign.send(ROWS + b"1;2\n", headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


@pytest.mark.parametrize(
    ("content", "fields", "status", "code"),
    [
        (b"%PDF-1.7\x00\x01", {}, 422, "not_a_table"),
        (b"", {}, 422, "not_a_table"),
        (b"name;surname\na;b\n", {}, 422, "column_missing"),
        (ROWS, {"mapping": json.dumps({"phone_number": "mobile"})}, 422, "column_missing"),
        (ROWS, {"mapping": json.dumps({"phone_number": 9})}, 422, "column_missing"),
        (ROWS, {"mapping": json.dumps({"price": "a"})}, 422, "invalid_transfer"),
        (ROWS, {"mapping": "no json"}, 422, "validation_failed"),
        (ROWS, {"mapping": json.dumps({"phone_number": 0})}, 422, "validation_failed"),
        (ROWS, {"project_id": "x"}, 422, "validation_failed"),
        (ROWS, {"project_id": 10**6}, 404, "no_such_project"),
        (ROWS, {"provider_id": 10**6}, 404, "no_such_provider"),
        (ROWS, {"colour": "red"}, 422, "validation_failed"),
        (b"PK\x03\x04 none", {}, 422, "workbook_unreadable"),
    ],
)
async def test_a_file_that_cannot_be_imported_is_refused_and_not_kept(
    campaign: Campaign, content: bytes, fields: dict[str, Any], status: int, code: str
) -> None:
    refused = await campaign.send(content, **fields)
    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert (await campaign.get("/jobs")).json()["count"] == 0
    assert [path for path in campaign.drop.parent.rglob("files/imports/*/*") if path.is_file()] == []


async def test_a_missing_file_is_named_with_every_field_at_fault(campaign: Campaign) -> None:
    sent = {"project_id": (None, b"x"), "colour": (None, b"red")}
    refused = await campaign.clients["manager"].post("/api/v1/phone-numbers/import", files=sent)
    assert (refused.status_code, set(refused.json()["errors"])) == (422, {"file", "project_id", "colour"})


async def test_a_file_name_with_a_path_keeps_its_last_part(campaign: Campaign) -> None:
    sent = await campaign.send(ROWS, name="..\\..\\etc/passwd")
    assert (await campaign.get(f"/jobs/{sent.json()['job_id']}")).json()["file_name"] == "passwd"


async def test_a_file_on_the_drop_is_imported(campaign: Campaign) -> None:
    (campaign.drop / "in").mkdir(parents=True)
    (campaign.drop / "in" / "base.csv").write_bytes(ROWS)
    asked = await campaign.post("/import", project_id=campaign.project, file_name="in/base.csv")
    assert asked.status_code == 202
    missing = await campaign.post("/import", project_id=campaign.project, file_name="none.csv")
    await campaign.work()
    found = (await campaign.get(f"/jobs/{asked.json()['job_id']}")).json()
    assert (found["status"], found["created"], found["channel"]) == ("completed", 2, "sftp")
    lost = (await campaign.get(f"/jobs/{missing.json()['job_id']}")).json()
    assert (lost["status"], lost["error_code"]) == ("failed", "no_such_drop_file")
    assert lost["error_log"]


@pytest.mark.parametrize("name", ["../a.csv", "/etc/passwd", "a/../../b", "a//b", "a.part", "a\\b", "x" * 256, ""])
async def test_a_name_that_leads_out_of_the_drop_is_refused(campaign: Campaign, name: str) -> None:
    for path in ("/import", "/export"):
        refused = await campaign.post(path, project_id=campaign.project, file_name=name)
        assert refused.status_code == 422
        assert "file_name" in refused.json()["errors"]


@pytest.mark.parametrize("format", ["csv", "xlsx"])
async def test_numbers_are_exported_to_the_drop_or_for_download(campaign: Campaign, format: str) -> None:
    await campaign.send(ROWS)
    await campaign.work()
    asked = {"project_id": campaign.project, "format": format}
    kept = await campaign.post("/export", file_name=f"out/a.{format}", destination="download", **asked)
    sent = await campaign.post("/export", file_name=f"out/b.{format}", **asked)
    place = f"/jobs/{kept.json()['job_id']}"
    early = await campaign.get(f"{place}/download")
    assert (early.status_code, early.json()["code"]) == (409, "transfer_not_ready")
    await campaign.work()
    found = (await campaign.get(place)).json()
    assert (found["status"], found["records_count"], found["progress"]) == ("completed", 2, 100)
    file = await campaign.clients["manager"].get(found["download_url"])
    assert file.content == (campaign.drop / "out" / f"b.{format}").read_bytes()
    assert f'filename="a.{format}"' in file.headers["content-disposition"]
    part = await campaign.clients["manager"].get(found["download_url"], headers={"range": "bytes=2-5"})
    assert (part.status_code, part.content) == (206, file.content[2:6])
    assert (await campaign.get(f"/jobs/{sent.json()['job_id']}/download")).status_code == 409
    assert (await campaign.get(f"{place}/errors")).status_code == 409


async def test_an_export_holds_what_its_filter_wants(campaign: Campaign) -> None:
    await campaign.send(ROWS)
    await campaign.work()
    for filter, count in (
        ({"phone": "+7 916 0000001"}, 1),
        ({"status": "new"}, 2),
        ({"status": "success"}, 0),
        ({"provider_id": 5}, 0),
        ({"created_before": "2020-01-01T00:00:00Z"}, 0),
        ({"created_after": "2020-01-01T00:00:00Z"}, 2),
    ):
        asked = await campaign.post(
            "/export", project_id=campaign.project, file_name="a.csv", destination="download", filter=filter
        )
        await campaign.work()
        found = (await campaign.get(f"/jobs/{asked.json()['job_id']}")).json()
        assert (found["status"], found["records_count"]) == ("completed", count), filter
    for body in ({"filter": {"phone": "x"}}, {"format": "pdf"}, {"destination": "moon"}, {"filter": {"colour": 1}}):
        refused = await campaign.post("/export", project_id=campaign.project, file_name="a.csv", **body)
        assert refused.status_code == 422, body


async def test_a_stranger_sees_nothing_of_anothers_transfers(campaign: Campaign) -> None:
    sent = await campaign.send(ROWS, by="admin", project_id=campaign.other)
    theirs = f"/jobs/{sent.json()['job_id']}"
    for path in ("", "/errors", "/download"):
        assert (await campaign.get(theirs + path)).status_code == 404
    for path in ("/cancel", "/undo"):
        assert (await campaign.post(theirs + path)).status_code == 404
    assert (await campaign.get("/jobs")).json()["count"] == 0
    assert (await campaign.get(f"/jobs?project_id={campaign.other}")).json()["count"] == 0
    assert (await campaign.send(ROWS, project_id=campaign.other)).status_code == 404
    for path in ("/import", "/export"):
        asked = await campaign.post(path, project_id=campaign.other, file_name="a.csv")
        assert (asked.status_code, asked.json()["code"]) == (404, "no_such_project")
    assert (await campaign.get("/jobs", by="admin")).json()["count"] == 1
    assert (await campaign.get("/jobs", by="key")).json()["count"] == 0
    assert (await campaign.get("/jobs", by="client")).status_code == 403
    assert (await campaign.get("/jobs", by="nobody")).status_code == 401


async def test_a_transfer_is_cancelled_once_and_an_import_undone_once(campaign: Campaign) -> None:
    waiting = (await campaign.send(ROWS)).json()["job_id"]
    cancelled = await campaign.post(f"/jobs/{waiting}/cancel")
    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
    again = await campaign.post(f"/jobs/{waiting}/cancel")
    assert (again.status_code, again.json()["code"]) == (409, "transfer_ended")
    done = (await campaign.send(ROWS)).json()["job_id"]
    await campaign.work()
    assert (await campaign.post(f"/jobs/{done}/undo")).status_code == 202
    await campaign.work()
    found = (await campaign.get(f"/jobs/{done}")).json()
    assert (found["removed"], found["undone_at"] is not None) == (2, True)
    again = await campaign.post(f"/jobs/{done}/undo")
    assert (again.status_code, again.json()["code"]) == (409, "transfer_not_undoable")
