"""Exports over HTTP: asked for, listed, and downloaded whole or in part."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from dishka import Provider, Scope, make_async_container

from api.stand import MINUTE, Doorman, Stand
from core.profiles.office import Office
from opora.adapters.files.blobs import FolderBlobs
from opora.adapters.sql.connection import Database
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.api.calls import current_actor
from opora.api.edge import wrap
from opora.api.http import application
from opora.api.v1.exports import ExportController
from opora.bootstrap.binding import bind
from opora.core.access.model.callers import Caller, Credentials
from opora.core.kernel.model import Actor, Origin
from opora.core.profiles.model.exports import ExportFormat
from opora.core.profiles.ports.exports import ExportViews
from opora.core.profiles.usecases.exports import DownloadExport, RequestExport
from opora.testing.exports import HOUR, NOON

pytestmark = pytest.mark.anyio

BOTH = frozenset({"exports:read", "exports:write"})
CALLERS = {
    "mine": Actor(key_id=7, scopes=BOTH),
    "theirs": Actor(key_id=8, scopes=BOTH),
    "reader": Actor(key_id=7, scopes=frozenset({"exports:read"})),
    "writer": Actor(key_id=7, scopes=frozenset({"exports:write"})),
    "admin": Actor(user_id=1, scopes=frozenset({"admin"})),
}
PATH = "/api/v1/exports"


class KeyHolders(Doorman):
    """Knows the callers above by their bearers."""

    async def __call__(self, credentials: Credentials, origin: Origin) -> Caller:
        actor = CALLERS[credentials.bearer] if credentials.bearer else Actor()
        return Caller(actor, actor.subject, (MINUTE,))


@pytest.fixture
async def office(sqlite_unit: SqlUnitOfWork, sqlite_database: Database, tmp_path: Path) -> AsyncIterator[Office]:
    blobs = FolderBlobs(tmp_path / "blobs")
    yield Office(sqlite_unit, sqlite_database, blobs)
    blobs.close()


@pytest.fixture
async def stand(office: Office) -> AsyncIterator[Stand]:
    provider = Provider(scope=Scope.APP)
    provider.provide(lambda: office.request, provides=RequestExport)
    provider.provide(lambda: office.download, provides=DownloadExport)
    provider.provide(lambda: office.views, provides=ExportViews)
    container = make_async_container(provider)
    stand = Stand()
    parts = replace(stand.parts, authenticate=KeyHolders())
    stand.app = wrap(application([await bind(ExportController, container, current_actor)]), parts)
    yield stand
    await container.close()


@pytest.fixture
async def client(stand: Stand) -> AsyncIterator[httpx.AsyncClient]:
    async with stand.client("mine") as client:
        yield client


async def made(office: Office, *ids: int, format: ExportFormat = ExportFormat.JSON) -> str:
    """Make an export of these profiles and return the path of its file."""
    export = await office.ask(*ids, format=format)
    await office.render(await office.claim())
    return f"{PATH}/{export.id}/download"


async def test_an_export_goes_from_the_wish_to_the_file(office: Office, client: httpx.AsyncClient) -> None:
    asked = await client.post(PATH, json={"profile_id": 7, "format": "pdf"})
    assert asked.status_code == 202
    assert asked.json()["status"] == "queued"
    path = f"{PATH}/{asked.json()['export_id']}"
    shown = (await client.get(path)).json()
    assert shown["requested_at"] == "2030-01-01T12:00:00Z"
    del shown["requested_at"]
    assert shown == {
        "id": asked.json()["export_id"],
        "profile_id": 7,
        "format": "pdf",
        "status": "queued",
        "progress": 0,
        "completed_at": None,
        "download_url": None,
        "error": None,
    }
    await office.render(await office.claim())
    done = (await client.get(path)).json()
    assert (done["status"], done["progress"], done["completed_at"]) == ("completed", 100, "2030-01-01T12:00:00Z")
    file = await client.get(done["download_url"])
    assert (file.status_code, file.content) == (200, b"%PDF 7")
    assert file.headers["content-type"] == "application/pdf"
    assert file.headers["content-length"] == "6"


async def test_several_profiles_make_one_file(office: Office, client: httpx.AsyncClient) -> None:
    asked = await client.post(PATH, json={"profile_ids": [5, 3], "format": "json"})
    await office.render(await office.claim())
    shown = (await client.get(f"{PATH}/{asked.json()['export_id']}")).json()
    assert shown["profile_id"] is None
    file = await client.get(shown["download_url"])
    assert [one["id"] for one in json.loads(file.content)] == [5, 3]
    assert file.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("body", "at_fault"),
    [
        ({}, None),
        ({"format": "pdf"}, "profile_id"),
        ({"format": "pdf", "profile_id": 1, "profile_ids": [2]}, "profile_id"),
        ({"format": "xml", "profile_id": 1}, "format"),
        ({"format": "pdf", "profile_ids": []}, "profile_ids"),
        ({"format": "pdf", "profile_ids": list(range(1, 1002))}, "profile_ids"),
        ({"format": "pdf", "profile_ids": [1, 1]}, "profile_ids"),
        ({"format": "pdf", "profile_id": 0}, None),
        ({"format": "pdf", "profile_id": 2**63}, None),
        ({"format": "pdf", "profile_id": "1"}, None),
        ({"format": "pdf", "profile_id": 1, "path": "../x"}, None),
        ({"format": "pdf\u0000", "profile_id": 1}, None),
    ],
)
async def test_a_wish_that_breaks_a_rule_is_refused(
    office: Office, client: httpx.AsyncClient, body: dict[str, object], at_fault: str | None
) -> None:
    answer = await client.post(PATH, json=body)
    assert answer.status_code == 422
    assert at_fault is None or set(answer.json()["errors"]) == {at_fault}
    assert await office.actions() == []


@pytest.mark.parametrize("wish", [{"profile_id": 300}, {"profile_id": 999}, {"profile_ids": [1, 300]}])
async def test_a_profile_that_is_not_the_callers_is_not_found(
    client: httpx.AsyncClient, wish: dict[str, object]
) -> None:
    answer = await client.post(PATH, json={"format": "pdf", **wish})
    assert (answer.status_code, answer.json()["code"]) == (404, "no_such_profile")


async def test_nobody_sees_anothers_export(office: Office, stand: Stand) -> None:
    file = await made(office, 1)
    async with stand.client("theirs") as stranger:
        for path in (file, file.removesuffix("/download"), f"{PATH}/{uuid4()}"):
            answer = await stranger.get(path)
            assert (answer.status_code, answer.json()["code"]) == (404, "no_such_export")
        assert (await stranger.get(PATH)).json()["results"] == []
    async with stand.client("admin") as admin:
        assert (await admin.get(file)).status_code == 200
        assert (await admin.get(PATH)).json()["count"] == 1


async def test_each_call_needs_its_scope(office: Office, stand: Stand) -> None:
    file = await made(office, 1)
    async with stand.client("writer") as writer:
        for path in (PATH, file, file.removesuffix("/download")):
            assert (await writer.get(path)).status_code == 403
        assert (await writer.post(PATH, json={"profile_id": 1, "format": "pdf"})).status_code == 202
    async with stand.client("reader") as reader:
        assert (await reader.post(PATH, json={"profile_id": 1, "format": "pdf"})).status_code == 403
        assert (await reader.get(file)).status_code == 200
    async with stand.client() as nobody:
        assert (await nobody.get(file)).status_code == 401


async def test_exports_are_listed_the_newest_first(office: Office, client: httpx.AsyncClient) -> None:
    ids = [str((await office.ask(number)).id) for number in (1, 2, 3)]
    first = (await client.get(PATH, params={"limit": 2})).json()
    assert ([one["id"] for one in first["results"]], first["count"]) == ([ids[2], ids[1]], 3)
    second = (await client.get(first["next"])).json()
    assert ([one["id"] for one in second["results"]], second["next"]) == ([ids[0]], None)


async def test_a_file_that_is_not_ready_or_has_expired_says_so(office: Office, client: httpx.AsyncClient) -> None:
    export = await office.ask(1)
    path = f"{PATH}/{export.id}/download"
    early = await client.get(path)
    assert (early.status_code, early.json()["code"]) == (409, "export_not_ready")
    await office.render(await office.claim())
    office.clock.at = NOON + HOUR
    late = await client.get(path)
    assert (late.status_code, late.json()["code"]) == (410, "export_expired")
    await office.expire()
    assert (await client.get(path)).status_code == 410
    assert (await client.get(path.removesuffix("/download"))).json()["download_url"] is None


async def test_a_failed_export_tells_why_and_has_no_file(office: Office, client: httpx.AsyncClient) -> None:
    export = await office.ask(1)
    del office.payloads.owners[1]
    await office.render(await office.claim())
    shown = (await client.get(f"{PATH}/{export.id}")).json()
    assert shown["status"] == "failed"
    assert "Profile 1 was deleted" in shown["error"]
    assert (await client.get(f"{PATH}/{export.id}/download")).status_code == 409


async def test_a_file_has_a_name_a_tag_and_a_date(office: Office, client: httpx.AsyncClient) -> None:
    answer = await client.get(await made(office, 7, format=ExportFormat.PDF))
    expected = "attachment; filename=\"profile-7.pdf\"; filename*=UTF-8''profile-7.pdf"
    assert answer.headers["content-disposition"] == expected
    assert answer.headers["last-modified"] == "Tue, 01 Jan 2030 12:00:00 GMT"
    assert answer.headers["accept-ranges"] == "bytes"
    assert len(answer.headers["etag"]) == 64 + 2


async def test_a_file_that_is_known_is_not_sent_again(office: Office, client: httpx.AsyncClient) -> None:
    path = await made(office, 1)
    tag = (await client.get(path)).headers["etag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        answer = await client.get(path, headers={"if-none-match": known})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)
    assert (await client.get(path, headers={"if-none-match": '"other"'})).status_code == 200


async def test_a_file_is_sent_only_as_it_was_expected(office: Office, client: httpx.AsyncClient) -> None:
    path = await made(office, 1)
    tag = (await client.get(path)).headers["etag"]
    assert (await client.get(path, headers={"if-match": tag})).status_code == 200
    assert (await client.get(path, headers={"if-match": "*"})).status_code == 200
    for other in ('"other"', f"W/{tag}"):
        assert (await client.get(path, headers={"if-match": other})).status_code == 412


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-3", 0, 4),
        ("bytes=5-", 5, 16),
        ("bytes=-4", 12, 16),
        ("bytes=-1000", 0, 16),
        ("bytes=15-15", 15, 16),
        ("bytes=3-999", 3, 16),
        ("Bytes = 1 - 2", 1, 3),
    ],
)
async def test_any_single_range_is_sent(
    office: Office, client: httpx.AsyncClient, asked: str, start: int, stop: int
) -> None:
    path = await made(office, 1, 2, 3, 10, 11, format=ExportFormat.PDF)
    answer = await client.get(path, headers={"range": asked})
    assert (answer.status_code, answer.content) == (206, b"%PDF 1 2 3 10 11"[start:stop])
    assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/16"
    assert answer.headers["content-length"] == str(stop - start)
    assert "etag" in answer.headers


@pytest.mark.parametrize("asked", ["bytes=16-", "bytes=99-100", "bytes=-0"])
async def test_a_range_outside_the_file_is_refused_with_its_size(
    office: Office, client: httpx.AsyncClient, asked: str
) -> None:
    path = await made(office, 1, 2, 3, 10, 11, format=ExportFormat.PDF)
    answer = await client.get(path, headers={"range": asked})
    assert (answer.status_code, answer.json()["code"]) == (416, "unsatisfiable_range")
    assert answer.headers["content-range"] == "bytes */16"


@pytest.mark.parametrize(
    "asked",
    ["bytes=3-1", "bytes=-", "bytes=0-1,3-4", "lines=1-2", "bytes", "bytes=a-b", "bytes=1-2x", f"bytes={10**30}-"],
)
async def test_what_is_no_single_range_gives_the_whole_file(
    office: Office, client: httpx.AsyncClient, asked: str
) -> None:
    answer = await client.get(await made(office, 1), headers={"range": asked})
    assert answer.status_code == 200


async def test_a_range_is_sent_only_of_the_file_it_was_meant_for(office: Office, client: httpx.AsyncClient) -> None:
    path = await made(office, 1)
    whole = await client.get(path)
    meant = {whole.headers["etag"]: 206, whole.headers["last-modified"]: 206}
    others = {'"other"': 200, f"W/{whole.headers['etag']}": 200, "Tue, 01 Jan 2030 11:00:00 GMT": 200, "soon": 200}
    for condition, status in {**meant, **others}.items():
        answer = await client.get(path, headers={"range": "bytes=0-0", "if-range": condition})
        assert (condition, answer.status_code) == (condition, status)


async def test_asking_for_the_head_alone_tells_the_size(office: Office, client: httpx.AsyncClient) -> None:
    path = await made(office, 1, format=ExportFormat.PDF)
    answer = await client.head(path)
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", "6")


async def test_the_same_wish_with_the_same_key_makes_one_export(office: Office, client: httpx.AsyncClient) -> None:
    body, headers = {"profile_id": 1, "format": "json"}, {"idempotency-key": "once"}
    first = await client.post(PATH, json=body, headers=headers)
    second = await client.post(PATH, json=body, headers=headers)
    assert first.json() == second.json()
    assert (await client.get(PATH)).json()["count"] == 1
