"""The statuses of a document and the table of moves between them."""

from dataclasses import dataclass
from enum import StrEnum

from opora.core.kernel.model import Moves


class DocumentStatus(StrEnum):
    """Where a document stands."""

    PENDING = "pending"
    QUARANTINED = "quarantined"
    IN_REVIEW = "in_review"
    NEEDS_INFO = "needs_info"
    APPROVED = "approved"
    REJECTED = "rejected"
    PROCESSED = "processed"
    ARCHIVED = "archived"


class Mover(StrEnum):
    """Who moves a document: a worker of the bank, or the program itself (the scanner, the bank's system)."""

    WORKER = "worker"
    SYSTEM = "system"


EITHER = frozenset(Mover)
WORKER = frozenset({Mover.WORKER})
SYSTEM = frozenset({Mover.SYSTEM})


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One row of the table: who may make the move, and what the bank may ask of it.

    `says_why` moves want a comment, and `decides` moves another person than the one who took the document up or sent
    it in, where the policy asks for that.
    """

    source: DocumentStatus
    target: DocumentStatus
    who: frozenset[Mover] = EITHER
    says_why: bool = False
    decides: bool = False


_S = DocumentStatus

TRANSITIONS: tuple[Transition, ...] = (
    Transition(source=_S.PENDING, target=_S.QUARANTINED, who=SYSTEM),
    Transition(source=_S.PENDING, target=_S.IN_REVIEW),
    Transition(source=_S.IN_REVIEW, target=_S.APPROVED, who=WORKER, decides=True),
    Transition(source=_S.IN_REVIEW, target=_S.REJECTED, who=WORKER, says_why=True, decides=True),
    Transition(source=_S.IN_REVIEW, target=_S.NEEDS_INFO, who=WORKER, says_why=True),
    Transition(source=_S.NEEDS_INFO, target=_S.IN_REVIEW),
    Transition(source=_S.APPROVED, target=_S.PROCESSED),
    Transition(source=_S.PROCESSED, target=_S.ARCHIVED),
    Transition(source=_S.REJECTED, target=_S.ARCHIVED),
)
"""Every move there is; nothing leads to `approved` but a review."""

BY_MOVE = {(row.source, row.target): row for row in TRANSITIONS}
MOVES: Moves[DocumentStatus] = Moves(
    {status: frozenset(row.target for row in TRANSITIONS if row.source is status) for status in DocumentStatus}
)

DELETABLE = frozenset({_S.PENDING, _S.REJECTED, _S.NEEDS_INFO})
"""Where a client may still take a document back."""
SETTLED = frozenset({_S.PROCESSED, _S.REJECTED, _S.ARCHIVED})
"""Where the work on a document has ended: the first of these sets `fact_maturity_date`."""
WAITED_FOR = frozenset({_S.PENDING, _S.IN_REVIEW, _S.APPROVED})
"""Where the bank's time runs; it stands still while the client is asked for more."""
