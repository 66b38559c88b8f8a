"""What may be exported, how an export moves, and when its file may be read."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opora.core.jobs.model import JobState
from opora.core.kernel.errors import Gone, IllegalMove, Invalid
from opora.core.profiles.errors import ExportExpired, ExportNotReady, InvalidExport
from opora.core.profiles.model.exports import (
    MOVES,
    Export,
    ExportFormat,
    ExportStatus,
    ExportWish,
)
from opora.core.profiles.rules import exports as rules
from opora.testing.exports import HOUR, NOON, an_export, completed


def moved(export: Export, status: ExportStatus) -> Export:
    match status:
        case ExportStatus.RUNNING:
            return export.start()
        case ExportStatus.COMPLETED:
            return replace(completed(an_export()), status=export.status)._move(status)
        case _:
            return export.fail("no room", NOON)


@pytest.mark.parametrize("before", ExportStatus)
@pytest.mark.parametrize("after", [ExportStatus.RUNNING, ExportStatus.COMPLETED, ExportStatus.FAILED])
def test_only_the_moves_of_the_table_pass(before: ExportStatus, after: ExportStatus) -> None:
    export = an_export(status=before)
    if after in MOVES.allowed(before):
        assert moved(export, after).status is after
    else:
        with pytest.raises(IllegalMove):
            moved(export, after)


def test_nothing_becomes_queued_again() -> None:
    assert [status for status in ExportStatus if ExportStatus.QUEUED in MOVES.allowed(status)] == []


def test_a_completed_export_knows_its_file_and_when_it_goes() -> None:
    export = completed(an_export(), NOON, kept_for=2 * HOUR)
    assert (export.size, export.completed_at, export.expires_at) == (5, NOON, NOON + 2 * HOUR)


def test_an_export_tried_again_forgets_why_it_failed() -> None:
    failed = an_export().start().fail("no room", NOON)
    assert (failed.error, failed.completed_at) == ("no room", NOON)
    again = failed.start()
    assert (again.error, again.completed_at, again.status) == (None, None, ExportStatus.RUNNING)


def test_the_file_is_named_by_the_export_alone() -> None:
    export = an_export()
    assert str(export.blob_name) == f"exports/{export.id}"
    assert export.blob_name == completed(export).blob_name


def test_one_profile_or_several_make_a_wish() -> None:
    assert rules.checked_wish(7, None, "pdf") == ExportWish((7,), ExportFormat.PDF)
    assert rules.checked_wish(None, [3, 1, 2], "json") == ExportWish((3, 1, 2), ExportFormat.JSON)


@given(st.lists(st.integers(1, 10**12), min_size=1, max_size=1000, unique=True))
def test_up_to_a_thousand_different_profiles_keep_their_order(ids: list[int]) -> None:
    assert rules.checked_wish(None, ids, "json").profile_ids == tuple(ids)


@pytest.mark.parametrize(
    ("profile_id", "profile_ids", "format", "at_fault"),
    [
        (None, None, "pdf", {"profile_id"}),
        (1, [2], "pdf", {"profile_id"}),
        (None, [], "pdf", {"profile_ids"}),
        (None, list(range(1, 1002)), "pdf", {"profile_ids"}),
        (None, [1, 2, 1], "pdf", {"profile_ids"}),
        (1, None, "xml", {"format"}),
        (1, None, "PDF", {"format"}),
        (None, None, "", {"profile_id", "format"}),
        (None, [1, 1], "docx", {"profile_ids", "format"}),
    ],
)
def test_every_field_at_fault_is_named(
    profile_id: int | None, profile_ids: list[int] | None, format: str, at_fault: set[str]
) -> None:
    with pytest.raises(InvalidExport) as refusal:
        rules.checked_wish(profile_id, profile_ids, format)
    assert set(refusal.value.errors) == at_fault
    assert isinstance(refusal.value, Invalid)


@pytest.mark.parametrize("status", [status for status in ExportStatus if status is not ExportStatus.COMPLETED])
def test_no_file_is_read_before_it_is_whole(status: ExportStatus) -> None:
    with pytest.raises(ExportNotReady) as refusal:
        rules.refuse_unready(an_export(status=status), NOON)
    assert refusal.value.facts == {"export_status": str(status)}


def test_a_file_is_read_until_its_time_is_over() -> None:
    export = completed(an_export(), NOON, kept_for=HOUR)
    rules.refuse_unready(export, NOON + HOUR * 0.999)
    with pytest.raises(ExportExpired):
        rules.refuse_unready(export, NOON + HOUR)
    with pytest.raises(ExportExpired):
        rules.refuse_unready(export.without_file(), NOON)
    assert issubclass(ExportExpired, Gone)


@pytest.mark.parametrize(
    ("status", "done", "total", "shown"),
    [
        (ExportStatus.QUEUED, 0, 0, 0),
        (ExportStatus.QUEUED, 5, 10, 0),
        (ExportStatus.RUNNING, 0, 0, 0),
        (ExportStatus.RUNNING, 1, 3, 33),
        (ExportStatus.RUNNING, 1000, 1000, 99),
        (ExportStatus.FAILED, 1, 2, 50),
        (ExportStatus.COMPLETED, 0, 0, 100),
    ],
)
def test_progress_is_in_per_cent_and_full_only_with_the_file(
    status: ExportStatus, done: int, total: int, shown: int
) -> None:
    assert rules.report(an_export(status=status), done, total, NOON).progress == shown


def test_the_owner_is_told_why_there_is_no_file() -> None:
    assert "cancelled" in rules.end_without_file(JobState.CANCELLED)
    assert "could not" in rules.end_without_file(JobState.DEAD)
