"""Who may move a document where, and what the move makes of its dates."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from opora.core.documents.errors import CommentNeeded, DocumentInUse, FourEyes, MoveNotYours, NotScanned, NotTheWorker
from opora.core.documents.model.calendars import BusinessCalendar
from opora.core.documents.model.documents import Document, HistoryEntry, ScanState
from opora.core.documents.model.policies import Desk
from opora.core.documents.model.reference import Category
from opora.core.documents.model.statuses import (
    BY_MOVE,
    DELETABLE,
    MOVES,
    SETTLED,
    WAITED_FOR,
    DocumentStatus,
    Mover,
    Transition,
)
from opora.core.documents.rules.calendar import after, between, received_on, today
from opora.core.kernel.model import Actor

SYSTEM_ROLE = "system"
ADMIN = "admin"


def mover(actor: Actor) -> Mover:
    """Tell whether the program itself moves a document, or a worker of the bank."""
    return Mover.SYSTEM if SYSTEM_ROLE in actor.roles else Mover.WORKER


def acting_worker(actor: Actor, named: int | None) -> int | None:
    """Return whose work a move is: the caller's, or whom an admin names; raises NotTheWorker."""
    if named is None or named == actor.user_id:
        return actor.user_id
    if not actor.may(ADMIN):
        raise NotTheWorker(worker_id=named)
    return named


def transition(document: Document, target: DocumentStatus, by: Mover) -> Transition:
    """Return the row of a move; raises IllegalMove with what is allowed, MoveNotYours, or NotScanned."""
    MOVES.check(document.status, target)
    row = BY_MOVE[document.status, target]
    if by not in row.who:
        allowed = [str(one) for one in MOVES.allowed(document.status) if by in BY_MOVE[document.status, one].who]
        raise MoveNotYours(f"{document.status} becomes {target} by the {row_words(row)} only.", allowed=allowed)
    if target is DocumentStatus.IN_REVIEW and document.scan is not ScanState.CLEAN:
        raise NotScanned
    return row


def was_quicker(document: Document, target: DocumentStatus) -> bool:
    """Tell whether the bank's own system has made the move that a worker asks for."""
    return target is DocumentStatus.PROCESSED is document.status and document.moved_by == SYSTEM_ROLE


def row_words(row: Transition) -> str:
    """Name who may make a move."""
    return " or ".join(sorted(row.who))


def refuse_hasty(
    row: Transition, document: Document, history: Sequence[HistoryEntry], actor: Actor, comment: str | None, desk: Desk
) -> None:
    """Raise CommentNeeded or FourEyes where the desk asks for a reason or another person."""
    if desk.wants_reasons and row.says_why and not comment:
        raise CommentNeeded(errors={"comment": [f"is needed for {row.target}"]})
    if desk.is_four_eyed and row.decides:
        took_up = [entry.by for entry in history if entry.status is DocumentStatus.IN_REVIEW][-1:]
        if actor.subject in {document.uploaded_by, *took_up} or actor.user_id == document.user_id:
            raise FourEyes


def moved(
    document: Document,
    target: DocumentStatus,
    worker_id: int | None,
    by: str,
    now: datetime,
    category: Category,
    desk: Desk,
) -> Document:
    """Return the document after the move: whose it is, when it is due, when it was settled, how long it is kept."""
    day = today(desk.calendar, now)
    is_settled = target in SETTLED
    kept_for = None
    if target is DocumentStatus.QUARANTINED:
        kept_for = desk.quarantine_kept_for
    elif is_settled:
        kept_for = timedelta(days=category.retention_days)
    return document.changed(
        status=target,
        worker_id=document.worker_id if worker_id is None else worker_id,
        plan_maturity_date=replanned(document, target, day, desk.calendar),
        fact_maturity_date=document.fact_maturity_date or (day if is_settled else None),
        retained_until=document.retained_until if kept_for is None else day + kept_for,
        moved_at=now,
        moved_by=by,
    )


def planned(at: datetime, category: Category, calendar: BusinessCalendar) -> date:
    """Return the day by which a document that came in then is to be dealt with."""
    return after(calendar, received_on(calendar, at), category.processing_days)


def replanned(document: Document, target: DocumentStatus, day: date, calendar: BusinessCalendar) -> date:
    """Return the planned day after a move: the working days spent waiting for the client do not count."""
    if document.status is not DocumentStatus.NEEDS_INFO or target is not DocumentStatus.IN_REVIEW:
        return document.plan_maturity_date
    waited = between(calendar, today(calendar, document.moved_at), day)
    return after(calendar, document.plan_maturity_date, waited)


def is_overdue(document: Document, day: date) -> bool:
    """Tell whether the bank is late with a document on that day."""
    return document.status in WAITED_FOR and document.plan_maturity_date < day


def refuse_deletion(document: Document) -> None:
    """Raise DocumentInUse where the work on a document has begun."""
    if document.status not in DELETABLE:
        deletable = sorted(str(status) for status in DELETABLE)
        raise DocumentInUse(
            f"A document that is {document.status} stays.", state=str(document.status), deletable=deletable
        )
