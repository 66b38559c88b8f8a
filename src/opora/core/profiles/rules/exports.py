"""What may be exported, who sees an export, and when its file may be read."""

from collections.abc import Sequence
from datetime import datetime

from opora.core.jobs.model import JobState
from opora.core.profiles.errors import ExportExpired, ExportNotReady, InvalidExport
from opora.core.profiles.model.exports import (
    PROFILES_MAX,
    Export,
    ExportFormat,
    ExportReport,
    ExportStatus,
    ExportWish,
)

PER_CENT = 100
FAILED = "The file could not be made."
CANCELLED = "The export was cancelled."


def checked_wish(profile_id: int | None, profile_ids: Sequence[int] | None, format: str) -> ExportWish:
    """Return the wish, or raise InvalidExport that names every field at fault."""
    errors: dict[str, list[str]] = {}
    if (profile_id is None) == (profile_ids is None):
        errors["profile_id"] = ["name either one profile_id or a list of profile_ids"]
    ids = tuple(profile_ids if profile_ids is not None else () if profile_id is None else (profile_id,))
    if profile_ids is not None and not 1 <= len(ids) <= PROFILES_MAX:
        errors["profile_ids"] = [f"takes 1 to {PROFILES_MAX} profiles, not {len(ids)}"]
    elif len(set(ids)) < len(ids):
        errors["profile_ids"] = ["names a profile twice"]
    if format not in tuple(ExportFormat):
        errors["format"] = [f"is one of {', '.join(ExportFormat)}"]
    if errors:
        raise InvalidExport(errors=errors)
    return ExportWish(ids, ExportFormat(format))


def refuse_unready(export: Export, now: datetime) -> None:
    """Raise ExportNotReady unless the export is completed, ExportExpired where its file is not kept any more."""
    if export.status is not ExportStatus.COMPLETED:
        raise ExportNotReady(f"The export is {export.status}.", export_status=str(export.status))
    if not export.is_available(now):
        raise ExportExpired


def report(export: Export, done: int, total: int, now: datetime) -> ExportReport:
    """Return what the owner sees of an export whose job has done that much; a running one never shows 100 %."""
    if export.status is ExportStatus.COMPLETED:
        progress = PER_CENT
    elif export.status is ExportStatus.QUEUED or total <= 0:
        progress = 0
    else:
        progress = min(PER_CENT * done // total, PER_CENT - 1)
    return ExportReport(export, progress, export.is_available(now))


def end_without_file(state: JobState) -> str:
    """Return what the owner is told of an export whose job ended in that state without a file."""
    return CANCELLED if state is JobState.CANCELLED else FAILED
