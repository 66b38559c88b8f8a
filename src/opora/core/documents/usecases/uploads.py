"""A document comes in: judged, scanned, stored, then written down."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime

from opora.core.documents.errors import NoSuchCategory, NoSuchClient, ScannerUnavailable
from opora.core.documents.events import DocumentUploaded
from opora.core.documents.model.documents import FOLDER, Document, DocumentView, ScanState
from opora.core.documents.model.files import DocumentWish, FileFacts, Received
from opora.core.documents.model.policies import Desk, UploadPolicy
from opora.core.documents.model.reference import Category
from opora.core.documents.model.statuses import DocumentStatus
from opora.core.documents.ports.documents import DocumentTx, DocumentViews
from opora.core.documents.ports.files import FileJudge, Intake, VirusScanner
from opora.core.documents.ports.reference import ClientViews, ReferenceViews
from opora.core.documents.rules import uploads as rules
from opora.core.documents.rules import workflow
from opora.core.documents.usecases.moving import Move, carry_out, record, subject
from opora.core.jobs.model import Claim, NewJob
from opora.core.kernel.errors import NoSuchBlob, StorageUnavailable
from opora.core.kernel.model import SYSTEM, Actor, Blob, BlobName, Change
from opora.core.kernel.ports import BlobStore, Clock, Identifiers, UnitOfWork

SCAN = "documents.scan"
"""The kind of the job that asks a scanner again which did not answer."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A document that is there after an upload; `is_new` unless the same bytes had come before."""

    view: DocumentView
    is_new: bool


@dataclass(frozen=True, slots=True)
class UploadDocument:
    """Take a client's document in.

    The file is judged before the store of files has it, and is in the store before the row that names it: a crash
    leaves a file that nothing names, which is swept, and never a row without its file.
    """

    unit: UnitOfWork[DocumentTx]
    views: DocumentViews
    lists: ReferenceViews
    clients: ClientViews
    intake: Intake
    judge: FileJudge
    scanner: VirusScanner
    blobs: BlobStore
    identifiers: Identifiers
    clock: Clock
    desk: Desk
    policy: UploadPolicy

    async def __call__(self, actor: Actor, user_id: int, wish: DocumentWish, received: Received) -> Taken:
        """Return the document: the one that has these bytes already, where the same client sent them before in the
        same category. Raises InvalidDocument, NoSuchCategory, NoSuchClient or what the file is refused for.
        """
        rules.refuse_bad_wish(wish)
        category = await self.lists.category(wish.category)
        if category is None:
            raise NoSuchCategory(errors={"category": ["is none of the bank's; GET /documents/categories lists them"]})
        if user_id not in await self.clients.exist([user_id]):
            raise NoSuchClient(user_id=user_id)
        twin = await self.views.twin(user_id, received.sha256, category.id)
        if twin is not None:
            return Taken(twin, is_new=False)
        facts = await self.judge.examine(received)
        scan = await scanned(self.scanner, self.intake.content(received))
        name = BlobName(FOLDER, self.identifiers.task_id())
        blob = await self.blobs.put(name, self.intake.content(received), self.policy.size_max)
        if blob.sha256 != received.sha256:
            raise StorageUnavailable("The store holds other bytes than those that were sent.")
        taken = await self._keep(actor, user_id, wish, category, facts, scan, blob)
        if not taken.is_new:
            await self.blobs.delete(name)
        return taken

    async def _keep(
        self,
        actor: Actor,
        user_id: int,
        wish: DocumentWish,
        category: Category,
        facts: FileFacts,
        scan: ScanState,
        blob: Blob,
    ) -> Taken:
        now = self.clock.now()
        async with self.unit() as tx:
            document = Document(
                id=await tx.documents.next_id(),
                user_id=user_id,
                category_id=category.id,
                description=wish.description.strip(),
                uploaded_at=now,
                uploaded_by=subject(actor),
                actual_date=wish.actual_date,
                actual_end_date=wish.actual_end_date,
                plan_maturity_date=workflow.planned(now, category, self.desk.calendar),
                blob_id=blob.name.id,
                file_name=wish.file_name,
                media_type=facts.media_type,
                size=blob.size,
                sha256=blob.sha256,
                pages=facts.pages,
                scan=scan,
                moved_at=now,
                moved_by=subject(actor),
            )
            if not await tx.documents.add(document, facts.text):
                twin = await tx.documents.twin(user_id, blob.sha256, category.id)
                return Taken(DocumentView(document=twin or document, category=category.name), is_new=False)
            document = await welcome(tx, document, actor, now, self.desk)
        return Taken(DocumentView(document=document, category=category.name), is_new=True)


async def welcome(tx: DocumentTx, document: Document, actor: Actor, now: datetime, desk: Desk) -> Document:
    """Write and announce that a document came in; put it in quarantine, or have it scanned, where that is due."""
    await record(tx, None, document, Move(target=document.status, actor=actor), now)
    await tx.outbox.add(
        DocumentUploaded(
            subject=document.id,
            at=now,
            user_id=document.user_id,
            category_id=document.category_id,
            sha256=document.sha256,
        )
    )
    new = {"user_id": document.user_id, "category_id": document.category_id, "sha256": document.sha256}
    await tx.audit.record(change(actor, DocumentUploaded.topic, document, now, new))
    if document.scan is ScanState.WAITING:
        request_id = actor.origin.request_id
        await tx.jobs.add(NewJob(kind=SCAN, payload={"document_id": document.id}, request_id=request_id))
    if document.scan is ScanState.INFECTED:
        return await quarantine(tx, document, now, desk)
    return document


async def quarantine(tx: DocumentTx, document: Document, now: datetime, desk: Desk) -> Document:
    """Move an infected document out of reach."""
    move = Move(target=DocumentStatus.QUARANTINED, actor=SYSTEM, comment="the virus scanner found harmful software")
    return await carry_out(tx, document, move, now, desk)


async def scanned(scanner: VirusScanner, content: AsyncIterator[bytes]) -> ScanState:
    """Return what the scanner says; `waiting` where it does not answer."""
    try:
        verdict = await scanner.scan(content)
    except ScannerUnavailable:
        return ScanState.WAITING
    return ScanState.CLEAN if verdict.is_clean else ScanState.INFECTED


@dataclass(frozen=True, slots=True)
class ScanDocument:
    """Ask the scanner again about a document that it did not judge when it came in; a job."""

    unit: UnitOfWork[DocumentTx]
    views: DocumentViews
    scanner: VirusScanner
    blobs: BlobStore
    clock: Clock
    desk: Desk

    async def __call__(self, claim: Claim) -> None:
        """A document that went, or was judged, is let be; raises ScannerUnavailable, and then is tried again."""
        document = await self.views.unscanned(int(str(claim.payload["document_id"])))
        scan = None if document is None else await self._judged(document)
        async with self.unit() as tx:
            if document is not None and scan is not None:
                now = self.clock.now()
                judged = replace(document, scan=scan)
                if scan is ScanState.INFECTED:
                    await quarantine(tx, judged, now, self.desk)
                else:
                    await tx.documents.save(judged.changed(), document.version)
            await tx.jobs.finish(claim, {"scan": str(scan)})

    async def _judged(self, document: Document) -> ScanState | None:
        try:
            verdict = await self.scanner.scan(await self.blobs.open(document.blob_name))
        except NoSuchBlob:
            return None
        return ScanState.CLEAN if verdict.is_clean else ScanState.INFECTED


def change(
    actor: Actor,
    action: str,
    document: Document,
    at: datetime,
    new: dict[str, object] | None = None,
    old: dict[str, object] | None = None,
) -> Change:
    """The audit entry of something that happened to a document."""
    return Change(
        actor=actor, action=action, entity_type="document", entity_id=str(document.id), at=at, old=old, new=new
    )


USE_CASES = (UploadDocument, ScanDocument)
