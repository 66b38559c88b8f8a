"""What both sides hold, how they differ, and the tickets that each difference has."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self
from uuid import UUID

from opora.core.documents.model.packets import PacketStatus
from opora.core.documents.model.statuses import DocumentStatus

RECONCILE = "abs.reconcile"
"""The kind of job that compares both sides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """A document as the bank's system holds it; `sha256` is that of its file, where it was given one."""

    document_id: int
    version: int
    status: str
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Register:
    """Everything the bank's system holds, as it stood at `as_of`, in the order of the documents' ids."""

    as_of: datetime
    holdings: AsyncIterator[Holding]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the bank was told last of a document: its newest packet, and the digest of the file here."""

    document_id: int
    version: int
    document_status: DocumentStatus
    status: PacketStatus
    sha256: str
    created_at: datetime
    settled_at: datetime | None


class TicketKind(StrEnum):
    """What somebody has to look into."""

    MISSING_THERE = "missing_there"
    UNKNOWN_HERE = "unknown_here"
    DIFFERS = "differs"
    UNANSWERED = "unanswered"
    NOT_TAKEN = "not_taken"
    STRANGER_RECEIPT = "stranger_receipt"
    BAD_RECEIPT = "bad_receipt"


COMPARED = frozenset(
    {
        TicketKind.MISSING_THERE,
        TicketKind.UNKNOWN_HERE,
        TicketKind.DIFFERS,
        TicketKind.UNANSWERED,
        TicketKind.NOT_TAKEN,
    }
)
"""What a comparison finds; the next one closes the tickets of what it finds no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One document on which the two sides do not agree; `here` and `there` say what each has, in plain values."""

    kind: TicketKind
    document_id: int
    here: str | None = None
    there: str | None = None

    @property
    def subject(self) -> str:
        """What the ticket is about."""
        return f"document:{self.document_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """Something between the two sides that a person has to look into: one open ticket a kind and subject."""

    id: int
    kind: TicketKind
    subject: str
    here: str | None = None
    there: str | None = None
    opened_at: datetime
    reconciliation_id: UUID | None = None
    closed_at: datetime | None = None
    closed_by: str | None = None
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketFilter:
    """Which tickets are wanted; None wants any."""

    kind: TicketKind | None = None
    is_open: bool | None = None


class ReconciliationStatus(StrEnum):
    """How far a comparison is."""

    QUEUED = "queued"
    COMPLETED = "completed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """One comparison: how many documents were compared and on how many the sides differ.

    `under_way` documents were left out: nobody can know yet which side they are on.
    """

    id: UUID
    status: ReconciliationStatus = ReconciliationStatus.QUEUED
    requested_at: datetime
    requested_by: str
    completed_at: datetime | None = None
    as_of: datetime | None = None
    compared: int = 0
    under_way: int = 0
    differences: int = 0
    opened: int = 0
    closed: int = 0
    error: str | None = None

    def ended(self, status: ReconciliationStatus, now: datetime, **changes: object) -> Self:
        """Return it as it ended."""
        return replace(self, status=status, completed_at=now, **changes)  # type: ignore[arg-type]  # callers name fields


@dataclass(frozen=True, slots=True)
class ReconciliationPolicy:
    """How long the bank may leave a packet unanswered, and how much of a comparison is held in memory at once."""

    silence: timedelta = timedelta(hours=24)
    told_at_once: int = 2000
    tickets_at_once: int = 500
