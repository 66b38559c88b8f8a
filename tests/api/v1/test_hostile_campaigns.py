"""What campaigns are sent that is bad, each kind over HTTP: a refusal with its code, and nothing stored."""

import hmac
import json
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from adapters.tables.made_workbooks import archive, of_cells, with_declared_size, workbook
from api.program import Program
from api.v1.campaigns import API, Campaigns
from api.v1.transfers import ROWS, Campaign
from opora.core.kernel.rules import webhook_signature
from opora.core.numbers.model.calls import SoftphoneKey

pytestmark = pytest.mark.anyio
MIB = 1024 * 1024
PHONES = "телефон;имя\n+79160000001;Юлия\n8 916 0000002;Иван\n"


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def files(anyio_backend: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Campaign]:
    home = tmp_path_factory.mktemp("home")
    async with Program.over(home) as program:
        files = Campaign(program, home)
        await files.open()
        yield files
        for client in files.clients.values():
            await client.aclose()


@pytest.fixture(scope="module")
async def campaigns(files: Campaign) -> Campaigns:
    return await Campaigns.over(files.program)


async def numbers(files: Campaign) -> int:
    """Count the numbers there are."""
    return (await files.program.rows())["phone_numbers"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1251"])
async def test_csv_in_every_usual_encoding_is_read(files: Campaign, campaigns: Campaigns, encoding: str) -> None:
    project = await campaigns.project()
    job = await files.imported(PHONES.encode(encoding), by="admin", project_id=project)
    assert (job["status"], job["created"], job["invalid"]) == ("completed", 2, 0)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        pytest.param(b'phone\n"79160000001\n' + b"x\n" * 400_000, "quote_unclosed", id="an unclosed quote"),
        pytest.param(b"phone\n" + b"7" * 4 * MIB, "line_too_long", id="a line without end"),
        pytest.param(b"phone\x00;\x01\x02\n\xff\xfe\xfd", "not_a_table", id="no table"),
        pytest.param(archive("<worksheet><broken"), "workbook_unreadable", id="a broken workbook"),
        pytest.param(with_declared_size(1_200_000_000), "table_too_costly", id="a bomb"),
        pytest.param(
            archive('<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><worksheet><sheetData><row><c t="inlineStr">'
                    "<is><t>&e;</t></is></c></row></sheetData></worksheet>"),
            "workbook_unreadable", id="an entity of another file",
        ),
        pytest.param(
            of_cells('<row r="1"><c r="A1"><v>1</v></c></row><row r="1048577"><c r="A1048577"><v>1</v></c></row>'),
            "too_many_rows", id="a workbook of 1,048,577 rows",
        ),
    ],
)  # fmt: skip
async def test_a_file_of_every_bad_kind_is_refused_by_its_fault(files: Campaign, content: bytes, code: str) -> None:
    before = await numbers(files)
    job = await files.imported(content, by="admin")
    assert job["status"] in {"refused", "failed"}
    assert job["error_code"] == code, job
    assert await numbers(files) == before
    assert [one for one in files.drop.parent.rglob("files/*/*/*") if one.is_file()] == []


async def test_floats_of_spreadsheets_are_numbers_and_leading_zeros_are_no_digits_lost(
    files: Campaign, campaigns: Campaigns
) -> None:
    project = await campaigns.project()
    rows = [["phone"], [79160000011.0], ["79160000012.0"], ["0079160000013"], ["7,9161E+10"], [7.91612e22]]
    job = await files.imported(workbook(rows), by="admin", project_id=project)
    assert (job["created"], job["invalid"]) == (2, 3)
    refused = (await files.get(f"/jobs/{job['id']}/errors", by="admin")).text
    assert [line.split(",")[0] for line in refused.splitlines()] == ["line", "4", "5", "6"]


async def test_a_mapping_to_a_column_that_is_not_there_names_it(files: Campaign) -> None:
    for column in ("mobile", 9):
        answer = await files.send(ROWS, by="admin", mapping=json.dumps({"phone_number": column}))
        assert (answer.status_code, answer.json()["code"]) == (422, "column_missing")
        assert str(column) in answer.text


@pytest.mark.parametrize(
    "spelling",
    ["", " ", "nobody", "+7", "7.91612E+10", "+7 200 000 00 00", "8" * 40, "+79160000001\x00", "٠١٢٣٤٥٦٧٨٩", "=1+1"],
)
async def test_what_is_no_phone_is_refused_wherever_it_is_said(
    files: Campaign, campaigns: Campaigns, spelling: str
) -> None:
    before = await numbers(files)
    project = await campaigns.project()
    body = {"phone_number": spelling, "project_id": project}
    assert 400 <= (await campaigns.admin.post(f"{API}/phone-numbers", json=body)).status_code < 500
    many = await campaigns.admin.post(f"{API}/phone-numbers/bulk", json={"items": [body]})
    assert many.status_code in {400, 422} or many.json()["invalid"] == 1, many.text
    told = await campaigns.tell(campaigns.event("call_started", spelling, "c"))
    assert 400 <= told.status_code < 500
    assert await numbers(files) == before


@pytest.mark.parametrize(("start", "end"), [("09:00", "09:00"), ("00:00", "00:00")])
async def test_hours_of_no_length_are_refused(campaigns: Campaigns, start: str, end: str) -> None:
    project = await campaigns.project()
    items = [{"weekday": 0, "start_time": start, "end_time": end}]
    answer = await campaigns.admin.put(f"{API}/projects/{project}/schedules", json={"items": items})
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["items.0"])
    shown = (await campaigns.admin.get(f"{API}/projects/{project}/schedules")).json()
    assert shown["items" if "items" in shown else "results"] == []


async def test_a_webhook_unsigned_stale_changed_or_under_another_key_is_refused(campaigns: Campaigns) -> None:
    body = json.dumps(campaigns.event("call_started", campaigns.phone(), "hostile")).encode()
    key = (await campaigns.program.container.get(SoftphoneKey)).key
    now = int(campaigns.program.clock.now().timestamp())
    signed = webhook_signature(key, "msg_1", now, body)
    plain = "sha256=" + hmac.new(b"another", f"{now}.".encode() + body, sha256).hexdigest()
    before = (await campaigns.program.rows())["call_events"]
    for sent, headers in (
        (body, {"webhook_signature": ""}),
        (body, {"webhook_signature": webhook_signature(key, "msg_1", now - 301, body),
                "webhook_timestamp": str(now - 301)}),
        (body.replace(b"call_started", b"call_starteD"), {"webhook_signature": signed}),
        (body, {"webhook_signature": webhook_signature(b"another key of thirty-two bytes.", "msg_1", now, body)}),
        (body, {"webhook_signature": "", "x_softphone_timestamp": str(now), "x_softphone_signature": plain}),
    ):  # fmt: skip
        answer = await campaigns.send(sent, **headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "webhook_unsigned"), headers
    assert (await campaigns.program.rows())["call_events"] == before
    assert (await campaigns.send(body, webhook_signature=signed)).status_code == 200


@pytest.mark.parametrize("host", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "[::1]", "localhost"])
async def test_a_drop_inside_the_network_is_not_called(tmp_path: Path, host: str) -> None:
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
    told = {"OPORA_SFTP_URL": f"sftp://a:b@{host}:22/", "OPORA_SFTP_HOST_KEY": key}
    async with Program.over(tmp_path, **told) as program:
        files = Campaign(program, tmp_path)
        await files.open()
        asked = await files.post("/import", by="admin", project_id=files.project, file_name="a.csv")
        assert asked.status_code == 202
        await files.work()
        job: dict[str, Any] = (await files.get(f"/jobs/{asked.json()['job_id']}", by="admin")).json()
        assert (job["status"], job["error_code"]) == ("failed", "drop_refused")
        assert "inside the network" in job["error_log"]


async def test_a_manager_gets_at_anothers_project_by_no_way(files: Campaign, campaigns: Campaigns) -> None:
    project = await campaigns.open_project()
    number = await campaigns.number(project)
    _, stranger = await campaigns.manager()
    phone = number["phone_number"]
    for method, path, body in (
        ("GET", f"/projects/{project}", None),
        ("GET", f"/phone-numbers/{number['id']}", None),
        ("PATCH", f"/phone-numbers/{number['id']}", {"status": "in_progress"}),
        ("GET", f"/softphone/number/{phone}", None),
        ("POST", "/phone-numbers/claim", {"project_id": project}),
        ("POST", "/sftp/export", {"project_id": project, "file_name": "a.csv"}),
        ("POST", "/sftp/import", {"project_id": project, "file_name": "a.csv"}),
        ("GET", f"/projects/{project}/conversion", None),
    ):
        answer = await stranger.request(method, f"{API}{path}", json=body)
        assert answer.status_code == 404, (method, path, answer.text)
        assert phone not in answer.text or path.endswith(phone)
    for query in (f"project_id={project}", f"phone={phone.removeprefix('+')}", "status=new", "limit=200"):
        listed = (await stranger.get(f"{API}/phone-numbers?{query}")).json()
        assert (listed["count"], listed["results"]) == (0, []), query
    many = await stranger.post(
        f"{API}/phone-numbers/bulk-update", json={"filter": {"project_id": project}, "set": {"status": "in_progress"}}
    )
    assert many.json()["updated"] == 0
    assert (await campaigns.read(number["id"]))["status"] == "new"
