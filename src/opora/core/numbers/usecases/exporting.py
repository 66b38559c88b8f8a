"""The job of an export: a table written piece by piece, to the drop or into a file for download."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from uuid import UUID

from opora.core.jobs.model import Claim
from opora.core.jobs.ports import JobProgress
from opora.core.kernel.errors import DomainError, Invalid, NotFound, TooLarge
from opora.core.kernel.model import SYSTEM, Blob
from opora.core.kernel.ports import BlobStore, Clock, UnitOfWork
from opora.core.numbers.events.transfers import TransferCompleted
from opora.core.numbers.model.projects import EVERY_PROJECT
from opora.core.numbers.model.tables import TableFormat
from opora.core.numbers.model.transfers import ENDED, Channel, Tally, Transfer, TransferPolicy
from opora.core.numbers.ports.drops import FileDrop
from opora.core.numbers.ports.tables import WorkbookWriter
from opora.core.numbers.ports.transfers import NumberTables, TransferTx
from opora.core.numbers.rules import transfers as rules
from opora.core.numbers.usecases.transfers import change, failed

HOPELESS = (Invalid, NotFound, TooLarge)
"""What no other attempt would mend."""


@dataclass(slots=True)
class Writing:
    """One attempt at an export: how many numbers were written, of about how many."""

    claim: Claim
    transfer: Transfer
    expected: int
    written: int = 0
    blob: Blob | None = field(default=None)


@dataclass(frozen=True, slots=True)
class ExportNumbers:
    """Carry an export out: nobody sees a part of the file, and any number of attempts leave one."""

    unit: UnitOfWork[TransferTx]
    tables: NumberTables
    workbooks: WorkbookWriter
    blobs: BlobStore
    drop: FileDrop
    progress: JobProgress
    clock: Clock
    policy: TransferPolicy

    async def __call__(self, claim: Claim) -> None:
        """What the drop refuses ends the export as failed, for no retry mends it."""
        transfer = await self._start(claim)
        if transfer is None:
            return
        try:
            writing = await self._write(claim, transfer)
        except HOPELESS as error:
            await self._fail(claim, transfer, error)
        else:
            await self._complete(writing)

    async def _start(self, claim: Claim) -> Transfer | None:
        async with self.unit() as tx:
            transfer = await tx.transfers.get(UUID(str(claim.payload["transfer_id"])), EVERY_PROJECT)
            if transfer is None or (transfer.status in ENDED and transfer.error_code != "gave_up"):
                await tx.jobs.finish(claim)
                return None
            started = transfer.start(claim.attempt, self.clock.now())
            await tx.transfers.save(started, transfer.status)
        return started

    async def _write(self, claim: Claim, transfer: Transfer) -> Writing:
        expected = await self.tables.count(rules.wanted(transfer))
        writing = Writing(claim, transfer, expected)
        async with aclosing(self._pieces(writing)) as pieces:
            if transfer.channel is Channel.SFTP:
                await self.drop.write(transfer.file_name, pieces)
            else:
                writing.blob = await self.blobs.put(transfer.blob_name, pieces, self.policy.size_max)
        return writing

    async def _pieces(self, writing: Writing) -> AsyncGenerator[bytes]:
        """Yield the file in its format."""
        rows = self._rows(writing)
        if writing.transfer.format is TableFormat.XLSX:
            rows = self.workbooks.workbook(rows)
        async with aclosing(rows):
            async for piece in rows:
                yield piece

    async def _rows(self, writing: Writing) -> AsyncGenerator[bytes]:
        """Yield the table as CSV, and tell how far it is."""
        async with aclosing(self.tables.csv(rules.wanted(writing.transfer))) as pieces:
            async for piece, numbers in pieces:
                writing.written += numbers
                yield piece
                await self.progress.report(writing.claim, writing.written, max(writing.expected, writing.written))

    async def _complete(self, writing: Writing) -> None:
        now = self.clock.now()
        async with self.unit() as tx:
            await tx.transfers.record(writing.transfer, Tally(records=writing.written))
            counted = rules.unended(await tx.transfers.get(writing.transfer.id, EVERY_PROJECT))
            completed = counted.complete(now, self.policy, writing.blob)
            await tx.transfers.save(completed, counted.status)
            await tx.outbox.add(
                TransferCompleted(
                    subject=str(completed.id),
                    at=now,
                    kind=completed.kind,
                    project_id=completed.project_id,
                    owner=completed.owner,
                    records=completed.records,
                    created=0,
                )
            )
            new = {"records": completed.records, "size": completed.size, "sha256": completed.sha256}
            await tx.audit.record(change(SYSTEM, "transfer.completed", completed, now, new))
            await tx.jobs.finish(writing.claim, {"records": completed.records})

    async def _fail(self, claim: Claim, transfer: Transfer, error: DomainError) -> None:
        now = self.clock.now()
        ended = transfer.fail(str(error), error.code, now, self.policy)
        async with self.unit() as tx:
            await tx.transfers.save(ended, transfer.status)
            await tx.outbox.add(failed(ended, str(error), now))
            await tx.audit.record(change(SYSTEM, "transfer.failed", ended, now, {"error": error.code}))
            await tx.jobs.finish(claim, {"error": error.code})


USE_CASES = (ExportNumbers,)
