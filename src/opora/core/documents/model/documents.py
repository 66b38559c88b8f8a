"""A document: what a client sent in, and what became of it."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Self
from uuid import UUID

from opora.core.documents.model.statuses import DocumentStatus
from opora.core.kernel.model import BlobName

FOLDER = "documents"
"""The folder of the blob store that the files lie in."""


class MediaType(StrEnum):
    """What kinds of files are taken, as their own structure tells."""

    PDF = "application/pdf"
    DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    PNG = "image/png"
    JPEG = "image/jpeg"


SUFFIXES = {MediaType.PDF: "pdf", MediaType.DOCX: "docx", MediaType.PNG: "png", MediaType.JPEG: "jpg"}


class ScanState(StrEnum):
    """What the virus scanner said; nothing is reviewed before it said `clean`."""

    WAITING = "waiting"
    CLEAN = "clean"
    INFECTED = "infected"


class AbsSync(StrEnum):
    """How far the bank's own system was told of a document; apart from the document's status."""

    NOT_SENT = "not_sent"
    QUEUED = "queued"
    SENT = "sent"
    ACCEPTED = "accepted"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Reach:
    """Whose documents a caller may see: one client's, or everyone's where `user_id` is None."""

    user_id: int | None


EVERYONES = Reach(None)
NOBODYS = Reach(0)
"""Of a caller behind whom stands no person: no record has the id 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One document; size, digest, kind and pages are those of the file, `blob_id` its name in the store.

    `moved_at` is when the status last changed and `moved_by` who changed it, as the audit log names them (`user:3`).
    `overdue_at` is when it was found late, once. A document is purged when its retention ends: `is_file_removed`, and
    the row with its digest stays as the proof of what there was. `abs_reference` and `abs_sync` are the bank's side.
    """

    id: int
    user_id: int
    worker_id: int | None = None
    category_id: int
    description: str
    status: DocumentStatus = DocumentStatus.PENDING
    uploaded_at: datetime
    uploaded_by: str
    actual_date: date | None = None
    actual_end_date: date | None = None
    plan_maturity_date: date
    fact_maturity_date: date | None = None
    blob_id: UUID
    file_name: str
    media_type: MediaType
    size: int
    sha256: str
    pages: int | None = None
    scan: ScanState = ScanState.WAITING
    moved_at: datetime
    moved_by: str
    overdue_at: datetime | None = None
    is_held: bool = False
    retained_until: date | None = None
    is_file_removed: bool = False
    deleted_at: datetime | None = None
    abs_reference: str | None = None
    abs_sync: AbsSync = AbsSync.NOT_SENT
    version: int = 1

    @property
    def blob_name(self) -> BlobName:
        """The name of the file in the store."""
        return BlobName(FOLDER, self.blob_id)

    def changed(self, **changes: object) -> Self:
        """Return the document with these fields changed, a version on."""
        return replace(self, version=self.version + 1, **changes)  # type: ignore[arg-type]  # callers name fields


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """One line of a document's history: it became `status` then, by whom (`user:3`, `system`) and why."""

    document_id: int
    number: int
    status: DocumentStatus
    at: datetime
    by: str
    user_id: int | None = None
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentView:
    """A document as it is listed: with the name of its category."""

    document: Document
    category: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentFilter:
    """Which documents are wanted; None wants any. `q` are words of the description or the file's name.

    `overdue` wants those that the bank is late with `today`, or those it is not.
    """

    status: DocumentStatus | None = None
    category_id: int | None = None
    user_id: int | None = None
    worker_id: int | None = None
    uploaded_after: datetime | None = None
    uploaded_before: datetime | None = None
    overdue: bool | None = None
    today: date | None = None
    q: tuple[str, ...] = ()
