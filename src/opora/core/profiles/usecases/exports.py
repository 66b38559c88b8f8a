"""What people can do with exports, and what jobs do for them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import batched
from uuid import UUID

from opora.core.jobs.model import Claim, JobState, NewJob
from opora.core.jobs.ports import JobProgress
from opora.core.kernel.errors import BlobTooLarge, NoSuchBlob
from opora.core.kernel.model import SYSTEM, Actor, Blob, BlobName, Change
from opora.core.kernel.ports import BlobStore, Clock, Identifiers, UnitOfWork
from opora.core.profiles.errors import ExportExpired, NoSuchExport, NoSuchProfile, ProfileGone
from opora.core.profiles.events import ExportCompleted, ExportFailed
from opora.core.profiles.model.exports import (
    EVERYONES,
    FOLDER,
    RENDER,
    Export,
    ExportFormat,
    ExportPolicy,
    ExportStatus,
    ExportWish,
    requested,
)
from opora.core.profiles.ports.exports import ExportTx, ExportViews, ProfilePayloads, ProfileSheets
from opora.core.profiles.rules import exports as rules
from opora.core.profiles.rules import keeping

PAYLOADS_AT_ONCE = 100
EXPIRED_AT_ONCE = 200
SETTLED_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class RequestExport:
    """Ask for a file of profiles; a job makes it."""

    unit: UnitOfWork[ExportTx]
    payloads: ProfilePayloads
    identifiers: Identifiers
    clock: Clock

    async def __call__(self, actor: Actor, wish: ExportWish) -> Export:
        """Raise NoSuchProfile for the first one that does not exist, was deleted or is not the caller's."""
        visible = await self.payloads.visible(wish.profile_ids, keeping.reach(actor))
        for profile_id in wish.profile_ids:
            if profile_id not in visible:
                raise NoSuchProfile(profile_id=profile_id)
        export_id = self.identifiers.task_id()
        job = NewJob(kind=RENDER, payload={"export_id": str(export_id)}, request_id=actor.origin.request_id)
        async with self.unit() as tx:
            export = requested(export_id, await tx.jobs.add(job), actor, wish, self.clock.now())
            await tx.exports.add(export)
            new = {"format": str(wish.format), "profile_ids": list(wish.profile_ids)}
            await tx.audit.record(change(actor, "export.requested", export, export.requested_at, new))
        return export


@dataclass(frozen=True, slots=True)
class RenderExport:
    """Make the file of an export, store it, and end export and job in one transaction.

    The file's name is the export's id and its bytes depend on nothing else, so that any number of attempts, even at
    once, leave one file.
    """

    unit: UnitOfWork[ExportTx]
    payloads: ProfilePayloads
    sheets: ProfileSheets
    blobs: BlobStore
    progress: JobProgress
    clock: Clock
    policy: ExportPolicy

    async def __call__(self, claim: Claim) -> None:
        """A profile that went and a file too large end the export as failed, for no retry mends them."""
        export = await self._start(claim)
        if export is None:
            return
        try:
            blob = await self._make(claim, export)
        except (ProfileGone, BlobTooLarge) as error:
            await fail(self.unit, claim, export, str(error), self.clock)
        else:
            await self._complete(claim, export, blob)

    async def _start(self, claim: Claim) -> Export | None:
        async with self.unit() as tx:
            export = await tx.exports.get(UUID(str(claim.payload["export_id"])))
            if export is None or export.status is ExportStatus.COMPLETED:
                await tx.jobs.finish(claim)
                return None
            if export.status is ExportStatus.RUNNING:  # an earlier attempt was cut off
                return export
            started = export.start()
            await tx.exports.save(started, export.status)
        return started

    async def _make(self, claim: Claim, export: Export) -> Blob:
        content = self._json(claim, export) if export.format is ExportFormat.JSON else self._pdf(claim, export)
        return await self.blobs.put(export.blob_name, content, self.policy.size_max)

    async def _json(self, claim: Claim, export: Export) -> AsyncIterator[bytes]:
        opening = b"["
        done = 0
        async for documents in self._documents(export):
            yield opening + b",\n".join(documents)
            opening = b",\n"
            done += len(documents)
            await self.progress.report(claim, done, len(export.profile_ids))
        yield b"]\n"

    async def _pdf(self, claim: Claim, export: Export) -> AsyncIterator[bytes]:
        async def told(done: int) -> None:
            await self.progress.report(claim, done, len(export.profile_ids))

        documents = [document async for some in self._documents(export) for document in some]
        yield await self.sheets.render(documents, told)

    async def _documents(self, export: Export) -> AsyncIterator[list[bytes]]:
        for ids in batched(export.profile_ids, PAYLOADS_AT_ONCE):
            found = await self.payloads.fetch(ids, EVERYONES)
            for profile_id in ids:
                if profile_id not in found:
                    raise ProfileGone(f"Profile {profile_id} was deleted before the file was made.")
            yield [found[profile_id] for profile_id in ids]

    async def _complete(self, claim: Claim, export: Export, blob: Blob) -> None:
        now = self.clock.now()
        completed = export.complete(blob, now, self.policy)
        async with self.unit() as tx:
            await tx.exports.save(completed, export.status)
            await tx.outbox.add(ExportCompleted(subject=str(export.id), at=now, owner=export.owner, size=blob.size))
            new = {"status": "completed", "size": blob.size, "sha256": blob.sha256}
            await tx.audit.record(change(SYSTEM, "export.completed", export, now, new))
            await tx.jobs.finish(claim, {"size": blob.size})


@dataclass(frozen=True, slots=True)
class GiveUpExport:
    """Mark the export of a dead job as failed; served by the event `job.dead`."""

    unit: UnitOfWork[ExportTx]
    clock: Clock

    async def __call__(self, claim: Claim) -> None:
        """Other kinds of jobs and exports that have ended are let be."""
        died = claim.death([RENDER])
        async with self.unit() as tx:
            export = None if died is None else await tx.exports.of_job(died)
            if export is not None and export.status in {ExportStatus.QUEUED, ExportStatus.RUNNING}:
                await record_failure(tx, export, rules.end_without_file(JobState.DEAD), self.clock)
            await tx.jobs.finish(claim)


@dataclass(frozen=True, slots=True)
class DownloadExport:
    """Read the file of a completed export."""

    views: ExportViews
    blobs: BlobStore
    clock: Clock

    async def find(self, actor: Actor, id: UUID) -> Export:
        """Return the export; raises NoSuchExport, ExportNotReady or ExportExpired."""
        report = await self.views.one(id, keeping.reach(actor))
        if report is None:
            raise NoSuchExport(export_id=str(id))
        rules.refuse_unready(report.export, self.clock.now())
        return report.export

    async def read(self, export: Export, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """Return the bytes of a range; raises ExportExpired where the file went meanwhile."""
        try:
            return await self.blobs.open(export.blob_name, start, length)
        except NoSuchBlob as error:
            raise ExportExpired from error


@dataclass(frozen=True, slots=True)
class ExpireExports:
    """Remove files past their time and what no export has a claim on; give up exports whose job has ended.

    A cron slot runs it. A file is removed before it is marked as removed, so that a crash in between repeats the
    removal and loses track of nothing.
    """

    unit: UnitOfWork[ExportTx]
    views: ExportViews
    blobs: BlobStore
    clock: Clock

    async def __call__(self, claim: Claim) -> None:
        """End the job with how many of each there were."""
        counts = {
            "expired": await self._expire(),
            "strays": await self._remove_strays(),
            "unfinished": await self.blobs.sweep(SETTLED_AFTER.total_seconds()),
            "orphans": await self._give_up_orphans(),
        }
        async with self.unit() as tx:
            await tx.jobs.finish(claim, counts)

    async def _expire(self) -> int:
        removed = 0
        while True:
            async with self.unit() as tx:
                exports = await tx.exports.expired(self.clock.now(), EXPIRED_AT_ONCE)
            for export in exports:
                await self.blobs.delete(export.blob_name)
            async with self.unit() as tx:
                for export in exports:
                    await tx.exports.save(export.without_file(), export.status)
                    await tx.audit.record(change(SYSTEM, "export.expired", export, self.clock.now()))
            removed += len(exports)
            if len(exports) < EXPIRED_AT_ONCE:
                return removed

    async def _remove_strays(self) -> int:
        removed = 0
        some: list[BlobName] = []
        async for name in self.blobs.names(FOLDER):
            some.append(name)
            if len(some) == EXPIRED_AT_ONCE:
                removed += await self._remove_unclaimed(some)
                some = []
        return removed + await self._remove_unclaimed(some)

    async def _remove_unclaimed(self, names: Sequence[BlobName]) -> int:
        claimed = await self.views.with_file([name.id for name in names], self.clock.now() - SETTLED_AFTER)
        return sum([await self.blobs.delete(name) for name in names if name.id not in claimed])

    async def _give_up_orphans(self) -> int:
        async with self.unit() as tx:
            orphans = await tx.exports.orphans(EXPIRED_AT_ONCE)
            for export, state in orphans:
                await record_failure(tx, export, rules.end_without_file(state), self.clock)
        return len(orphans)


async def fail(unit: UnitOfWork[ExportTx], claim: Claim, export: Export, error: str, clock: Clock) -> None:
    """End an export as failed and its job as done."""
    async with unit() as tx:
        await record_failure(tx, export, error, clock)
        await tx.jobs.finish(claim, {"error": error})


async def record_failure(tx: ExportTx, export: Export, error: str, clock: Clock) -> None:
    """Write that an export has failed, and announce it."""
    now = clock.now()
    await tx.exports.save(export.fail(error, now), export.status)
    await tx.outbox.add(ExportFailed(subject=str(export.id), at=now, owner=export.owner, error=error))
    new = {"status": "failed", "error": error}
    await tx.audit.record(change(SYSTEM, "export.failed", export, now, new))


def change(actor: Actor, action: str, export: Export, at: datetime, new: Mapping[str, object] | None = None) -> Change:
    """The audit entry of something that happened to an export."""
    return Change(actor=actor, action=action, entity_type="export", entity_id=str(export.id), at=at, new=new)


USE_CASES = (RequestExport, RenderExport, GiveUpExport, DownloadExport, ExpireExports)
