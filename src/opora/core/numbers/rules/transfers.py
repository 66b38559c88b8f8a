"""What may be transferred, how far a transfer is, and what its caller is told."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import PurePosixPath

from opora.core.jobs.errors import JobCancelled
from opora.core.jobs.model import JobState
from opora.core.numbers.errors.transfers import (
    InvalidTransfer,
    TransferExpired,
    TransferNotReady,
    TransferTouched,
)
from opora.core.numbers.model.numbers import NumberFilter, NumberStatus
from opora.core.numbers.model.tables import Field, ReadSoFar, Refusal, RefusedRow, SortedRange, TableFormat
from opora.core.numbers.model.transfers import (
    ENDED,
    FILE_NAME_MAX,
    Channel,
    ExportWish,
    ImportWish,
    Tally,
    Transfer,
    TransferKind,
    TransferReport,
    TransferStatus,
)

PER_CENT = 100
READING_PER_CENT = 40
"""What part of an import is reading; the rest is bringing in."""
FAILED = "The transfer could not be carried out."
TRIED_AGAIN = "It is tried again by itself, and goes on where it stopped."
CANCELLED = "The transfer was cancelled."
COLUMN_NUMBER_MAX = 1000
MAPPING_TEXT_MAX = 200
INSTANTS = ("created_after", "created_before")
_BARRED = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\\]")


def file_name_errors(name: str) -> list[str]:
    """Return what is wrong with a file's name: a path below the drop's root, whose parts are names."""
    if not 1 <= len(name.encode("utf-8", "surrogatepass")) <= FILE_NAME_MAX:
        return [f"takes 1 to {FILE_NAME_MAX} bytes"]
    if _BARRED.search(name):
        return ["holds a character that no name has"]
    parts = name.split("/")
    if any(part in {"", ".", ".."} for part in parts):
        return ["is a path below the root, without `..`, and neither begins nor ends with a slash"]
    if parts[-1].endswith(".part"):
        return ["ends in .part, which names files that are still being written"]
    return []


def checked_import(
    project_id: int, file_name: str, provider_id: int | None, mapping: Mapping[str, str | int] | None
) -> ImportWish:
    """Return the wish, or raise InvalidTransfer that names every field at fault."""
    errors = {"file_name": found} if (found := file_name_errors(file_name)) else {}
    for name, column in (mapping or {}).items():
        if name not in tuple(Field):
            errors[f"mapping.{name[:MAPPING_TEXT_MAX]}"] = [f"is one of {', '.join(Field)}"]
        elif isinstance(column, int) and not 1 <= column <= COLUMN_NUMBER_MAX:
            errors[f"mapping.{name}"] = [f"is a column's heading, or its number from 1 to {COLUMN_NUMBER_MAX}"]
        elif isinstance(column, str) and not 1 <= len(column.strip()) <= MAPPING_TEXT_MAX:
            errors[f"mapping.{name}"] = [f"takes 1 to {MAPPING_TEXT_MAX} characters"]
    if errors:
        raise InvalidTransfer(errors=errors)
    return ImportWish(project_id=project_id, file_name=file_name, provider_id=provider_id, mapping=dict(mapping or {}))


def checked_export(
    project_id: int, file_name: str, format: str, destination: str, filter: Mapping[str, str | int]
) -> ExportWish:
    """Return the wish, or raise InvalidTransfer that names every field at fault."""
    errors = {"file_name": found} if (found := file_name_errors(file_name)) else {}
    formats, channels = (TableFormat.CSV, TableFormat.XLSX), (Channel.SFTP, Channel.DOWNLOAD)
    if format not in formats:
        errors["format"] = [f"is one of {', '.join(formats)}"]
    if destination not in channels:
        errors["destination"] = [f"is one of {', '.join(channels)}"]
    if errors:
        raise InvalidTransfer(errors=errors)
    return ExportWish(
        project_id=project_id,
        file_name=file_name,
        format=TableFormat(format),
        channel=Channel(destination),
        filter=dict(filter),
    )


def wanted(transfer: Transfer) -> NumberFilter:
    """Return which numbers an export wants."""
    given = transfer.filter
    ids = {name: int(given[name]) for name in ("provider_id", "geo_id") if name in given}
    instants = {name: datetime.fromisoformat(str(given[name])) for name in INSTANTS if name in given}
    return NumberFilter(
        project_id=transfer.project_id,
        status=NumberStatus(str(given["status"])) if "status" in given else None,
        phone=str(given["phone"]) if "phone" in given else None,
        provider_id=ids.get("provider_id"),
        geo_id=ids.get("geo_id"),
        created_after=instants.get("created_after"),
        created_before=instants.get("created_before"),
    )


def plain_name(file_name: str) -> str:
    """Return the last part of a name, as a download is called."""
    return PurePosixPath(file_name).name


def reading_progress(part: ReadSoFar, size: int) -> int:
    """Return how far an import is that has read that much of its file, in per cent of all its work."""
    return READING_PER_CENT * min(part.size, size) // size if size else 0


def merging_progress(tally: Tally) -> int:
    """Return how far an import is that has read everything, in per cent of all its work."""
    left = PER_CENT - READING_PER_CENT
    return READING_PER_CENT + (left * tally.dealt_with // tally.records if tally.records else left)


def report(transfer: Transfer, done: int, total: int, now: datetime, failure: str | None = None) -> TransferReport:
    """Return what a caller sees of a transfer whose job has done that much; a running one never shows 100 %.

    `failure` is what the job keeps of its last attempt that failed.
    """
    if transfer.status is TransferStatus.COMPLETED:
        progress = PER_CENT
    elif transfer.status is TransferStatus.PENDING or total <= 0:
        progress = 0
    else:
        progress = min(PER_CENT * done // total, PER_CENT - 1)
    cause = None if transfer.status in ENDED else cause_of(failure)
    trouble = cause and f"{cause} {TRIED_AGAIN}"
    return TransferReport(transfer, progress, transfer.is_downloadable(now), trouble)


def cause_of(failure: str | None) -> str | None:
    """Return the sentence in what a job keeps of a failure, `Name: sentence`; None where it is a name alone."""
    sentence = (failure or "").partition(": ")[2]
    return (sentence and f"{sentence[0].upper()}{sentence[1:].rstrip('.')}.") or None


def refusals(part: SortedRange, present: frozenset[int], suppressed: frozenset[int]) -> tuple[Tally, list[RefusedRow]]:
    """Return what became of a range of which these numbers were there already or are never to be called."""
    rows = [RefusedRow(line, Field.PHONE_NUMBER, Refusal.DUPLICATE_IN_FILE, f"+{one}") for line, one in part.repeated]
    if present or suppressed:
        for line, number in zip(part.lines, part.numbers, strict=True):
            if number in present:
                rows.append(RefusedRow(line, Field.PHONE_NUMBER, Refusal.DUPLICATE, f"+{number}"))
            elif number in suppressed:
                rows.append(RefusedRow(line, Field.PHONE_NUMBER, Refusal.SUPPRESSED, f"+{number}"))
    return Tally(
        created=len(part.numbers) - len(present) - len(suppressed),
        duplicates_in_file=len(part.repeated),
        duplicates=len(present),
        suppressed=len(suppressed),
    ), rows


def refuse_undownloadable(transfer: Transfer, now: datetime) -> None:
    """Raise TransferNotReady unless a file was made for download, TransferExpired where it is not kept any more."""
    if transfer.kind is not TransferKind.EXPORT or transfer.channel is not Channel.DOWNLOAD:
        raise TransferNotReady("This transfer makes no file for download.", transfer_status=str(transfer.status))
    if transfer.status is not TransferStatus.COMPLETED:
        raise TransferNotReady(f"The transfer is {transfer.status}.", transfer_status=str(transfer.status))
    if not transfer.is_downloadable(now):
        raise TransferExpired


def refuse_no_rows(transfer: Transfer) -> None:
    """Raise TransferNotReady for an export, TransferExpired where the refused rows are not kept any more."""
    if transfer.kind is not TransferKind.IMPORT:
        raise TransferNotReady("Only an import refuses rows.", transfer_status=str(transfer.status))
    if transfer.is_file_removed:
        raise TransferExpired


def refuse_undo(transfer: Transfer) -> None:
    """Raise TransferTouched unless the transfer is an import that has ended and was not taken back before."""
    if transfer.kind is not TransferKind.IMPORT:
        raise TransferTouched("Only an import can be taken back.")
    if transfer.status not in ENDED:
        raise TransferTouched("The import has not ended: cancel it first.", transfer_status=str(transfer.status))
    if transfer.undone_at is not None:
        raise TransferTouched("The import was taken back already.")


def end_without_result(state: JobState, failure: str | None = None) -> tuple[str, str]:
    """Return what the caller is told of a transfer whose job ended in that state, and its stable word."""
    if state is JobState.CANCELLED:
        return CANCELLED, "cancelled"
    cause = cause_of(failure)
    return f"{FAILED} {cause}" if cause else FAILED, "gave_up"


REFUSAL_TEXTS: Mapping[Refusal, str] = {
    Refusal.EMPTY: "the cell is empty",
    Refusal.NOT_A_PHONE: "this is no phone number that can be called",
    Refusal.ROUNDED: "a spreadsheet has rounded the number, its last digits are lost",
    Refusal.UNKNOWN_PROVIDER: "there is no such provider",
    Refusal.UNKNOWN_GEO: "there is no such area",
    Refusal.DUPLICATE_IN_FILE: "the file names this number before",
    Refusal.DUPLICATE: "the project holds this number already",
    Refusal.SUPPRESSED: "this number is never to be called",
}
"""What the file of refused rows says of each reason."""


def joined_spans(merged: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return spans of numbers with those that touch joined, ascending."""
    joined: list[tuple[int, int]] = []
    for first, last in sorted(merged):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return joined


def unended(transfer: Transfer | None) -> Transfer:
    """Return a transfer that a worker may complete; raise JobCancelled for one that was ended meanwhile."""
    if transfer is None or transfer.status in ENDED:
        raise JobCancelled
    return transfer
