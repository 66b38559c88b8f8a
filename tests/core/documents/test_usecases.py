"""What use cases of documents leave behind: in the store, among the files, in the log and the outbox."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from core.documents.office import ANNA, LEASE, OLGA, Office
from opora.adapters.sql.connection import Database
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.core.documents.errors import (
    DocumentPurged,
    NoSuchCategory,
    NotScanned,
    ScannerUnavailable,
)
from opora.core.documents.model.documents import EVERYONES, ScanState
from opora.core.documents.model.files import Verdict
from opora.core.documents.model.policies import SweepPolicy
from opora.core.documents.model.statuses import DocumentStatus
from opora.core.documents.usecases.batches import BatchItem, UploadBatch
from opora.core.documents.usecases.moving import Move, carry_out
from opora.core.kernel.errors import IllegalMove, Stale, StorageUnavailable
from opora.core.kernel.model import SYSTEM, Blob, BlobName
from opora.testing.documents import CLIENT, STRANGER, WORKER, with_people
from opora.testing.papers import a_pdf

pytestmark = pytest.mark.anyio
S = DocumentStatus


@pytest.fixture
async def office(sqlite_unit: SqlUnitOfWork, sqlite_database: Database, tmp_path: Path) -> AsyncIterator[Office]:
    await with_people(sqlite_unit, CLIENT, STRANGER, WORKER)
    async with Office.over(sqlite_unit, sqlite_database, tmp_path / "bank") as office:
        yield office


async def test_of_many_at_once_with_the_same_bytes_one_is_kept_with_one_file(office: Office) -> None:
    taken = await asyncio.gather(*(office.taken(a_pdf()) for _ in range(8)))
    assert sum(one.is_new for one in taken) == 1
    assert len({one.view.document.id for one in taken}) == 1
    assert office.files() == 1
    assert await office.rows("SELECT count(*) FROM document_history") == [1]


async def test_a_store_that_fails_keeps_no_row(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(name: BlobName, content: AsyncIterable[bytes], size_max: int) -> Blob:
        raise StorageUnavailable

    monkeypatch.setattr(office.blobs, "put", full)
    with pytest.raises(StorageUnavailable):
        await office.taken()
    assert await office.rows("SELECT count(*) FROM documents") == [0]


async def test_a_batch_ends_where_nothing_can_be_taken_in(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(name: BlobName, content: AsyncIterable[bytes], size_max: int) -> Blob:
        raise StorageUnavailable

    monkeypatch.setattr(office.blobs, "put", full)
    received = await office.received(a_pdf())
    with pytest.raises(StorageUnavailable):
        await UploadBatch(office.upload)(OLGA, [BatchItem(CLIENT, LEASE, received)])


async def test_a_store_that_holds_other_bytes_keeps_no_row(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    put = office.blobs.put

    async def wrong(name: BlobName, content: AsyncIterable[bytes], size_max: int) -> Blob:
        return replace(await put(name, content, size_max), sha256="00")

    monkeypatch.setattr(office.blobs, "put", wrong)
    with pytest.raises(StorageUnavailable):
        await office.taken()
    assert await office.rows("SELECT count(*) FROM documents") == [0]


async def test_a_file_whose_row_was_lost_is_swept_once_it_is_old_enough(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = await office.document()

    async def broken(*_: object) -> None:
        raise ConnectionError

    with monkeypatch.context() as crash:
        crash.setattr("opora.core.documents.usecases.uploads.welcome", broken)
        with pytest.raises(ConnectionError):
            await office.taken(a_pdf("lost"))
    assert (office.files(), await office.rows("SELECT count(*) FROM documents")) == (2, [1])
    young = await office.sweep()
    assert young is not None
    assert (young["strays"], office.files()) == (0, 2)
    office.pass_time(hours=2)
    old = await office.sweep()
    assert old is not None
    assert (old["strays"], office.files()) == (1, 1)
    assert await office.blobs.size(kept.blob_name) is not None


async def test_an_upload_whose_file_was_swept_before_its_row_is_refused_and_may_come_again(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.sweeping = SweepPolicy(unfinished_after=timedelta(0))
    put = office.blobs.put

    async def held_up(*given: Any) -> Any:
        blob = await put(*given)
        office.pass_time(seconds=1)
        await office.sweep()
        return blob

    monkeypatch.setattr(office.blobs, "put", held_up)
    content = a_pdf("held up")
    with pytest.raises(StorageUnavailable):
        await office.taken(content)
    assert (office.files(), await office.rows("SELECT count(*) FROM documents")) == (0, [0])
    monkeypatch.undo()
    assert (await office.taken(content)).is_new


async def test_a_scanner_that_does_not_answer_holds_up_the_review_and_no_upload(office: Office) -> None:
    office.scanner.verdict = None
    document = await office.document()
    assert (document.status, document.scan) == (S.PENDING, ScanState.WAITING)
    for call in (office.change(OLGA, document.id, S.IN_REVIEW), office.download.find(ANNA, document.id)):
        with pytest.raises(NotScanned):
            await call
    with pytest.raises(ScannerUnavailable):
        await office.scan_again()
    office.scanner.verdict = Verdict(is_clean=True)
    office.pass_time(minutes=11)
    counts = await office.sweep()
    assert counts is not None
    assert counts["rescanned"] == 1
    assert await office.scan_again() == {"scan": "clean"}
    assert (await office.moved(document.id, S.IN_REVIEW)).scan is ScanState.CLEAN


async def test_a_file_found_harmful_later_is_put_in_quarantine(office: Office) -> None:
    office.scanner.verdict = None
    document = await office.document()
    office.scanner.verdict = Verdict(is_clean=False, signature="X")
    assert await office.scan_again() == {"scan": "infected"}
    found = await office.now(document.id)
    assert (found.status, found.scan, found.moved_by) == (S.QUARANTINED, ScanState.INFECTED, "system")
    assert found.retained_until is not None


@pytest.mark.parametrize("is_gone", [True, False])
async def test_a_scan_of_what_is_gone_ends_well(office: Office, is_gone: bool) -> None:
    office.scanner.verdict = None
    document = await office.document()
    if is_gone:
        await office.delete(ANNA, document.id)
    else:
        await office.blobs.delete(document.blob_name)
    assert await office.scan_again() == {"scan": "None"}


async def test_what_is_late_is_told_of_once(office: Office) -> None:
    late, taken_up = await office.document(), await office.document(a_pdf("b"))
    waiting, settled = await office.document(a_pdf("c")), await office.document(a_pdf("d"))
    await office.moved(taken_up.id, S.IN_REVIEW)
    await office.moved(waiting.id, S.IN_REVIEW, S.NEEDS_INFO)
    await office.moved(settled.id, S.IN_REVIEW, S.APPROVED, S.PROCESSED)
    assert await office.find_overdue() == {"overdue": 0}
    office.pass_time(days=40)
    assert await office.find_overdue() == {"overdue": 2}
    assert await office.find_overdue() == {"overdue": 0}
    assert (await office.now(late.id)).overdue_at == office.clock.at
    told = await office.rows("SELECT kind FROM notices WHERE kind <> 'documents.status_changed' ORDER BY kind")
    assert told == ["documents.delayed", "documents.delayed", "documents.overdue"]
    told = await office.rows("SELECT count(*) FROM audit_log WHERE action = 'document.overdue'")
    assert told == [2]


async def test_the_time_a_client_takes_does_not_count(office: Office) -> None:
    document = await office.document()
    waiting = await office.moved(document.id, S.IN_REVIEW, S.NEEDS_INFO)
    office.pass_time(days=14)
    again = await office.moved(document.id, S.IN_REVIEW)
    assert again.plan_maturity_date - waiting.plan_maturity_date >= timedelta(days=10)


async def test_files_go_when_their_time_is_over_and_rows_stay_as_proof(office: Office) -> None:
    spent, held, kept = [await office.document(a_pdf(name)) for name in "abc"]
    for one in (spent, held):
        await office.moved(one.id, S.IN_REVIEW, S.REJECTED)
    await office.hold(OLGA, held.id, True, "дело 7")
    office.pass_time(days=5 * 366)
    counts = await office.sweep()
    assert counts is not None
    assert (counts["purged"], office.files()) == (1, 2)
    proof = await office.now(spent.id)
    assert (proof.is_file_removed, proof.sha256) == (True, spent.sha256)
    assert await office.views.text(spent.id) == ""
    with pytest.raises(DocumentPurged):
        await office.download.find(ANNA, spent.id)
    with pytest.raises(DocumentPurged):
        await office.hold(OLGA, spent.id, True, "поздно")
    await office.hold(OLGA, held.id, False, "закрыто")
    assert (await office.sweep() or {})["purged"] == 1
    assert await office.blobs.size(kept.blob_name) is not None


async def test_a_deleted_documents_file_goes_with_the_next_sweep(office: Office) -> None:
    document = await office.document()
    await office.delete(ANNA, document.id)
    assert office.files() == 1
    assert (await office.sweep() or {})["purged"] == 1
    assert office.files() == 0


async def test_a_file_that_went_meanwhile_is_gone_and_no_fault(office: Office) -> None:
    document = await office.document()
    await office.blobs.delete(document.blob_name)
    with pytest.raises(DocumentPurged):
        await office.download.read(document)


async def test_many_files_are_swept_in_parts(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opora.core.documents.usecases.sweeps.AT_ONCE", 2)
    documents = [await office.document(a_pdf(f"{number}")) for number in range(5)]
    office.pass_time(days=40)
    assert await office.find_overdue() == {"overdue": 5}
    for one in documents[:3]:
        await office.delete(ANNA, one.id)
    counts = await office.sweep()
    assert counts is not None
    assert (counts["purged"], counts["strays"]) == (3, 0)
    async with office.unit() as tx:
        for one in documents[3:]:
            await tx._connection.execute("DELETE FROM document_texts WHERE document_id = :id", id=one.id)
            await tx._connection.execute("DELETE FROM document_history WHERE document_id = :id", id=one.id)
            await tx._connection.execute("DELETE FROM documents WHERE id = :id", id=one.id)
    assert ((await office.sweep() or {})["strays"], office.files()) == (2, 0)


async def test_where_the_banks_system_was_quicker_a_worker_is_not_refused(office: Office) -> None:
    document = await office.document()
    await office.moved(document.id, S.IN_REVIEW, S.APPROVED)
    async with office.unit() as tx:
        found = await tx.documents.get(document.id, EVERYONES)
        assert found is not None
        await carry_out(tx, found, Move(target=S.PROCESSED, actor=SYSTEM), office.clock.at, office.desk)
    after, worker_id = await office.change(OLGA, document.id, S.PROCESSED)
    assert (after.status, after.moved_by, worker_id) == (S.PROCESSED, "system", WORKER)
    with pytest.raises(IllegalMove):
        await office.change(OLGA, document.id, S.APPROVED)


async def test_of_two_workers_at_once_one_moves_it(office: Office) -> None:
    document = await office.document()
    await office.moved(document.id, S.IN_REVIEW)
    calls = [office.change(OLGA, document.id, target) for target in (S.APPROVED, S.REJECTED)]
    ends = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(one, IllegalMove | Stale) for one in ends) == 1
    assert await office.rows("SELECT count(*) FROM document_history") == [3]


async def test_a_move_of_a_document_whose_category_is_gone_is_refused(office: Office) -> None:
    document = await office.document()
    async with office.unit() as tx:
        with pytest.raises(NoSuchCategory):
            await carry_out(
                tx,
                replace(document, category_id=99),
                Move(target=S.IN_REVIEW, actor=OLGA),
                office.clock.at,
                office.desk,
            )


async def test_an_unknown_category_is_named(office: Office) -> None:
    with pytest.raises(NoSuchCategory) as refused:
        await office.taken(wish=replace(LEASE, category="нет такой"))
    assert "category" in refused.value.errors
