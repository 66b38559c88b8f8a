"""What people can do with imports and exports of numbers; jobs carry them out."""

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from opora.core.jobs.model import JobState, NewJob
from opora.core.kernel.errors import NoSuchBlob
from opora.core.kernel.model import Actor, Blob, BlobName, Change
from opora.core.kernel.ports import BlobStore, Clock, Identifiers, UnitOfWork
from opora.core.numbers.errors.projects import NoSuchProject, NoSuchProvider
from opora.core.numbers.errors.transfers import NoSuchTransfer, TransferEnded, TransferExpired
from opora.core.numbers.events.transfers import TransferFailed, TransferRequested
from opora.core.numbers.model.tables import Reading, RefusedRow, TableFormat
from opora.core.numbers.model.transfers import (
    ENDED,
    EXPORT,
    IMPORT,
    UNDO,
    UPLOADS,
    Channel,
    ExportWish,
    ImportWish,
    Transfer,
    TransferKind,
    TransferPolicy,
)
from opora.core.numbers.ports.tables import TableReader
from opora.core.numbers.ports.transfers import TransferTx, TransferViews
from opora.core.numbers.rules import transfers as rules
from opora.core.numbers.rules.reach import reach

JOBS = {TransferKind.IMPORT: IMPORT, TransferKind.EXPORT: EXPORT}
ATTEMPTS_MAX = 15
"""Tried for some twenty minutes: a partner's server restarts, a disk is given room."""


@dataclass(frozen=True, slots=True)
class KeepUpload:
    """Keep a file that somebody sends, until an import of it is asked for."""

    blobs: BlobStore
    identifiers: Identifiers

    async def __call__(self, content: AsyncIterable[bytes], size_max: int) -> Blob:
        """Raise BlobTooLarge; nothing is left of a file that breaks off."""
        return await self.blobs.put(BlobName(UPLOADS, self.identifiers.task_id()), content, size_max)

    async def forget(self, upload: Blob) -> None:
        """Remove a file of which no import came."""
        await self.blobs.delete(upload.name)


@dataclass(frozen=True, slots=True)
class RequestImport:
    """Ask for an import: of a file on the drop, or of one that was sent."""

    unit: UnitOfWork[TransferTx]
    tables: TableReader
    blobs: BlobStore
    identifiers: Identifiers
    clock: Clock
    policy: TransferPolicy

    async def __call__(self, actor: Actor, wish: ImportWish, upload: Blob | None = None) -> Transfer:
        """Raise NoSuchProject, NoSuchProvider; of a file that was sent also what is wrong with its beginning.

        A file on the drop is looked at when its job fetches it.
        """
        format = None if upload is None else await self._look(wish, upload)
        transfer_id = self.identifiers.task_id() if upload is None else upload.name.id
        async with self.unit() as tx:
            await refuse_foreign(tx, actor, wish.project_id)
            if wish.provider_id is not None and await tx.providers.get(wish.provider_id) is None:
                raise NoSuchProvider(provider_id=wish.provider_id)
            transfer = Transfer(
                id=transfer_id,
                number=await tx.transfers.next_number(),
                job_id=await tx.jobs.add(job_of(TransferKind.IMPORT, transfer_id, actor)),
                kind=TransferKind.IMPORT,
                channel=Channel.SFTP if upload is None else Channel.UPLOAD,
                project_id=wish.project_id,
                owner=actor.subject,
                file_name=wish.file_name,
                format=format,
                provider_id=wish.provider_id,
                mapping=wish.mapping,
                requested_at=self.clock.now(),
                size=None if upload is None else upload.size,
                sha256=None if upload is None else upload.sha256,
            )
            await announce(tx, actor, transfer)
        return transfer

    async def _look(self, wish: ImportWish, upload: Blob) -> TableFormat:
        content = await self.blobs.open(upload.name)
        reading = Reading(rows_max=self.policy.rows_max, range_rows=1, mapping=wish.mapping, region=self.policy.region)
        return (await self.tables.head(content, reading)).format


@dataclass(frozen=True, slots=True)
class RequestExport:
    """Ask for an export: to the drop, or into a file for download."""

    unit: UnitOfWork[TransferTx]
    identifiers: Identifiers
    clock: Clock

    async def __call__(self, actor: Actor, wish: ExportWish) -> Transfer:
        """Raise NoSuchProject."""
        transfer_id = self.identifiers.task_id()
        async with self.unit() as tx:
            await refuse_foreign(tx, actor, wish.project_id)
            transfer = Transfer(
                id=transfer_id,
                number=await tx.transfers.next_number(),
                job_id=await tx.jobs.add(job_of(TransferKind.EXPORT, transfer_id, actor)),
                kind=TransferKind.EXPORT,
                channel=wish.channel,
                project_id=wish.project_id,
                owner=actor.subject,
                file_name=wish.file_name,
                format=wish.format,
                filter=wish.filter,
                requested_at=self.clock.now(),
            )
            await announce(tx, actor, transfer)
        return transfer


@dataclass(frozen=True, slots=True)
class CancelTransfer:
    """Stop a transfer that waits or runs; numbers that an import has brought in so far stay, and can be taken back."""

    unit: UnitOfWork[TransferTx]
    clock: Clock
    policy: TransferPolicy

    async def __call__(self, actor: Actor, id: UUID) -> Transfer:
        """Raise NoSuchTransfer, or TransferEnded."""
        now = self.clock.now()
        async with self.unit() as tx:
            transfer = await tx.transfers.get(id, reach(actor))
            if transfer is None:
                raise NoSuchTransfer(transfer_id=str(id))
            if transfer.status in ENDED:
                raise TransferEnded(transfer_status=str(transfer.status))
            job = await tx.jobs.get(transfer.job_id)
            if job is not None and job.state is JobState.QUEUED:
                await tx.jobs.move(job, JobState.CANCELLED)
            else:
                await tx.jobs.request_cancel(transfer.job_id)
            cancelled = transfer.cancel(now, self.policy)
            await tx.transfers.save(cancelled, transfer.status)
            await tx.outbox.add(failed(cancelled, rules.CANCELLED, now))
            await tx.audit.record(change(actor, "transfer.cancelled", cancelled, now))
        return cancelled


@dataclass(frozen=True, slots=True)
class RequestUndo:
    """Ask for what an import made to be taken back, as far as nobody has touched it; a job does it."""

    unit: UnitOfWork[TransferTx]
    clock: Clock

    async def __call__(self, actor: Actor, id: UUID) -> Transfer:
        """Raise NoSuchTransfer, or TransferTouched where there is nothing to take back; asking twice is asking once."""
        async with self.unit() as tx:
            transfer = await tx.transfers.get(id, reach(actor))
            if transfer is None:
                raise NoSuchTransfer(transfer_id=str(id))
            rules.refuse_undo(transfer)
            job = NewJob(
                kind=UNDO,
                payload={"transfer_id": str(id)},
                dedup_key=f"{UNDO}:{id}",
                request_id=actor.origin.request_id,
            )
            await tx.jobs.add(job)
            await tx.audit.record(change(actor, "transfer.undo_requested", transfer, self.clock.now()))
        return transfer


@dataclass(frozen=True, slots=True)
class ReadTransferFiles:
    """Read what a transfer leaves behind: the file of an export, the refused rows of an import."""

    views: TransferViews
    blobs: BlobStore
    clock: Clock

    async def file(self, actor: Actor, id: UUID) -> Transfer:
        """Return the transfer whose file can be read; raises NoSuchTransfer, TransferNotReady or TransferExpired."""
        transfer = await self._one(actor, id)
        rules.refuse_undownloadable(transfer, self.clock.now())
        return transfer

    async def read(self, transfer: Transfer, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """Return the bytes of a range; raises TransferExpired where the file went meanwhile."""
        try:
            return await self.blobs.open(transfer.blob_name, start, length)
        except NoSuchBlob as error:
            raise TransferExpired from error

    async def refused(self, actor: Actor, id: UUID) -> AsyncGenerator[Sequence[RefusedRow]]:
        """Return the refused rows by line; raises NoSuchTransfer, TransferNotReady or TransferExpired."""
        transfer = await self._one(actor, id)
        rules.refuse_no_rows(transfer)
        return self.views.refused(transfer.number)

    async def _one(self, actor: Actor, id: UUID) -> Transfer:
        report = await self.views.one(id, reach(actor))
        if report is None:
            raise NoSuchTransfer(transfer_id=str(id))
        return report.transfer


def job_of(kind: TransferKind, transfer_id: UUID, actor: Actor) -> NewJob:
    """The job that carries a transfer out."""
    return NewJob(
        kind=JOBS[kind],
        payload={"transfer_id": str(transfer_id)},
        request_id=actor.origin.request_id,
        attempts_max=ATTEMPTS_MAX,
    )


async def refuse_foreign(tx: TransferTx, actor: Actor, project_id: int) -> None:
    """Raise NoSuchProject unless the caller was granted the project and it is not deleted."""
    if await tx.projects.get(project_id, reach(actor)) is None:
        raise NoSuchProject(project_id=project_id)


async def announce(tx: TransferTx, actor: Actor, transfer: Transfer) -> None:
    """Keep a new transfer, with its event and its audit entry."""
    await tx.transfers.add(transfer)
    now = transfer.requested_at
    await tx.outbox.add(
        TransferRequested(
            subject=str(transfer.id), at=now, kind=transfer.kind, project_id=transfer.project_id, owner=transfer.owner
        )
    )
    new = {
        "project_id": transfer.project_id,
        "file_name": transfer.file_name,
        "channel": str(transfer.channel),
        "provider_id": transfer.provider_id,
        "filter": dict(transfer.filter),
    }
    await tx.audit.record(change(actor, f"transfer.{transfer.kind}_requested", transfer, now, new))


def failed(transfer: Transfer, error: str, now: datetime) -> TransferFailed:
    """The event of a transfer that came to nothing."""
    return TransferFailed(
        subject=str(transfer.id),
        at=now,
        kind=transfer.kind,
        project_id=transfer.project_id,
        owner=transfer.owner,
        error=error,
    )


def change(
    actor: Actor, action: str, transfer: Transfer, at: datetime, new: Mapping[str, object] | None = None
) -> Change:
    """The audit entry of something that happened to a transfer."""
    return Change(actor=actor, action=action, entity_type="transfer", entity_id=str(transfer.id), at=at, new=new)


USE_CASES = (KeepUpload, RequestImport, RequestExport, CancelTransfer, RequestUndo, ReadTransferFiles)
