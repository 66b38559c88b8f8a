"""What an import makes of a file, over each store in turn."""

import asyncio
from array import array
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from core.numbers.depot import ADMIN, MANAGER, STRANGER, Depot
from opora.adapters.sftp.folder import FolderDrop
from opora.adapters.sql.connection import Database
from opora.adapters.sql.transfers.intake import SqlNumberIntake
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.core.jobs.errors import JobCancelled, LeaseLost
from opora.core.jobs.model import JobState, NewJob
from opora.core.kernel.errors import Stale
from opora.core.kernel.model import BlobName
from opora.core.numbers.errors.transfers import (
    DropUnavailable,
    NoSuchTransfer,
    TransferEnded,
    TransferExpired,
    TransferTouched,
)
from opora.core.numbers.model.tables import Refusal
from opora.core.numbers.model.transfers import IMPORT, UNDO, ImportWish, MergedRange, Tally, TransferStatus
from opora.core.numbers.ports.intake import BroughtIn, Sheaf
from opora.core.numbers.usecases import ending, importing
from opora.testing.blobs import in_parts
from opora.testing.numbers import NOON

pytestmark = pytest.mark.anyio


@pytest.fixture
def depot(unit: SqlUnitOfWork, database: Database, tmp_path: Path) -> Depot:
    """A depot on each store in turn."""
    return Depot(unit, database, tmp_path)


async def test_every_row_becomes_a_number_or_is_told_of(depot: Depot) -> None:
    project = await depot.project()
    await depot.bring(project, b"phone\n89160000005\n")
    await depot.suppress(79160000006, project)
    await depot.suppress(79160000007)
    content = (
        "phone;name\n+7 (916) 000-00-01;a\n8916 0000002;b\n79160000001;again\nnone;c\n;d\n7,9161E+10;e\n\n"
        "9160000005;there\n9160000006;never\n89160000007;never anywhere\n79160000008.0;float\n"
    )
    made = await depot.bring(project, content.encode())
    assert made.status is TransferStatus.COMPLETED
    assert made.tally.records == made.tally.dealt_with == 10
    assert (made.created, made.duplicates_in_file, made.duplicates, made.suppressed, made.invalid) == (3, 1, 1, 2, 3)
    assert [(row.line, row.reason, row.value) for row in await depot.rows(made)] == [
        (4, Refusal.DUPLICATE_IN_FILE, "+79160000001"),
        (5, Refusal.NOT_A_PHONE, "none"),
        (6, Refusal.EMPTY, ""),
        (7, Refusal.ROUNDED, "7,9161E+10"),
        (9, Refusal.DUPLICATE, "+79160000005"),
        (10, Refusal.SUPPRESSED, "+79160000006"),
        (11, Refusal.SUPPRESSED, "+79160000007"),
    ]
    assert await depot.numbers(project) == [79160000001, 79160000002, 79160000005, 79160000008]
    assert await depot.counted(project) == {"new": 4}


async def test_an_import_is_audited_announced_and_leaves_no_file(depot: Depot) -> None:
    project = await depot.project()
    made = await depot.bring(project, b"phone\n89160000005\n")
    assert await depot.actions() == ["transfer.import_requested", "transfer.completed"]
    assert await depot.topics() == ["transfer.requested", "transfer.completed"]
    assert await depot.stored("imports") == 0
    assert await depot.state(made.job_id) is JobState.SUCCEEDED
    assert made.owner == ADMIN.subject


async def test_a_file_that_cannot_be_read_fails_and_brings_nothing_in(depot: Depot) -> None:
    project = await depot.project()
    failed = await depot.bring(project, b'phone;name\n79160000001;a\n79160000002;"open\n')
    assert (failed.status, failed.error_code) == (TransferStatus.FAILED, "quote_unclosed")
    assert await depot.numbers(project) == []
    assert await depot.state(failed.job_id) is JobState.SUCCEEDED
    assert await depot.topics() == ["transfer.requested", "transfer.failed"]
    lost = await depot.ask(project, b"phone\n79160000001\n")
    await depot.blobs.delete(lost.blob_name)
    await depot.run()
    assert (await depot.transfer(lost.id)).error_code == "no_such_blob"


async def test_a_file_on_the_drop_says_which_column_it_lacks(depot: Depot) -> None:
    project = await depot.project()
    (depot.folder / "sftp").mkdir()
    (depot.folder / "sftp" / "a.csv").write_bytes(b"name;surname\na;b\n")
    asked = await depot.request_import(ADMIN, ImportWish(project_id=project, file_name="a.csv"))
    await depot.run()
    failed = await depot.transfer(asked.id)
    assert failed.error is not None and "no heading says" in failed.error
    assert await depot.stored("fetched") == 0


class BreakingDrop(FolderDrop):
    """A drop whose line breaks in the middle of the first file read."""

    breaks = True

    async def read(self, name: str, size_max: int) -> AsyncGenerator[bytes]:
        async for some in super().read(name, size_max):
            if self.breaks:
                self.breaks = False
                yield some[:20]
                raise DropUnavailable
            yield some


async def test_a_drop_that_breaks_in_the_middle_of_a_file_is_read_anew(depot: Depot) -> None:
    project = await depot.project()
    (depot.folder / "sftp").mkdir()
    (depot.folder / "sftp" / "a.csv").write_bytes(b"phone\n79160000001\n79160000002\n")
    depot.the_drop = BreakingDrop(depot.folder / "sftp")
    asked = await depot.request_import(ADMIN, ImportWish(project_id=project, file_name="a.csv"))
    claim = await depot.claim()
    with pytest.raises(DropUnavailable):
        await depot.work(claim)
    assert await depot.numbers(project) == []
    assert await depot.stored("fetched") == 0
    await depot.work(claim)
    assert (await depot.transfer(asked.id)).created == 2


async def test_rows_take_the_provider_of_the_import_and_the_zone_of_their_area(depot: Depot) -> None:
    project, usual, named = await depot.project(), await depot.provider(), await depot.provider()
    area, nowhere = await depot.area("Asia/Tokyo"), await depot.area(None)
    text = f"phone,provider_id,geo_id\n79160000001,,{area}\n79160000002,{named},{nowhere}\n79160000003,9999,\n"
    made = await depot.bring(project, text.encode(), provider_id=usual)
    assert (made.created, made.invalid) == (2, 1)
    plain = await depot.bring(project, b"phone\n79160000004\n")
    assert plain.created == 1
    rows = await depot.database.read.fetch(
        "SELECT n.provider_id, n.geo_id, z.zones FROM phone_numbers n JOIN zone_sets z ON z.id = n.zone_set"
        " ORDER BY phone"
    )
    assert [(row["provider_id"], row["geo_id"]) for row in rows] == [(usual, area), (named, nowhere), (None, None)]
    assert rows[0]["zones"] == '["Asia/Tokyo"]'
    assert "Europe/Moscow" in rows[1]["zones"]


async def test_rows_of_many_kinds_are_brought_in_at_once(depot: Depot) -> None:
    project = await depot.project()
    providers = [await depot.provider() for _ in range(25)]
    rows = "".join(f"{79160000000 + nth},{provider}\n" for nth, provider in enumerate(providers))
    made = await depot.bring(project, f"phone,provider_id\n{rows}".encode())
    assert made.created == 25
    kept = await depot.database.read.fetch("SELECT provider_id FROM phone_numbers ORDER BY phone")
    assert [row["provider_id"] for row in kept] == providers


async def test_a_provider_that_goes_meanwhile_ends_the_import(depot: Depot) -> None:
    project, provider = await depot.project(), await depot.provider()
    asked = await depot.ask(project, b"phone\n79160000001\n", provider_id=provider)
    await depot.database.read.execute("DELETE FROM providers WHERE id = :id", id=provider)
    await depot.run()
    failed = await depot.transfer(asked.id)
    assert (failed.status, failed.error_code) == (TransferStatus.FAILED, "no_such_provider")


async def test_a_project_that_was_deleted_ends_the_import(depot: Depot) -> None:
    project = await depot.project()
    asked = await depot.ask(project, b"phone\n79160000001\n")
    await depot.database.read.execute("UPDATE projects SET deleted_at = :now WHERE id = :id", id=project, now=NOON)
    await depot.run()
    assert (await depot.transfer(asked.id)).error_code == "no_such_project"


async def test_refused_rows_past_the_bound_are_counted_and_not_kept(depot: Depot) -> None:
    depot.policy = replace(depot.policy, refused_max=3)
    project = await depot.project()
    made = await depot.bring(project, b"phone\n" + b"none\n" * 5 + b"79160000001\n" * 4)
    assert (made.invalid, made.duplicates_in_file, made.created) == (5, 3, 1)
    assert [row.line for row in await depot.rows(made)] == [2, 3, 4]


async def test_what_an_import_made_is_taken_back_but_for_what_somebody_touched(depot: Depot) -> None:
    project = await depot.project()
    before = await depot.bring(project, b"phone\n79160000009\n")
    made = await depot.bring(project, b"phone\n79160000001\n79160000002\n79160000003\n")
    await depot.database.read.execute(
        "UPDATE phone_numbers SET status = 1, attempts = 1, updated_at = :now WHERE phone = 79160000002",
        now=NOON + timedelta(hours=1),
    )
    await depot.request_undo(ADMIN, made.id)
    await depot.request_undo(ADMIN, made.id)
    claim = await depot.run(UNDO)
    undone = await depot.transfer(made.id)
    assert (undone.removed, undone.undone_at) == (2, NOON)
    assert await depot.numbers(project) == [79160000002, 79160000009]
    assert (await depot.transfer(before.id)).undone_at is None
    with pytest.raises(TransferTouched):
        await depot.request_undo(ADMIN, made.id)
    async with depot.unit() as tx:
        await tx.jobs.add(NewJob(kind=UNDO, payload=claim.payload))
    await depot.run(UNDO)
    assert (await depot.transfer(made.id)).removed == 2


async def test_an_import_is_taken_back_some_numbers_at_a_time(depot: Depot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending, "REMOVED_AT_ONCE", 2)
    project = await depot.project()
    made = await depot.bring(project, b"phone\n79160000001\n79160000002\n79160000003\n79160000004\n")
    await depot.request_undo(ADMIN, made.id)
    await depot.run(UNDO)
    assert ((await depot.transfer(made.id)).removed, await depot.numbers(project)) == (4, [])


async def test_zones_that_are_known_are_not_kept_again(depot: Depot) -> None:
    project = await depot.project()
    content = b"phone\n" + b"".join(b"%d\n" % (79160000000 + nth) for nth in range(40_000))
    assert (await depot.bring(project, content)).created == 40_000


async def test_strays_are_swept_however_many_there_are(depot: Depot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending, "EXPIRED_AT_ONCE", 2)
    for nth in range(3):
        await depot.blobs.put(BlobName("imports", UUID(int=(1 << 80) | (7 << 76) | nth)), in_parts(b"old"), 10)
    assert (await depot.expire())["strays"] == 3


async def test_only_an_import_that_has_ended_is_taken_back(depot: Depot) -> None:
    project = await depot.project()
    waiting = await depot.ask(project, b"phone\n79160000001\n")
    export = await depot.ask_export(project)
    for one in (waiting, export):
        with pytest.raises(TransferTouched):
            await depot.request_undo(ADMIN, one.id)
    for actor in (STRANGER, MANAGER):
        with pytest.raises(NoSuchTransfer):
            await depot.request_undo(actor, waiting.id)
        with pytest.raises(NoSuchTransfer):
            await depot.cancel(actor, waiting.id)


async def test_an_import_that_was_cancelled_while_it_waited_never_runs(depot: Depot) -> None:
    project = await depot.project()
    waiting = await depot.ask(project, b"phone\n79160000001\n")
    cancelled = await depot.cancel(ADMIN, waiting.id)
    assert cancelled.status is TransferStatus.CANCELLED
    assert await depot.state(waiting.job_id) is JobState.CANCELLED
    with pytest.raises(TransferEnded):
        await depot.cancel(ADMIN, waiting.id)


async def test_an_import_that_is_cancelled_while_it_runs_writes_no_more(depot: Depot) -> None:
    project = await depot.project()
    running = await depot.ask(project, b"phone\n79160000001\n")
    claim = await depot.claim()
    started = await depot.transfer(running.id)
    async with depot.unit() as tx:
        await tx.transfers.save(started.start(1, NOON), started.status)
    await depot.cancel(ADMIN, running.id)
    await depot.work(claim)
    assert await depot.numbers(project) == []
    async with depot.unit() as tx:
        with pytest.raises(JobCancelled):
            await tx.transfers.record(started.start(1, NOON), Tally(records=1))


async def test_a_worker_that_was_overtaken_writes_no_more(depot: Depot) -> None:
    project = await depot.project()
    asked = await depot.ask(project, b"phone\n79160000001\n")
    async with depot.unit() as tx:
        await tx.transfers.save(asked.start(1, NOON), asked.status)
    first = await depot.transfer(asked.id)
    async with depot.unit() as tx:
        await tx.transfers.save(first.start(2, NOON), first.status)
    with pytest.raises(LeaseLost):
        async with depot.unit() as tx:
            await tx.transfers.record(first, Tally(records=1))
    assert (await depot.transfer(asked.id)).records == 0


async def test_the_next_attempt_goes_on_where_the_last_one_stopped(depot: Depot) -> None:
    project = await depot.project()
    asked = await depot.ask(project, b"phone\n" + b"".join(b"%d\n" % (79160000000 + nth) for nth in range(100)))
    async with depot.unit() as tx:
        await tx.transfers.save(asked.start(1, NOON), asked.status)
        running = replace(asked.start(1, NOON))
        await tx.transfers.record(running, Tally(records=100))
        sheaf = Sheaf(
            project_id=project, import_number=asked.number, numbers=array("q", range(79160000000, 79160000040)),
            zone_sets=array("q", [0] * 40), providers=array("q", [0] * 40), geo=array("q", [0] * 40), now=NOON,
        )  # fmt: skip
        brought = await tx.intake.bring_in(sheaf)
        span = MergedRange(79160000000, 79160000039, brought.first_id, brought.last_id, brought.created)
        await tx.transfers.record(running, Tally(created=40), span)
    await depot.run()
    made = await depot.transfer(asked.id)
    assert (made.records, made.created, made.duplicates, made.attempt) == (100, 100, 0, 1)
    assert len(await depot.numbers(project)) == 100


async def test_a_transfer_whose_job_died_is_given_up(depot: Depot) -> None:
    project = await depot.project()
    asked = await depot.ask(project, b"phone\n79160000001\n")
    for subject, kind in ((asked.job_id, IMPORT), (asked.job_id, "exports.render"), (asked.job_id, IMPORT)):
        async with depot.unit() as tx:
            event = {"subject": str(subject), "kind": kind}
            await tx.jobs.add(NewJob(kind="give_up", payload={"event": event}))
        await depot.run("give_up")
    failed = await depot.transfer(asked.id)
    assert (failed.status, failed.error_code) == (TransferStatus.FAILED, "gave_up")
    await depot.run()  # an operator retried the job
    assert (await depot.transfer(asked.id)).status is TransferStatus.COMPLETED


async def test_what_nobody_needs_any_more_is_swept(depot: Depot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending, "ROWS_FORGOTTEN_AT_ONCE", 1)
    project = await depot.project()
    made = await depot.bring(project, b"phone\nnone\n")
    orphan = await depot.ask(project, b"phone\n79160000001\n")
    cancelled = await depot.ask(project, b"phone\n79160000001\n")
    await depot.database.read.execute("UPDATE jobs SET state = 'dead' WHERE id = :id", id=orphan.job_id)
    await depot.database.read.execute("UPDATE jobs SET state = 'cancelled' WHERE id = :id", id=cancelled.job_id)
    stray = BlobName("imports", UUID(int=(1 << 80) | (7 << 76)))
    await depot.blobs.put(stray, in_parts(b"old"), 10)
    depot.clock.at = NOON + depot.policy.kept_for
    told = await depot.expire()
    assert (told["orphans"], told["strays"], told["expired"]) == (2, 1, 1)
    assert (await depot.transfer(orphan.id)).error_code == "gave_up"
    assert (await depot.transfer(cancelled.id)).status is TransferStatus.CANCELLED
    assert await depot.rows(made) == []
    with pytest.raises(TransferExpired):
        await depot.files.refused(ADMIN, made.id)
    assert (await depot.transfer(made.id)).is_file_removed


async def test_numbers_that_another_adds_meanwhile_are_told_as_duplicates(
    depot: Depot, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = await depot.project()
    raised: list[int] = []

    usual = SqlNumberIntake.bring_in

    async def beaten(self: SqlNumberIntake, sheaf: Sheaf) -> BroughtIn:
        if len(raised) < 2:
            raised.append(1)
            raise Stale
        return await usual(self, sheaf)

    monkeypatch.setattr(SqlNumberIntake, "bring_in", beaten)
    assert (await depot.bring(project, b"phone\n79160000001\n")).created == 1
    raised.clear()
    monkeypatch.setattr(importing, "BRINGS_MAX", 2)
    asked = await depot.ask(project, b"phone\n79160000002\n")
    with pytest.raises(Stale):
        await depot.run()
    assert (await depot.transfer(asked.id)).status is TransferStatus.RUNNING


async def test_two_transactions_that_add_one_number_leave_one(depot: Depot) -> None:
    project = await depot.project()

    async def bring() -> BroughtIn | None:
        none = array("q", [0])
        sheaf = Sheaf(
            project_id=project, import_number=1, numbers=array("q", [79160000001]), zone_sets=none, providers=none,
            geo=none, now=NOON,
        )  # fmt: skip
        try:
            async with depot.unit() as tx:
                return await tx.intake.bring_in(sheaf)
        except Stale:
            return None

    found = await asyncio.gather(*(bring() for _ in range(4)))
    assert sum(one.created for one in found if one is not None) == 1
    assert await depot.numbers(project) == [79160000001]
