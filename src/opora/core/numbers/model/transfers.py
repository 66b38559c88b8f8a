"""A transfer: an import of numbers out of a table, or an export into one, from the wish for it to its end."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self
from uuid import UUID

from opora.core.kernel.model import Blob, BlobName, Moves
from opora.core.numbers.model.tables import TableFormat

UPLOADS, FETCHED, MADE = "imports", "fetched", "numberfiles"
"""The folders of the blob store: files sent to us, files fetched from the drop, files made for download."""
IMPORT, EXPORT, UNDO = "numbers.import", "numbers.export", "numbers.undo"
"""The kinds of jobs that carry transfers out."""
FILE_NAME_MAX = 255
MIB = 1024 * 1024


class TransferKind(StrEnum):
    """Which way numbers go."""

    IMPORT = "import"
    EXPORT = "export"


class Channel(StrEnum):
    """How a file comes or goes: sent to us, on the partner's drop, or kept for download."""

    UPLOAD = "upload"
    SFTP = "sftp"
    DOWNLOAD = "download"


class TransferStatus(StrEnum):
    """Where a transfer stands."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


MOVES = Moves(
    {
        TransferStatus.PENDING: frozenset({TransferStatus.RUNNING, TransferStatus.FAILED, TransferStatus.CANCELLED}),
        TransferStatus.RUNNING: frozenset({TransferStatus.COMPLETED, TransferStatus.FAILED, TransferStatus.CANCELLED}),
        TransferStatus.COMPLETED: frozenset(),
        TransferStatus.FAILED: frozenset({TransferStatus.RUNNING}),  # an operator retried the job
        TransferStatus.CANCELLED: frozenset(),
    }
)
ENDED = frozenset({TransferStatus.COMPLETED, TransferStatus.FAILED, TransferStatus.CANCELLED})


@dataclass(frozen=True, slots=True)
class TransferPolicy:
    """How large a transfer may be, and how long what is left of one is kept."""

    size_max: int = 2048 * MIB
    rows_max: int = 50_000_000
    refused_max: int = 1_000_000
    kept_for: timedelta = timedelta(days=7)
    region: str = "RU"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What became of the rows of a table: `records` is the sum of the others once the whole was dealt with."""

    records: int = 0
    created: int = 0
    duplicates_in_file: int = 0
    duplicates: int = 0
    suppressed: int = 0
    invalid: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(**{name: getattr(self, name) + getattr(other, name) for name in self.__slots__})

    @property
    def dealt_with(self) -> int:
        """How many rows have met their end."""
        return self.created + self.duplicates_in_file + self.duplicates + self.suppressed + self.invalid


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportWish:
    """What is to be imported where, checked."""

    project_id: int
    file_name: str
    provider_id: int | None = None
    mapping: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportWish:
    """What is to be exported where to, checked; `filter` holds the plain values of a filter of numbers."""

    project_id: int
    file_name: str
    format: TableFormat
    channel: Channel
    filter: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """One transfer. `number` marks the numbers that an import made; `attempt` is the only one that may still write.

    `error` is a sentence for the caller, `error_code` its stable word. `size` and `sha256` are those of a file made for
    download, which is there until `expires_at`. `undone_at` tells that what an import made was taken back, as far as
    nobody had touched it: `removed` numbers.
    """

    id: UUID
    number: int
    job_id: UUID
    kind: TransferKind
    channel: Channel
    project_id: int
    owner: str
    file_name: str
    format: TableFormat | None = None
    provider_id: int | None = None
    mapping: Mapping[str, str | int] = field(default_factory=dict)
    filter: Mapping[str, str | int] = field(default_factory=dict)
    status: TransferStatus = TransferStatus.PENDING
    attempt: int = 0
    requested_at: datetime
    started_at: datetime | None = None
    completed_at: datetime | None = None
    expires_at: datetime | None = None
    records: int = 0
    created: int = 0
    duplicates_in_file: int = 0
    duplicates: int = 0
    suppressed: int = 0
    invalid: int = 0
    error: str | None = None
    error_code: str | None = None
    size: int | None = None
    sha256: str | None = None
    is_file_removed: bool = False
    undone_at: datetime | None = None
    removed: int = 0

    @property
    def tally(self) -> Tally:
        """What became of the rows so far."""
        return Tally(
            records=self.records,
            created=self.created,
            duplicates_in_file=self.duplicates_in_file,
            duplicates=self.duplicates,
            suppressed=self.suppressed,
            invalid=self.invalid,
        )

    @property
    def blob_name(self) -> BlobName:
        """The name of the file that is read or made."""
        if self.kind is TransferKind.EXPORT:
            return BlobName(MADE, self.id)
        return BlobName(UPLOADS if self.channel is Channel.UPLOAD else FETCHED, self.id)

    def start(self, attempt: int, now: datetime) -> Self:
        """Return the transfer under way in that attempt of its job; a second attempt takes over from the first."""
        if self.status is TransferStatus.RUNNING:
            return replace(self, attempt=attempt)
        return self._move(
            TransferStatus.RUNNING,
            attempt=attempt,
            started_at=self.started_at or now,
            error=None,
            error_code=None,
            completed_at=None,
        )

    def complete(self, now: datetime, policy: TransferPolicy, blob: Blob | None = None) -> Self:
        """Return the transfer done, with the file it made, if it keeps one."""
        made = {} if blob is None else {"size": blob.size, "sha256": blob.sha256}
        return self._move(TransferStatus.COMPLETED, completed_at=now, expires_at=now + policy.kept_for, **made)

    def fail(self, error: str, code: str, now: datetime, policy: TransferPolicy) -> Self:
        """Return the transfer given up."""
        return self._move(
            TransferStatus.FAILED, error=error, error_code=code, completed_at=now, expires_at=now + policy.kept_for
        )

    def cancel(self, now: datetime, policy: TransferPolicy) -> Self:
        """Return the transfer stopped by somebody who may; what it has done so far stays."""
        return self._move(TransferStatus.CANCELLED, completed_at=now, expires_at=now + policy.kept_for)

    def undo(self, now: datetime) -> Self:
        """Return the import taken back."""
        return replace(self, undone_at=now)

    def without_file(self) -> Self:
        """Return the transfer after what it left behind was removed."""
        return replace(self, is_file_removed=True)

    def is_downloadable(self, now: datetime) -> bool:
        """Tell whether a file was made for download and can still be read."""
        return (
            self.kind is TransferKind.EXPORT
            and self.channel is Channel.DOWNLOAD
            and self.status is TransferStatus.COMPLETED
            and not self.is_file_removed
            and self.expires_at is not None
            and now < self.expires_at
        )

    def _move(self, status: TransferStatus, **changes: object) -> Self:
        MOVES.check(self.status, status)
        return replace(self, status=status, **changes)  # type: ignore[arg-type]  # the callers above name fields


@dataclass(frozen=True, slots=True)
class TransferReport:
    """A transfer as a caller sees it; `progress` is in whole per cent.

    `trouble` is why the last attempt at one that has not ended came to nothing.
    """

    transfer: Transfer
    progress: int
    is_downloadable: bool
    trouble: str | None = None


@dataclass(frozen=True, slots=True)
class MergedRange:
    """A span of numbers that was dealt with: the first and the last, and the ids of what it made, if any."""

    first: int
    last: int
    first_id: int = 0
    last_id: int = 0
    created: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferFilter:
    """Which transfers are wanted; None wants any."""

    project_id: int | None = None
    kind: TransferKind | None = None
    status: TransferStatus | None = None
