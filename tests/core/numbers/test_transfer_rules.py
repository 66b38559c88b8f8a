"""What may be transferred, and how far a transfer is."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from opora.core.jobs.errors import JobCancelled
from opora.core.jobs.model import JobState
from opora.core.kernel.errors import IllegalMove
from opora.core.numbers.errors.transfers import InvalidTransfer, TransferNotReady
from opora.core.numbers.model.tables import ReadSoFar, TableFormat
from opora.core.numbers.model.transfers import (
    MOVES,
    Channel,
    Tally,
    Transfer,
    TransferKind,
    TransferPolicy,
    TransferStatus,
)
from opora.core.numbers.rules import transfers as rules
from opora.core.numbers.usecases.lanes import Lanes
from opora.testing.numbers import NOON


def a_transfer(kind: TransferKind = TransferKind.IMPORT, channel: Channel = Channel.UPLOAD) -> Transfer:
    return Transfer(
        id=uuid4(), number=1, job_id=uuid4(), kind=kind, channel=channel, project_id=1, owner="user:1",
        file_name="a.csv", requested_at=NOON,
    )  # fmt: skip


@pytest.mark.parametrize("name", ["a.csv", "in/2026/база номеров.csv", "x" * 255, ".hidden", "a..b"])
def test_a_path_below_the_root_is_a_name(name: str) -> None:
    assert rules.file_name_errors(name) == []


@pytest.mark.parametrize(
    "name", ["", "x" * 256, "я" * 128, "/a", "a/", "a//b", "../a", "a/../b", ".", "a\\b", "a\x00", "a\u202eb", "a.part"]
)
def test_anything_else_is_none(name: str) -> None:
    assert rules.file_name_errors(name)


def test_every_field_at_fault_of_an_import_is_named() -> None:
    mapping = {"price": "a", "phone_number": 0, "geo_id": " ", "provider_id": "x" * 201}
    with pytest.raises(InvalidTransfer) as refused:
        rules.checked_import(1, "../a", None, mapping)
    assert set(refused.value.errors) == {"file_name", *(f"mapping.{name}" for name in mapping)}


def test_every_field_at_fault_of_an_export_is_named() -> None:
    with pytest.raises(InvalidTransfer) as refused:
        rules.checked_export(1, "", "xls", "upload", {})
    assert set(refused.value.errors) == {"file_name", "format", "destination"}


def test_a_wish_that_is_in_order_is_kept() -> None:
    assert rules.checked_import(1, "a", 2, {"phone_number": "Tel"}).mapping == {"phone_number": "Tel"}
    assert rules.checked_export(1, "a", "xlsx", "sftp", {"status": "new"}).format is TableFormat.XLSX


@pytest.mark.parametrize("status", TransferStatus)
def test_only_the_moves_of_the_table_pass(status: TransferStatus) -> None:
    transfer = a_transfer()
    policy = TransferPolicy()
    steps = {
        TransferStatus.COMPLETED: lambda one: one.complete(NOON, policy),
        TransferStatus.FAILED: lambda one: one.fail("x", "x", NOON, policy),
        TransferStatus.CANCELLED: lambda one: one.cancel(NOON, policy),
    }
    present = transfer if status is TransferStatus.PENDING else transfer.start(1, NOON)
    if status in steps:
        present = steps[status](present)
    for target, step in steps.items():
        if target in MOVES.table[status]:
            assert step(present).status is target
        else:
            with pytest.raises(IllegalMove):
                step(present)


def test_progress_never_goes_back_nor_past_its_end() -> None:
    reading = [rules.reading_progress(ReadSoFar(size, 0), 100) for size in (0, 50, 100, 200)]
    merging = [rules.merging_progress(Tally(records=10, created=count)) for count in (0, 5, 10)]
    assert reading + merging == sorted(reading + merging)
    assert (reading[0], merging[-1]) == (0, 100)
    assert rules.reading_progress(ReadSoFar(0, 0), 0) == 0
    assert rules.merging_progress(Tally()) == 100


def test_a_running_transfer_never_shows_its_end() -> None:
    running = a_transfer().start(1, NOON)
    assert rules.report(a_transfer(), 5, 10, NOON).progress == 0
    assert rules.report(running, 0, 0, NOON).progress == 0
    assert rules.report(running, 10, 10, NOON).progress == 99
    assert rules.report(running.complete(NOON, TransferPolicy()), 0, 0, NOON).progress == 100


def test_only_a_completed_export_for_download_has_a_file() -> None:
    policy = TransferPolicy()
    export = a_transfer(TransferKind.EXPORT, Channel.DOWNLOAD)
    for one in (a_transfer(), a_transfer(TransferKind.EXPORT, Channel.SFTP), export, export.start(1, NOON)):
        with pytest.raises(TransferNotReady):
            rules.refuse_undownloadable(one, NOON)
    done = export.start(1, NOON).complete(NOON, policy)
    rules.refuse_undownloadable(done, NOON)
    assert not done.is_downloadable(NOON + policy.kept_for + timedelta(seconds=1))
    with pytest.raises(TransferNotReady):
        rules.refuse_no_rows(done)


def test_the_parts_of_a_filter_are_read_back() -> None:
    wish = {"status": "new", "phone": "7916", "provider_id": 3, "geo_id": 4, "created_after": NOON.isoformat()}
    found = rules.wanted(replace(a_transfer(), filter=wish))
    assert (found.project_id, found.status, found.phone, found.provider_id, found.geo_id) == (1, "new", "7916", 3, 4)
    assert (found.created_after, found.created_before) == (NOON, None)
    assert rules.wanted(a_transfer()).status is None


def test_spans_that_touch_are_one() -> None:
    assert rules.joined_spans([(7, 9), (1, 3), (4, 5), (8, 8)]) == [(1, 5), (7, 9)]


def test_a_name_is_told_by_its_last_part_and_an_end_by_its_cause() -> None:
    assert rules.plain_name("in/a.csv") == "a.csv"
    assert rules.end_without_result(JobState.CANCELLED)[1] == "cancelled"
    assert rules.end_without_result(JobState.DEAD)[1] == "gave_up"


@pytest.mark.anyio
async def test_no_more_runs_at_once_than_there_are_lanes() -> None:
    import asyncio

    running, most = 0, 0

    async def work() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1

    async with Lanes(2) as lanes:
        for _ in range(7):
            await lanes.run(work)
    assert (running, most) == (0, 2)


@pytest.mark.anyio
async def test_what_fails_in_a_lane_ends_the_others() -> None:
    import asyncio

    ended: list[str] = []

    async def waits() -> None:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    async def fails() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        async with Lanes(2) as lanes:
            await lanes.run(waits)
            await lanes.run(fails)
            await lanes.run(waits)
    assert ended == ["cancelled"]
    with pytest.raises(ZeroDivisionError):
        async with Lanes(2) as lanes:
            await lanes.run(waits)
            await asyncio.sleep(0)
            raise ZeroDivisionError
    assert ended == ["cancelled"] * 2


def test_what_was_ended_meanwhile_is_not_completed() -> None:
    running = a_transfer().start(1, NOON)
    assert rules.unended(running) is running
    for ended in (None, replace(running, status=TransferStatus.CANCELLED)):
        with pytest.raises(JobCancelled):
            rules.unended(ended)


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (None, None),
        ("OSError", None),
        ("DropUnavailable: ", None),
        ("DropUnavailable: The line to the drop broke.", "The line to the drop broke."),
        ("the lease ended: its worker died or hung", "Its worker died or hung."),
    ],
)
def test_of_a_failure_a_caller_is_told_the_sentence_and_not_the_name(failure: str | None, told: str | None) -> None:
    assert rules.cause_of(failure) == told
    error, code = rules.end_without_result(JobState.DEAD, failure)
    assert (error, code) == (f"{rules.FAILED} {told}" if told else rules.FAILED, "gave_up")
