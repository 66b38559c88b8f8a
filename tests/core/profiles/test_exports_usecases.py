"""What people and jobs do with exports, over a real store and real files."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from core.profiles.office import ADMIN, CLIENT, STRANGER, Office
from opora.adapters.files.blobs import FolderBlobs
from opora.adapters.sql.connection import Database
from opora.adapters.sql.outbox import Subscription, Subscriptions
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.core.jobs.errors import JobCancelled, LeaseLost
from opora.core.jobs.model import JobState, NewJob
from opora.core.kernel.errors import NotFound
from opora.core.profiles.errors import ExportExpired, ExportNotReady, NoSuchExport, NoSuchProfile
from opora.core.profiles.model.exports import (
    RENDER,
    ExportFormat,
    ExportPolicy,
    ExportStatus,
)
from opora.core.profiles.usecases.exports import (
    GiveUpExport,
)
from opora.testing.blobs import in_parts, whole
from opora.testing.exports import HOUR, NOON, an_export

pytestmark = pytest.mark.anyio


@pytest.fixture
def subscriptions() -> Subscriptions:
    return {"job.dead": [Subscription("exports", "exports.give_up")]}


@pytest.fixture
def office(sqlite_unit: SqlUnitOfWork, sqlite_database: Database, tmp_path: Path) -> Iterator[Office]:
    blobs = FolderBlobs(tmp_path / "blobs")
    yield Office(sqlite_unit, sqlite_database, blobs)
    blobs.close()


async def test_asking_keeps_the_export_and_its_job_together(office: Office) -> None:
    export = await office.ask(3, 1)
    report = await office.report(export.id)
    assert (report.export, report.progress) == (export, 0)
    assert (export.status, export.owner, export.profile_ids) == (ExportStatus.QUEUED, "key:7", (3, 1))
    claim = await office.claim()
    assert (claim.id, claim.payload) == (export.job_id, {"export_id": str(export.id)})
    assert await office.actions() == ["export.requested"]


@pytest.mark.parametrize("ids", [(300,), (1, 300), (999,), (1, 2, 999)])
async def test_a_profile_that_is_not_the_callers_is_not_found(office: Office, ids: tuple[int, ...]) -> None:
    with pytest.raises(NoSuchProfile) as refusal:
        await office.ask(*ids)
    assert refusal.value.facts["profile_id"] == ids[-1]
    assert isinstance(refusal.value, NotFound)
    assert await office.actions() == []


async def test_an_admin_may_export_anyones_profile(office: Office) -> None:
    export = await office.ask(300, actor=ADMIN)
    await office.render(await office.claim())
    assert (await office.report(export.id)).export.status is ExportStatus.COMPLETED


async def test_a_json_file_is_one_array_in_the_order_asked_for(office: Office) -> None:
    ids = tuple(range(250, 0, -1))
    export = await office.ask(*ids)
    await office.render(await office.claim())
    assert [one["id"] for one in json.loads(await office.content(export.id))] == list(ids)
    assert office.payloads.most_at_once <= 100


async def test_a_pdf_file_holds_every_sheet_in_the_order_asked_for(office: Office) -> None:
    export = await office.ask(2, 9, 4, format=ExportFormat.PDF)
    await office.render(await office.claim())
    assert await office.content(export.id) == b"%PDF 2 9 4"


async def test_export_and_job_end_together(office: Office) -> None:
    export = await office.ask(1)
    await office.render(await office.claim())
    report = await office.report(export.id)
    content = await office.content(export.id)
    assert (report.progress, report.export.size) == (100, len(content))
    assert report.export.expires_at == NOON + HOUR
    assert await office.state(export.job_id) is JobState.SUCCEEDED
    assert await office.actions() == ["export.requested", "export.completed"]
    assert await office.topics() == ["export.completed"]


async def test_a_second_attempt_makes_no_second_file(office: Office) -> None:
    export = await office.ask(1, format=ExportFormat.PDF)
    first = await office.claim()
    office.sheets.fault = RuntimeError("the worker is cut off")
    with pytest.raises(RuntimeError):
        await office.render(first)
    assert (await office.report(export.id)).export.status is ExportStatus.RUNNING
    await office.leases.fail(first, JobState.QUEUED, 0.0, "")
    office.sheets.fault = None
    await office.render(await office.claim())
    assert await office.files() == {export.id}
    assert await office.actions() == ["export.requested", "export.completed"]


async def test_an_attempt_that_lost_its_lease_ends_nothing(office: Office) -> None:
    export = await office.ask(1)
    claim = await office.claim()
    with pytest.raises(LeaseLost):
        await office.render(replace(claim, lease_id="another"))
    assert (await office.report(export.id)).export.status is ExportStatus.RUNNING
    await office.render(claim)
    assert (await office.report(export.id)).export.status is ExportStatus.COMPLETED
    assert await office.files() == {export.id}


async def test_a_job_for_an_export_that_ended_or_is_gone_does_nothing(office: Office) -> None:
    export = await office.ask(1)
    await office.render(await office.claim())
    for export_id in (export.id, uuid4()):
        async with office.unit() as tx:
            job_id = await tx.jobs.add(NewJob(kind=RENDER, payload={"export_id": str(export_id)}))
        await office.render(await office.claim())
        assert await office.state(job_id) is JobState.SUCCEEDED
    assert await office.topics() == ["export.completed"]


@pytest.mark.parametrize("format", ExportFormat)
async def test_a_profile_deleted_meanwhile_fails_the_export_for_good(office: Office, format: ExportFormat) -> None:
    export = await office.ask(1, 2, format=format)
    del office.payloads.owners[2]
    await office.render(await office.claim())
    failed = (await office.report(export.id)).export
    assert (failed.status, failed.error) == (
        ExportStatus.FAILED,
        "Profile 2 was deleted before the file was made.",
    )
    assert await office.state(export.job_id) is JobState.SUCCEEDED
    assert await office.files() == set()
    assert await office.topics() == ["export.failed"]


async def test_a_file_past_its_bound_fails_the_export_for_good(office: Office) -> None:
    office.policy = ExportPolicy(size_max=100)
    export = await office.ask(1)
    await office.render(await office.claim())
    assert (await office.report(export.id)).export.status is ExportStatus.FAILED
    assert await office.files() == set()


async def test_cancelling_stops_the_work_and_the_sweep_tells_the_owner(office: Office) -> None:
    export = await office.ask(1)
    claim = await office.claim()
    async with office.unit() as tx:
        await tx.jobs.request_cancel(claim.id)
    with pytest.raises(JobCancelled):
        await office.render(claim)
    assert await office.files() == set()
    await office.leases.fail(claim, JobState.CANCELLED, 0.0, "cancelled")
    assert await office.expire() == {"expired": 0, "strays": 0, "unfinished": 0, "orphans": 1}
    failed = (await office.report(export.id)).export
    assert (failed.status, failed.error) == (ExportStatus.FAILED, "The export was cancelled.")


async def test_a_dead_job_fails_its_export_by_its_event(office: Office) -> None:
    export = await office.ask(1)
    claim = await office.claim()
    await office.leases.fail(claim, JobState.DEAD, 0.0, "secret text")
    await office.unit.relay()
    await GiveUpExport(office.unit, office.clock)(await office.claim("exports.give_up"))
    failed = (await office.report(export.id)).export
    assert (failed.status, failed.error) == (ExportStatus.FAILED, "The file could not be made.")


async def test_an_export_whose_dead_job_is_tried_again_is_completed(office: Office) -> None:
    export = await office.ask(1)
    await office.leases.fail(await office.claim(), JobState.DEAD, 0.0, "")
    await office.expire()
    async with office.unit() as tx:
        job = await tx.jobs.get(export.job_id)
        assert job is not None
        await tx.jobs.move(job, JobState.QUEUED)
    await office.render(await office.claim())
    done = (await office.report(export.id)).export
    assert (done.status, done.error) == (ExportStatus.COMPLETED, None)


async def test_other_dead_jobs_and_ended_exports_are_let_be(office: Office) -> None:
    export = await office.ask(1)
    await office.render(await office.claim())
    events = [{"subject": str(export.job_id), "kind": RENDER}, {"subject": str(uuid4()), "kind": "other"}, "nonsense"]
    for event in events:
        async with office.unit() as tx:
            await tx.jobs.add(NewJob(kind="exports.give_up", payload={"event": event}))
        await GiveUpExport(office.unit, office.clock)(await office.claim("exports.give_up"))
    assert (await office.report(export.id)).export.status is ExportStatus.COMPLETED
    assert await office.topics() == ["export.completed"]


async def test_a_stranger_finds_no_export_and_an_admin_does(office: Office) -> None:
    export = await office.ask(1)
    await office.render(await office.claim())
    with pytest.raises(NoSuchExport):
        await office.download.find(STRANGER, export.id)
    with pytest.raises(NoSuchExport):
        await office.download.find(CLIENT, uuid4())
    assert (await office.download.find(ADMIN, export.id)).id == export.id


async def test_a_file_is_not_read_before_it_is_whole_nor_past_its_time(office: Office) -> None:
    export = await office.ask(1)
    with pytest.raises(ExportNotReady):
        await office.download.find(CLIENT, export.id)
    await office.render(await office.claim())
    office.clock.at = NOON + HOUR
    with pytest.raises(ExportExpired):
        await office.download.find(CLIENT, export.id)


async def test_any_part_of_a_file_can_be_read(office: Office) -> None:
    export = await office.ask(1, 2)
    await office.render(await office.claim())
    found = await office.download.find(CLIENT, export.id)
    content = await office.content(export.id)
    assert await whole(await office.download.read(found, 3, 5)) == content[3:8]


async def test_a_file_that_went_between_finding_and_reading_has_expired(office: Office) -> None:
    export = await office.ask(1)
    await office.render(await office.claim())
    found = await office.download.find(CLIENT, export.id)
    await office.blobs.delete(found.blob_name)
    with pytest.raises(ExportExpired):
        await office.download.read(found)


async def test_a_file_goes_when_its_time_is_over_and_not_before(office: Office) -> None:
    export = await office.ask(1)
    await office.render(await office.claim())
    office.clock.at = NOON + HOUR - timedelta(seconds=1)
    await office.expire()
    assert await office.files() == {export.id}
    office.clock.at = NOON + HOUR
    counts = await office.expire()
    assert counts is not None
    assert (counts["expired"], await office.files()) == (1, set())
    assert (await office.report(export.id)).export.is_file_removed
    counts = await office.expire()
    assert counts is not None
    assert counts["expired"] == 0
    assert (await office.actions())[-1] == "export.expired"


async def test_more_files_than_one_batch_expire_in_one_run(office: Office) -> None:
    late = NOON - HOUR
    done = [replace(an_export(), status=ExportStatus.COMPLETED, completed_at=late, expires_at=NOON) for _ in range(205)]
    async with office.unit() as tx:
        for export in done:
            await tx.exports.add(export)
    counts = await office.expire()
    assert counts is not None
    assert counts["expired"] == 205


async def test_files_that_no_export_has_a_claim_on_are_removed(office: Office) -> None:
    kept = await office.ask(1)
    await office.render(await office.claim())
    strays = [an_export() for _ in range(201)]
    for stray in strays:
        await office.blobs.put(stray.blob_name, in_parts(b"x"), 10)
    counts = await office.expire()
    assert counts is not None
    assert counts["strays"] == 201
    assert await office.files() == {kept.id}
