"""What operators and the engine itself do with jobs."""

from dataclasses import dataclass
from uuid import UUID

from opora.core.jobs.errors import NoSuchJob
from opora.core.jobs.model import Claim, Job, JobState
from opora.core.jobs.ports import Housekeeping, JobTx
from opora.core.kernel.model import Actor, Change
from opora.core.kernel.ports import Clock, UnitOfWork


@dataclass(frozen=True, slots=True)
class CancelJob:
    """Stop a job: a waiting one at once, a running one as soon as its worker hears of it."""

    unit: UnitOfWork[JobTx]
    clock: Clock

    async def __call__(self, actor: Actor, id: UUID) -> Job:
        """Return the job as it stands then. Raises NoSuchJob, or IllegalMove for a job that has ended."""
        async with self.unit() as tx:
            job = await tx.jobs.get(id)
            if job is None:
                raise NoSuchJob(job_id=str(id))
            if job.state is JobState.RUNNING:
                await tx.jobs.request_cancel(id)
            else:
                await tx.jobs.move(job, JobState.CANCELLED)
            await tx.audit.record(change(actor, "job.cancelled", job, self.clock))
            return await tx.jobs.get(id) or job


@dataclass(frozen=True, slots=True)
class RetryJob:
    """Give a dead job all its attempts again."""

    unit: UnitOfWork[JobTx]
    clock: Clock

    async def __call__(self, actor: Actor, id: UUID) -> Job:
        """Return the job as it stands then. Raises NoSuchJob, or IllegalMove for a job that is not dead."""
        async with self.unit() as tx:
            job = await tx.jobs.get(id)
            if job is None:
                raise NoSuchJob(job_id=str(id))
            await tx.jobs.move(job, JobState.QUEUED, run_at=self.clock.now())
            await tx.audit.record(change(actor, "job.retried", job, self.clock))
            return await tx.jobs.get(id) or job


@dataclass(frozen=True, slots=True)
class TidyUp:
    """Delete what is kept only for a while; a cron slot runs it."""

    unit: UnitOfWork[JobTx]
    housekeeping: Housekeeping

    async def __call__(self, claim: Claim) -> None:
        """End the job with how many rows of each kind went."""
        counts = await self.housekeeping.tidy()
        async with self.unit() as tx:
            await tx.jobs.finish(claim, dict(counts))


def change(actor: Actor, action: str, job: Job, clock: Clock) -> Change:
    """The audit entry of something done to a job by hand."""
    old = {"state": str(job.state), "kind": job.kind}
    return Change(actor=actor, action=action, entity_type="job", entity_id=str(job.id), at=clock.now(), old=old)


USE_CASES = (CancelJob, RetryJob, TidyUp)
