"""What jobs do for transfers that are over: taking imports back, giving up, forgetting."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from opora.core.jobs.model import Claim, JobState
from opora.core.jobs.ports import JobProgress
from opora.core.kernel.model import SYSTEM, BlobName
from opora.core.kernel.ports import BlobStore, Clock, UnitOfWork
from opora.core.numbers.events.transfers import ImportUndone
from opora.core.numbers.model.numbers import NumberStatus
from opora.core.numbers.model.projects import EVERY_PROJECT
from opora.core.numbers.model.transfers import (
    ENDED,
    EXPORT,
    FETCHED,
    IMPORT,
    MADE,
    UPLOADS,
    MergedRange,
    Transfer,
    TransferPolicy,
)
from opora.core.numbers.ports.transfers import TransferTx, TransferViews
from opora.core.numbers.rules import transfers as rules
from opora.core.numbers.usecases.transfers import change, failed

REMOVED_AT_ONCE = 10_000
EXPIRED_AT_ONCE = 100
ROWS_FORGOTTEN_AT_ONCE = 20_000
STRAY_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class UndoImport:
    """Take back what an import made, as far as nobody has touched it: called, changed or claimed numbers stay."""

    unit: UnitOfWork[TransferTx]
    progress: JobProgress
    clock: Clock

    async def __call__(self, claim: Claim) -> None:
        """Go span by span; the next attempt goes on where this one stopped."""
        transfer_id = UUID(str(claim.payload["transfer_id"]))
        async with self.unit() as tx:
            transfer = await tx.transfers.get(transfer_id, EVERY_PROJECT)
            if transfer is None or transfer.undone_at is not None:
                await tx.jobs.finish(claim)
                return
            spans = await tx.transfers.merged(transfer.number)
        for done, span in enumerate(spans):
            while await self._remove(transfer, span):
                await self.progress.report(claim, done, len(spans))
        await self._finish(claim, transfer)

    async def _remove(self, transfer: Transfer, span: MergedRange) -> bool:
        """Remove some of a span's numbers; tell whether there may be more."""
        async with self.unit() as tx:
            removed = await tx.intake.take_back(transfer.number, span.first_id, span.last_id, REMOVED_AT_ONCE)
            if removed:
                await tx.tally.change(transfer.project_id, {NumberStatus.NEW: -removed})
                await tx.transfers.count_removed(transfer.number, removed)
        return removed == REMOVED_AT_ONCE

    async def _finish(self, claim: Claim, transfer: Transfer) -> None:
        now = self.clock.now()
        async with self.unit() as tx:
            counted = await tx.transfers.get(transfer.id, EVERY_PROJECT)
            undone = (counted or transfer).undo(now)
            await tx.transfers.save(undone, transfer.status)
            await tx.outbox.add(
                ImportUndone(
                    subject=str(transfer.id),
                    at=now,
                    project_id=transfer.project_id,
                    owner=transfer.owner,
                    removed=undone.removed,
                )
            )
            await tx.audit.record(change(SYSTEM, "transfer.undone", undone, now, {"removed": undone.removed}))
            await tx.jobs.finish(claim, {"removed": undone.removed})


@dataclass(frozen=True, slots=True)
class GiveUpTransfer:
    """Mark the transfer of a dead job as failed; served by the event `job.dead`."""

    unit: UnitOfWork[TransferTx]
    clock: Clock
    policy: TransferPolicy

    async def __call__(self, claim: Claim) -> None:
        """Other kinds of jobs and transfers that have ended are let be."""
        died = claim.death([IMPORT, EXPORT])
        async with self.unit() as tx:
            transfer = None if died is None else await tx.transfers.of_job(died)
            if transfer is not None and transfer.status not in ENDED:
                failure = str(claim.event.get("error", ""))
                await give_up(tx, transfer, JobState.DEAD, self.clock.now(), self.policy, failure)
            await tx.jobs.finish(claim)


@dataclass(frozen=True, slots=True)
class ExpireTransfers:
    """Forget files and refused rows past their time, remove stray files, and give up transfers whose job has ended.

    A cron slot runs it. What is removed is removed before it is marked as removed, so that a crash in between repeats
    the removal and loses track of nothing.
    """

    unit: UnitOfWork[TransferTx]
    views: TransferViews
    blobs: BlobStore
    clock: Clock
    policy: TransferPolicy

    async def __call__(self, claim: Claim) -> None:
        """End the job with how many of each there were."""
        counts = {
            "orphans": await self._give_up_orphans(),
            "expired": await self._expire(),
            "strays": sum([await self._remove_strays(folder) for folder in (UPLOADS, FETCHED, MADE)]),
        }
        async with self.unit() as tx:
            await tx.jobs.finish(claim, counts)

    async def _give_up_orphans(self) -> int:
        async with self.unit() as tx:
            orphans = await tx.transfers.orphans(EXPIRED_AT_ONCE)
            for transfer, state in orphans:
                await give_up(tx, transfer, state, self.clock.now(), self.policy)
        return len(orphans)

    async def _expire(self) -> int:
        async with self.unit() as tx:
            transfers = await tx.transfers.expired(self.clock.now(), EXPIRED_AT_ONCE)
        for transfer in transfers:
            await self.blobs.delete(transfer.blob_name)
            while await self._forget_rows(transfer):
                continue
            async with self.unit() as tx:
                await tx.transfers.save(transfer.without_file(), transfer.status)
                await tx.audit.record(change(SYSTEM, "transfer.expired", transfer, self.clock.now()))
        return len(transfers)

    async def _forget_rows(self, transfer: Transfer) -> bool:
        async with self.unit() as tx:
            return await tx.transfers.forget_rows(transfer.number, ROWS_FORGOTTEN_AT_ONCE) == ROWS_FORGOTTEN_AT_ONCE

    async def _remove_strays(self, folder: str) -> int:
        """Remove files of which no transfer that still needs them knows, once they are a day old."""
        removed = 0
        some: list[BlobName] = []
        settled = self.clock.now() - STRAY_AFTER
        async for name in self.blobs.names(folder):
            if made_at(name.id) < settled:
                some.append(name)
            if len(some) == EXPIRED_AT_ONCE:
                removed += await self._remove_unclaimed(some)
                some = []
        return removed + await self._remove_unclaimed(some)

    async def _remove_unclaimed(self, names: Sequence[BlobName]) -> int:
        claimed = await self.views.with_file([name.id for name in names])
        return sum([await self.blobs.delete(name) for name in names if name.id not in claimed])


def made_at(id: UUID) -> datetime:
    """Return the instant that a UUIDv7 tells of."""
    return datetime.fromtimestamp((id.int >> 80) / 1000, UTC)


async def give_up(
    tx: TransferTx, transfer: Transfer, state: JobState, now: datetime, policy: TransferPolicy, failure: str = ""
) -> None:
    """Write that a transfer's job ended without a result, and announce it; `failure` is what its last attempt met."""
    error, code = rules.end_without_result(state, failure)
    ended = transfer.cancel(now, policy) if state is JobState.CANCELLED else transfer.fail(error, code, now, policy)
    await tx.transfers.save(ended, transfer.status)
    await tx.outbox.add(failed(ended, error, now))
    await tx.audit.record(change(SYSTEM, f"transfer.{ended.status}", ended, now, {"error": error}))


USE_CASES = (UndoImport, GiveUpTransfer, ExpireTransfers)
