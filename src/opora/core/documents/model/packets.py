"""Packets: what the bank's own system is told of a document, each with a status apart from the document's."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

from opora.core.documents.model.documents import AbsSync
from opora.core.documents.model.statuses import DocumentStatus
from opora.core.kernel.model import Moves

SEND = "abs.send"
"""The kind of job that sends a packet."""
COMMENT_MAX = 1000


class PacketStatus(StrEnum):
    """Where a packet stands."""

    QUEUED = "queued"
    SENT = "sent"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    FAILED = "failed"
    OVERRIDDEN = "overridden"


_S = PacketStatus

MOVES = Moves(
    {
        # a receipt may come before our own note that the packet was sent, or after it was given up as unsent;
        # and a bank may think better of what it rejected
        _S.QUEUED: frozenset({_S.SENT, _S.ACCEPTED, _S.REJECTED, _S.FAILED, _S.OVERRIDDEN}),
        _S.SENT: frozenset({_S.ACCEPTED, _S.REJECTED, _S.QUEUED, _S.OVERRIDDEN}),
        _S.REJECTED: frozenset({_S.QUEUED, _S.ACCEPTED, _S.OVERRIDDEN}),
        _S.FAILED: frozenset({_S.QUEUED, _S.ACCEPTED, _S.REJECTED, _S.OVERRIDDEN}),
        _S.ACCEPTED: frozenset(),
        _S.OVERRIDDEN: frozenset(),
    }
)
"""`queued` again is an operator's retry, `overridden` an operator's word that it was settled by hand."""

TAKEN = frozenset({_S.ACCEPTED, _S.OVERRIDDEN})
"""The bank has it."""
UNDER_WAY = frozenset({_S.QUEUED, _S.SENT})
"""Nobody knows yet whether the bank has it."""

SYNC_OF = {
    _S.QUEUED: AbsSync.QUEUED,
    _S.SENT: AbsSync.SENT,
    _S.ACCEPTED: AbsSync.ACCEPTED,
    _S.OVERRIDDEN: AbsSync.ACCEPTED,
    _S.REJECTED: AbsSync.FAILED,
    _S.FAILED: AbsSync.FAILED,
}
"""What a document's `abs_sync` says when its newest packet stands there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """One change of a document's status on its way to the bank's system: that document, at that version.

    `has_file` packets carry the file too: those of approved documents. `attempts` counts sendings that were begun.
    """

    id: int
    document_id: int
    version: int
    document_status: DocumentStatus
    has_file: bool
    status: PacketStatus = PacketStatus.QUEUED
    reference: str | None = None
    error: str | None = None
    comment: str | None = None
    attempts: int = 0
    created_at: datetime
    sent_at: datetime | None = None
    settled_at: datetime | None = None

    @property
    def key(self) -> str:
        """The name of the packet on both sides."""
        return key_of(self.document_id, self.version)

    def moved(self, status: PacketStatus, **changes: object) -> Self:
        """Return the packet in another status; raises IllegalMove."""
        MOVES.check(self.status, status)
        return replace(self, status=status, **changes)  # type: ignore[arg-type]  # callers name fields


def key_of(document_id: int, version: int) -> str:
    """Name the packet of a document at a version."""
    return f"{document_id}.{version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketFilter:
    """Which packets are wanted; None wants any."""

    status: PacketStatus | None = None
    document_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Consignment:
    """What the bank is told: the packet's key, the document as it stood, and the file's digest where it goes along."""

    key: str
    document_id: int
    version: int
    status: DocumentStatus
    user_id: int
    category: str
    description: str
    media_type: str
    size: int
    sha256: str
    has_file: bool
    at: datetime


class Verdict(StrEnum):
    """What the bank answered."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The bank's answer to a packet. `id` is the bank's own name of the receipt: equal ids are one receipt."""

    id: str
    packet: str
    verdict: Verdict
    reference: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class BadReceipt:
    """Something in the place of a receipt that cannot be read as one."""

    id: str
    reason: str


class Outcome(StrEnum):
    """What became of a receipt."""

    APPLIED = "applied"
    IDLE = "idle"
    """The packet was settled already, and nothing was left to change."""
    STRANGER = "stranger"
    """No packet of that key was ever sent."""
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxEntry:
    """A receipt that was dealt with, once and for good."""

    id: str
    packet: str | None
    verdict: Verdict | None
    outcome: Outcome
    reference: str | None
    reason: str | None
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchPolicy:
    """How long sending is tried before it is given up: the attempts of a job. How many receipts are read at once, and
    how many times in one job; the next slot reads on.
    """

    attempts_max: int = 20
    receipts_at_once: int = 100
    rounds_max: int = 1000
