"""A move of a document inside a transaction: everything that belongs to it, for whoever moves it."""

from dataclasses import dataclass
from datetime import datetime

from opora.core.documents.errors import NoSuchCategory
from opora.core.documents.events import DocumentStatusChanged
from opora.core.documents.model.documents import Document, HistoryEntry
from opora.core.documents.model.policies import Desk
from opora.core.documents.model.statuses import DocumentStatus
from opora.core.documents.ports.documents import DocumentTx
from opora.core.documents.rules import workflow
from opora.core.kernel.model import Actor, Change
from opora.core.notifications.model.notices import Notice


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A wish to move a document: where, by whom, in whose work and why."""

    target: DocumentStatus
    actor: Actor
    worker_id: int | None = None
    comment: str | None = None


async def carry_out(tx: DocumentTx, document: Document, move: Move, now: datetime, desk: Desk) -> Document:
    """Move a document that this transaction holds, write its history, announce it, and return it as it is now.

    Raises IllegalMove, MoveNotYours, NotScanned, CommentNeeded, FourEyes; Stale where the version is not the stored
    one.
    """
    row = workflow.transition(document, move.target, workflow.mover(move.actor))
    history = await tx.documents.movers(document.id)
    workflow.refuse_hasty(row, document, history, move.actor, move.comment, desk)
    category = await tx.categories.get(document.category_id)
    if category is None:
        raise NoSuchCategory
    by = subject(move.actor)
    after = workflow.moved(document, move.target, move.worker_id, by, now, category, desk)
    await tx.documents.save(after, document.version)
    await record(tx, document, after, move, now)
    return after


async def record(tx: DocumentTx, before: Document | None, after: Document, move: Move, now: datetime) -> None:
    """Write that a document stands where it stands now: history, event, audit; tell the client of a change."""
    by = subject(move.actor)
    entry = HistoryEntry(
        document_id=after.id,
        number=after.version,
        status=after.status,
        at=now,
        by=by,
        user_id=move.actor.user_id,
        comment=move.comment,
    )
    await tx.documents.tell(entry)
    if before is None:
        return
    await tx.outbox.add(
        DocumentStatusChanged(
            subject=after.id,
            at=now,
            user_id=after.user_id,
            status=str(after.status),
            previous=str(before.status),
            version=after.version,
            by=by,
        )
    )
    await tx.notices.add(notice(after, move.comment))
    await tx.audit.record(
        Change(
            actor=move.actor,
            action=DocumentStatusChanged.topic,
            entity_type="document",
            entity_id=str(after.id),
            at=now,
            old={"status": str(before.status)},
            new={"status": str(after.status), "worker_id": after.worker_id, "comment": move.comment},
        )
    )


def notice(document: Document, comment: str | None) -> Notice:
    """Return what the client is told of a document that moved."""
    return Notice(
        kind="documents.status_changed",
        user_id=document.user_id,
        data={
            "document_id": document.id,
            "description": document.description,
            "status": str(document.status),
            "comment": comment or "",
        },
        dedup_key=f"document:{document.id}:{document.version}",
        about=f"document:{document.id}",
    )


def subject(actor: Actor) -> str:
    """Name who did something, as histories show it; the program itself is `system`."""
    return "system" if workflow.SYSTEM_ROLE in actor.roles else actor.subject


USE_CASES = ()
