"""What the clock does to documents: overdue ones are told of, files past their time go, what a crash left is swept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from opora.core.documents.events import DocumentOverdue, DocumentsPurged
from opora.core.documents.model.documents import FOLDER, Document
from opora.core.documents.model.policies import Desk, SweepPolicy
from opora.core.documents.ports.documents import DocumentTx
from opora.core.documents.ports.files import Intake
from opora.core.documents.rules.calendar import today
from opora.core.documents.rules.sweeping import is_settled
from opora.core.documents.usecases.uploads import SCAN, change
from opora.core.jobs.model import Claim, NewJob
from opora.core.kernel.model import SYSTEM, BlobName
from opora.core.kernel.ports import BlobStore, Clock, UnitOfWork
from opora.core.notifications.model.notices import Notice

AT_ONCE = 200
RESCANNED_AFTER = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class FindOverdue:
    """Find documents that the bank is late with, each once; a cron slot runs it."""

    unit: UnitOfWork[DocumentTx]
    clock: Clock
    desk: Desk

    async def __call__(self, claim: Claim) -> None:
        """End the job with how many there were. The lock and the version see to it that nobody else tells of one."""
        found = 0
        while True:
            some = await self._some()
            found += some
            if some < AT_ONCE:
                break
        async with self.unit() as tx:
            await tx.jobs.finish(claim, {"overdue": found})

    async def _some(self) -> int:
        now = self.clock.now()
        async with self.unit() as tx:
            late = await tx.documents.late(today(self.desk.calendar, now), AT_ONCE)
            for document in late:
                await tx.documents.save(document.changed(overdue_at=now), document.version)
                await tx.outbox.add(
                    DocumentOverdue(
                        subject=document.id,
                        at=now,
                        user_id=document.user_id,
                        worker_id=document.worker_id,
                        plan_maturity_date=document.plan_maturity_date,
                    )
                )
                await tx.audit.record(change(SYSTEM, DocumentOverdue.topic, document, now))
                for told in notices(document):
                    await tx.notices.add(told)
        return len(late)


def notices(document: Document) -> list[Notice]:
    """Return what is told of a document that is late: to its worker, if it has one, and to the client."""
    data = {
        "document_id": document.id,
        "description": document.description,
        "due_on": document.plan_maturity_date.isoformat(),
    }
    whom = {"documents.overdue": document.worker_id, "documents.delayed": document.user_id}
    about = f"document:{document.id}"
    return [
        Notice(kind=kind, user_id=user_id, data=data, dedup_key=f"{kind}:{document.id}", about=about)
        for kind, user_id in whom.items()
        if user_id is not None
    ]


@dataclass(frozen=True, slots=True)
class SweepDocuments:
    """Remove files whose retention ended or whose document was deleted, and files that no document names.

    A document is marked before its file goes, under the lock that a legal hold takes too: what is held stays, and a
    file whose removal a crash cut off is one that no document names. A file that no document names is condemned before
    it goes, so that an upload which was held up for longer than that is refused, and never a document without its file.
    """

    unit: UnitOfWork[DocumentTx]
    blobs: BlobStore
    intake: Intake
    clock: Clock
    desk: Desk
    policy: SweepPolicy

    async def __call__(self, claim: Claim) -> None:
        """End the job with how many of each there were."""
        counts = {
            "purged": await self._purge(),
            "strays": await self._remove_strays(),
            "unfinished": await self._remove_unfinished(),
            "rescanned": await self._rescan(),
        }
        async with self.unit() as tx:
            await tx.jobs.finish(claim, counts)

    async def _purge(self) -> int:
        removed = 0
        while True:
            now = self.clock.now()
            async with self.unit() as tx:
                spent = await tx.documents.spent(today(self.desk.calendar, now), AT_ONCE)
                for document in spent:
                    await tx.documents.save(document.changed(is_file_removed=True), document.version)
                    old: dict[str, object] = {"sha256": document.sha256, "size": document.size}
                    await tx.audit.record(change(SYSTEM, DocumentsPurged.topic, document, now, None, old))
                if spent:
                    ids = tuple(document.id for document in spent)
                    await tx.outbox.add(DocumentsPurged(subject=ids[0], at=now, ids=ids))
            for document in spent:
                await self.blobs.delete(document.blob_name)
            removed += len(spent)
            if len(spent) < AT_ONCE:
                return removed

    async def _remove_unfinished(self) -> int:
        """Remove what was cut off before it was a file: on its way in, or into the store."""
        old_s = self.policy.unfinished_after.total_seconds()
        return await self.intake.sweep(old_s) + await self.blobs.sweep(old_s)

    async def _remove_strays(self) -> int:
        removed = 0
        some: list[BlobName] = []
        async for name in self.blobs.names(FOLDER):
            if is_settled(name.id, self.clock.now(), self.policy.unfinished_after):
                some.append(name)
            if len(some) == AT_ONCE:
                removed += await self._remove_unclaimed(some)
                some = []
        return removed + await self._remove_unclaimed(some)

    async def _remove_unclaimed(self, names: Sequence[BlobName]) -> int:
        if not names:
            return 0
        async with self.unit() as tx:
            condemned = await tx.documents.condemn([name.id for name in names], self.clock.now())
        return sum([await self.blobs.delete(name) for name in names if name.id in condemned])

    async def _rescan(self) -> int:
        """Ask again for a scan whose job was given up; at most once an hour each."""
        now = self.clock.now()
        async with self.unit() as tx:
            waiting = await tx.documents.unscanned(now - RESCANNED_AFTER, AT_ONCE)
            for id in waiting:
                dedup_key = f"{SCAN}:{id}:{now:%Y%m%d%H}"
                await tx.jobs.add(NewJob(kind=SCAN, payload={"document_id": id}, dedup_key=dedup_key))
        return len(waiting)


USE_CASES = (FindOverdue, SweepDocuments)
