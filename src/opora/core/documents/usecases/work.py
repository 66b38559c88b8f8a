"""What people do with a document that is there: describe, delete, hold, move, read."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

from opora.core.documents.errors import (
    DocumentHeld,
    DocumentPurged,
    DocumentQuarantined,
    InvalidDocument,
    NoSuchDocument,
    NotScanned,
)
from opora.core.documents.events import DocumentDeleted
from opora.core.documents.model.documents import EVERYONES, Document, ScanState
from opora.core.documents.model.links import DownloadLink, LinkPolicy
from opora.core.documents.model.policies import Desk
from opora.core.documents.model.statuses import DocumentStatus
from opora.core.documents.ports.documents import DocumentTx, DocumentViews
from opora.core.documents.ports.reference import ClientViews
from opora.core.documents.rules import links, workflow
from opora.core.documents.rules.uploads import DESCRIPTION_MAX, reach
from opora.core.documents.usecases.moving import Move, carry_out
from opora.core.documents.usecases.uploads import change
from opora.core.kernel.errors import NoSuchBlob
from opora.core.kernel.model import Actor
from opora.core.kernel.ports import BlobStore, Clock, UnitOfWork
from opora.core.kernel.rules import instant


@dataclass(frozen=True, slots=True)
class DescribeDocument:
    """Say anew what a document is."""

    unit: UnitOfWork[DocumentTx]
    clock: Clock

    async def __call__(self, actor: Actor, id: int, description: str) -> Document:
        """Return the document; raises NoSuchDocument, InvalidDocument."""
        said = description.strip()
        if not 1 <= len(said) <= DESCRIPTION_MAX:
            raise InvalidDocument(errors={"description": [f"has 1 to {DESCRIPTION_MAX} characters"]})
        now = self.clock.now()
        async with self.unit() as tx:
            document = await held(tx, id, actor)
            after = document.changed(description=said)
            await tx.documents.save(after, document.version)
            old, new = {"description": document.description}, {"description": said}
            await tx.audit.record(change(actor, "document.described", document, now, dict(new), dict(old)))
        return after


@dataclass(frozen=True, slots=True)
class DeleteDocument:
    """Take a document back before the bank works on it, or after it came to nothing."""

    unit: UnitOfWork[DocumentTx]
    clock: Clock

    async def __call__(self, actor: Actor, id: int) -> None:
        """Raise NoSuchDocument, DocumentInUse, DocumentHeld. The file goes with the next sweep."""
        now = self.clock.now()
        async with self.unit() as tx:
            document = await held(tx, id, actor)
            workflow.refuse_deletion(document)
            if document.is_held:
                raise DocumentHeld
            await tx.documents.save(document.changed(deleted_at=now), document.version)
            await tx.outbox.add(DocumentDeleted(subject=id, at=now, user_id=document.user_id))
            await tx.audit.record(
                change(actor, DocumentDeleted.topic, document, now, None, {"sha256": document.sha256})
            )


@dataclass(frozen=True, slots=True)
class HoldDocument:
    """Keep a document as evidence, whatever its retention says, or let it go again."""

    unit: UnitOfWork[DocumentTx]
    clock: Clock

    async def __call__(self, actor: Actor, id: int, is_held: bool, reason: str) -> Document:
        """Return the document; raises NoSuchDocument, DocumentPurged where the file is gone already."""
        async with self.unit() as tx:
            document = await held(tx, id, actor)
            if document.is_file_removed:
                raise DocumentPurged
            after = document.changed(is_held=is_held)
            await tx.documents.save(after, document.version)
            action = "document.held" if is_held else "document.released"
            await tx.audit.record(change(actor, action, document, self.clock.now(), {"reason": reason}))
        return after


@dataclass(frozen=True, slots=True)
class ChangeStatus:
    """Move a document along its workflow."""

    unit: UnitOfWork[DocumentTx]
    clients: ClientViews
    clock: Clock
    desk: Desk

    async def __call__(
        self, actor: Actor, id: int, target: DocumentStatus, named: int | None = None, comment: str | None = None
    ) -> tuple[Document, int | None]:
        """Return the document and whose work the move was.

        Raises NotTheWorker, NoSuchDocument and whatever refuses a move. Where the bank's system was the quicker one,
        that is no refusal: the document is where the caller wanted it.
        """
        worker_id = workflow.acting_worker(actor, named)
        if named is not None and named not in await self.clients.exist([named]):
            raise InvalidDocument(errors={"worker_id": ["is nobody"]})
        move = Move(target=target, actor=actor, worker_id=worker_id, comment=comment)
        async with self.unit() as tx:
            document = await held(tx, id, actor)
            if workflow.was_quicker(document, target):
                return document, worker_id
            return await carry_out(tx, document, move, self.clock.now(), self.desk), worker_id


@dataclass(frozen=True, slots=True)
class DownloadDocument:
    """Hand out a document's file, to who may see it or who holds a link."""

    views: DocumentViews
    blobs: BlobStore
    clock: Clock
    policy: LinkPolicy

    async def find(self, actor: Actor, id: int) -> Document:
        """Return the document; raises NoSuchDocument, or what keeps its file from being read."""
        view = await self.views.one(id, reach(actor))
        if view is None:
            raise NoSuchDocument(document_id=id)
        refuse_unreadable(view.document)
        return view.document

    async def follow(self, id: int, expires: int, signature: str) -> Document:
        """Return the document of a link; raises LinkInvalid, LinkExpired, or what keeps its file from being read."""
        view = await self.views.one(id, EVERYONES)
        if view is None:
            raise NoSuchDocument
        links.refuse_bad_link(view.document, expires, signature, self.clock.now(), self.policy)
        refuse_unreadable(view.document)
        return view.document

    async def read(self, document: Document, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """Return the bytes of a range; raises DocumentPurged where the file went meanwhile."""
        try:
            return await self.blobs.open(document.blob_name, start, length)
        except NoSuchBlob as error:
            raise DocumentPurged from error


@dataclass(frozen=True, slots=True)
class OfferLink:
    """Give out a link that lets its holder read a file for a while."""

    unit: UnitOfWork[DocumentTx]
    clock: Clock
    policy: LinkPolicy

    async def __call__(self, actor: Actor, id: int, holds_for: timedelta | None = None) -> DownloadLink:
        """Return the link; raises NoSuchDocument, InvalidDocument, or what keeps the file from being read."""
        now = self.clock.now()
        async with self.unit() as tx:
            document = await held(tx, id, actor)
            refuse_unreadable(document)
            link = links.signed(document, now, holds_for, self.policy)
            new: dict[str, object] = {"expires_at": instant(link.expires_at)}
            await tx.audit.record(change(actor, "document.link_offered", document, now, new))
        return link


async def held(tx: DocumentTx, id: int, actor: Actor) -> Document:
    """Return a document within the caller's reach, locked; raises NoSuchDocument."""
    document = await tx.documents.get(id, reach(actor))
    if document is None:
        raise NoSuchDocument(document_id=id)
    return document


def refuse_unreadable(document: Document) -> None:
    """Raise DocumentPurged, DocumentQuarantined or NotScanned unless the file may be handed out."""
    if document.is_file_removed:
        raise DocumentPurged
    if document.scan is ScanState.INFECTED:
        raise DocumentQuarantined
    if document.scan is ScanState.WAITING:
        raise NotScanned


USE_CASES = (DescribeDocument, DeleteDocument, HoldDocument, ChangeStatus, DownloadDocument, OfferLink)
