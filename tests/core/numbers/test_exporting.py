"""What an export makes of a project's numbers, over each store in turn."""

import csv
import io
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import python_calamine

from core.numbers.depot import ADMIN, Depot
from opora.adapters.sql.connection import Database
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.adapters.tables.writing import Book, StreamedWorkbooks
from opora.core.jobs.errors import JobCancelled
from opora.core.jobs.model import JobState
from opora.core.kernel.errors import NotFound
from opora.core.numbers.errors.transfers import TransferExpired, TransferNotReady
from opora.core.numbers.model.transfers import EXPORT, TransferStatus
from opora.testing.blobs import whole

pytestmark = pytest.mark.anyio


@pytest.fixture
def depot(unit: SqlUnitOfWork, database: Database, tmp_path: Path) -> Depot:
    """A depot on each store in turn."""
    return Depot(unit, database, tmp_path)


async def filled(depot: Depot, count: int) -> int:
    """Return a project with that many numbers, all of a provider whose name looks like a formula."""
    project = await depot.project()
    provider = await depot.provider("=cmd|' /C calc'!A0")
    content = "phone\n" + "".join(f"{79160000000 + nth}\n" for nth in range(count))
    await depot.bring(project, content.encode(), provider_id=provider)
    return project


async def content(depot: Depot, transfer_id: object) -> bytes:
    """Return the file of an export."""
    found = await depot.files.file(ADMIN, transfer_id)  # type: ignore[arg-type]
    return await whole(await depot.files.read(found))


async def test_an_export_has_every_number_under_the_names_of_the_contract(depot: Depot) -> None:
    project = await filled(depot, 12_000)
    result = '{"note": "a \\"quoted\\" word"}'
    await depot.database.read.execute(
        "UPDATE phone_numbers SET result_data = :result, status = 4, attempts = 2 WHERE phone = 79160000000",
        result=result,
    )
    asked = await depot.ask_export(project)
    await depot.run(EXPORT)
    file = (await content(depot, asked.id)).decode()
    rows = sorted(csv.DictReader(io.StringIO(file)), key=lambda row: row["phone_number"])
    assert [int(row["phone_number"]) for row in rows] == list(range(79160000000, 79160012000))
    assert (rows[0]["status"], rows[0]["call_attempts"], rows[0]["result_data"]) == ("no_answer", "2", result)
    assert (rows[1]["status"], rows[1]["created_at"], rows[1]["last_call_at"]) == ("new", "2026-06-01T12:00:00Z", "")
    made = await depot.transfer(asked.id)
    assert (made.status, made.records) == (TransferStatus.COMPLETED, 12_000)
    assert await depot.actions() == [
        "transfer.import_requested", "transfer.completed", "transfer.export_requested", "transfer.completed",
    ]  # fmt: skip


async def test_no_cell_of_an_export_is_a_formula(depot: Depot) -> None:
    project = await filled(depot, 3)
    for format in ("csv", "xlsx"):
        asked = await depot.ask_export(project, f"a.{format}", format=format)
        await depot.run(EXPORT)
        file = await content(depot, asked.id)
        if format == "csv":
            rows = list(csv.reader(io.StringIO(file.decode())))
        else:
            book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(file))
            rows = [[str(cell) for cell in row] for row in book.get_sheet_by_index(0).to_python()]
        assert rows[1][3] == "'=cmd|' /C calc'!A0"
        assert not [cell for row in rows for cell in row if cell[:1] in {"=", "+", "-", "@"}]


async def test_an_export_to_the_drop_appears_whole(depot: Depot) -> None:
    project = await filled(depot, 10)
    await depot.ask_export(project, "out/a.csv", destination="sftp")
    await depot.run(EXPORT)
    assert len((depot.folder / "sftp" / "out" / "a.csv").read_text().splitlines()) == 11


async def test_an_empty_project_gives_a_heading_alone(depot: Depot) -> None:
    asked = await depot.ask_export(await depot.project())
    await depot.run(EXPORT)
    assert (await content(depot, asked.id)).startswith(b"phone_number,status,")
    assert (await depot.transfer(asked.id)).records == 0


async def test_a_name_that_the_drop_refuses_ends_the_export_as_failed(depot: Depot) -> None:
    project = await depot.project()
    (depot.folder / "sftp" / "a.csv").mkdir(parents=True)
    asked = await depot.ask_export(project, "a.csv", destination="sftp")
    await depot.run(EXPORT)
    failed = await depot.transfer(asked.id)
    assert (failed.status, failed.error_code) == (TransferStatus.FAILED, "drop_refused")
    assert await depot.state(failed.job_id) is JobState.SUCCEEDED


async def test_a_cancelled_export_is_not_completed(depot: Depot) -> None:
    project = await filled(depot, 5)
    asked = await depot.ask_export(project)
    claim = await depot.claim(EXPORT)
    depot.the_progress = CancelsAt(depot, asked.id)
    with pytest.raises(JobCancelled):
        await depot.work(claim)
    assert (await depot.transfer(asked.id)).status is TransferStatus.CANCELLED


async def test_an_export_that_was_cancelled_before_its_worker_began_is_let_be(depot: Depot) -> None:
    asked = await depot.ask_export(await filled(depot, 5))
    claim = await depot.claim(EXPORT)
    await depot.cancel(ADMIN, asked.id)
    await depot.work(claim)
    assert (await depot.transfer(asked.id)).status is TransferStatus.CANCELLED


class CancelsAt:
    """Progress that somebody watches who then cancels."""

    def __init__(self, depot: Depot, id: object) -> None:
        self._depot, self._id = depot, id

    async def report(self, claim: object, done: int, total: int) -> None:
        found = await self._depot.transfer(self._id)  # type: ignore[arg-type]
        if found.status is TransferStatus.RUNNING:
            await self._depot.cancel(ADMIN, self._id)  # type: ignore[arg-type]


async def test_a_file_is_kept_for_its_time(depot: Depot) -> None:
    asked = await depot.ask_export(await depot.project())
    with pytest.raises(TransferNotReady):
        await depot.files.file(ADMIN, asked.id)
    await depot.run(EXPORT)
    found = await depot.files.file(ADMIN, asked.id)
    depot.clock.at += depot.policy.kept_for
    with pytest.raises(TransferExpired):
        await depot.files.file(ADMIN, asked.id)
    assert (await depot.expire())["expired"] == 1
    with pytest.raises(TransferExpired):
        await depot.files.read(found)
    with pytest.raises(NotFound):
        await depot.files.file(ADMIN, found.job_id)


async def pieces(*some: bytes) -> AsyncGenerator[bytes]:
    for one in some:
        yield one


async def test_a_table_too_long_for_one_sheet_goes_on_on_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    book = Book(rows_max=4)
    file = book.add(b"phone,name\n1,a\n2,b & <c>\n") + book.add(b"3,c\n4,d\n5,e\n6,f\n7,g\n") + book.close()
    read = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(file))
    sheets = [read.get_sheet_by_index(nth).to_python() for nth in range(len(read.sheet_names))]
    assert sheets[0] == [["phone", "name"], ["1", "a"], ["2", "b & <c>"], ["3", "c"]]
    assert sheets[1] == [["phone", "name"], ["4", "d"], ["5", "e"], ["6", "f"]]
    assert sheets[2] == [["phone", "name"], ["7", "g"]]


async def test_a_workbook_is_written_as_it_grows() -> None:
    lines = b"".join(b"7916%07d,some words %d\n" % (nth, nth * nth) for nth in range(20_000))
    parts = [part async for part in StreamedWorkbooks().workbook(pieces(b"phone,name\n", lines, lines))]
    assert len(parts) >= 3
    read = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(b"".join(parts)))
    assert read.get_sheet_by_index(0).height == 40_001
