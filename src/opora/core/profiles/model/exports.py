"""An export: a file of profiles, from the wish for it to the end of its keeping."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self
from uuid import UUID

from opora.core.kernel.model import Actor, Blob, BlobName, Moves

PROFILES_MAX = 1000
"""How many profiles one file may hold."""
FOLDER = "exports"
"""The folder of the blob store that the files lie in."""
RENDER = "exports.render"
"""The kind of the job that makes a file."""


class ExportFormat(StrEnum):
    """What kind of file is wanted."""

    JSON = "json"
    PDF = "pdf"


class ExportStatus(StrEnum):
    """Where an export stands."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


MOVES = Moves(
    {
        ExportStatus.QUEUED: frozenset({ExportStatus.RUNNING, ExportStatus.FAILED}),
        ExportStatus.RUNNING: frozenset({ExportStatus.COMPLETED, ExportStatus.FAILED}),
        ExportStatus.COMPLETED: frozenset(),
        ExportStatus.FAILED: frozenset({ExportStatus.RUNNING}),  # an operator retried the job
    }
)


@dataclass(frozen=True, slots=True)
class Reach:
    """Whose records a caller may see: those of one owner (`key:7`, `user:3`), or everyone's where `owner` is None."""

    owner: str | None


EVERYONES = Reach(None)


@dataclass(frozen=True, slots=True)
class ExportPolicy:
    """How large a file may grow, and how long it is kept after it was made."""

    size_max: int = 256 * 1024 * 1024
    kept_for: timedelta = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class ExportWish:
    """What a caller asked for, checked: each profile once, in the order of the file."""

    profile_ids: tuple[int, ...]
    format: ExportFormat


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """One export; `size` and `sha256` are those of the file, which is there from `completed_at` to `expires_at`.

    `error` is a sentence for the caller. `is_file_removed` tells that the store gave the file up.
    """

    id: UUID
    job_id: UUID
    owner: str
    profile_ids: tuple[int, ...]
    format: ExportFormat
    status: ExportStatus
    requested_at: datetime
    completed_at: datetime | None = None
    expires_at: datetime | None = None
    error: str | None = None
    size: int | None = None
    sha256: str | None = None
    is_file_removed: bool = False

    @property
    def blob_name(self) -> BlobName:
        """The name of the file: the export's own id, so that a second attempt replaces what the first one put."""
        return BlobName(FOLDER, self.id)

    def start(self) -> Self:
        """Return the export being made; raises IllegalMove where it was completed."""
        return self._move(ExportStatus.RUNNING, error=None, completed_at=None)

    def complete(self, blob: Blob, now: datetime, policy: ExportPolicy) -> Self:
        """Return the export with its file; raises IllegalMove unless it is running."""
        return self._move(
            ExportStatus.COMPLETED,
            completed_at=now,
            expires_at=now + policy.kept_for,
            size=blob.size,
            sha256=blob.sha256,
        )

    def fail(self, error: str, now: datetime) -> Self:
        """Return the export given up; raises IllegalMove where it has ended."""
        return self._move(ExportStatus.FAILED, error=error, completed_at=now)

    def without_file(self) -> Self:
        """Return the export after its file was removed from the store."""
        return replace(self, is_file_removed=True)

    def is_available(self, now: datetime) -> bool:
        """Tell whether the file can be read."""
        return self.expires_at is not None and now < self.expires_at and not self.is_file_removed

    def _move(self, status: ExportStatus, **changes: object) -> Self:
        MOVES.check(self.status, status)
        return replace(self, status=status, **changes)  # type: ignore[arg-type]  # the callers above name fields


@dataclass(frozen=True, slots=True)
class ExportReport:
    """An export as its owner sees it: `progress` is in whole per cent."""

    export: Export
    progress: int
    is_downloadable: bool


def requested(id: UUID, job_id: UUID, actor: Actor, wish: ExportWish, now: datetime) -> Export:
    """Return a new export of the caller's."""
    return Export(
        id=id,
        job_id=job_id,
        owner=actor.subject,
        profile_ids=wish.profile_ids,
        format=wish.format,
        status=ExportStatus.QUEUED,
        requested_at=now,
    )
