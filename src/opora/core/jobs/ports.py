"""What the job engine needs from a store and from a messenger."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from opora.core.jobs.model import Claim, Job, JobFilter, JobState, NewJob
from opora.core.kernel.model import Page, PageRequest
from opora.core.kernel.ports import AuditTrail, Outbox


class JobQueue(ABC):
    """Jobs inside a transaction: what is added or ended here is added or ended with everything else in it."""

    @abstractmethod
    async def add(self, job: NewJob) -> UUID:
        """Keep the job; an equal `dedup_key` returns the first one's id. It is announced after the commit."""

    @abstractmethod
    async def take(self, job: NewJob, lease_s: float) -> Claim:
        """Keep the job as leased from the commit on by whoever adds it, who runs it; its first attempt counts.

        Should they die, the lease ends and another worker claims it. `run_at` and `dedup_key` are not for such a job.
        """

    @abstractmethod
    async def bury(self, claim: Claim, error: str) -> None:
        """End a job badly and for good, with whatever else is written. Raises LeaseLost as `finish` does.

        The event `job.dead` is for the caller to add.
        """

    @abstractmethod
    async def finish(self, claim: Claim, result: Mapping[str, object] | None = None) -> None:
        """End a job well. Raises LeaseLost, so that the transaction rolls back, unless the claim still holds.

        It may be raised as late as by the commit.
        """

    @abstractmethod
    async def get(self, id: UUID) -> Job | None:
        """Return the job, locked against change until the transaction ends."""

    @abstractmethod
    async def move(self, job: Job, state: JobState, *, run_at: datetime | None = None) -> None:
        """Write a new state by hand (cancel, retry); raises Stale if the job moved meanwhile."""

    @abstractmethod
    async def request_cancel(self, id: UUID) -> None:
        """Ask the attempt that runs to stop; its next heartbeat or progress report tells it."""


class JobLeases(ABC):
    """Claims on jobs, each call a transaction of its own, all by the store's clock."""

    @abstractmethod
    async def claim(self, kinds: Collection[str], limit: int, lease_s: float) -> Sequence[Claim]:
        """Lease up to `limit` jobs of these kinds that are due, or whose lease ended, the most urgent first.

        No two callers get the same attempt of a job; the attempt counts from here, so that a job that kills its
        worker is given up too: one whose attempts are spent becomes dead instead of leased.
        """

    @abstractmethod
    async def beat(self, claims: Sequence[Claim], lease_s: float) -> Mapping[UUID, bool]:
        """Prolong the leases that still hold; the answer maps their ids to whether cancelling was asked for."""

    @abstractmethod
    async def fail(self, claim: Claim, state: JobState, delay_s: float, error: str) -> bool:
        """End an attempt badly: queued again after `delay_s`, dead or cancelled. False if the claim was lost."""

    @abstractmethod
    async def release(self, claims: Sequence[Claim]) -> None:
        """Give claims back at shutdown, their attempt uncounted."""

    @abstractmethod
    async def next_due_s(self, kinds: Collection[str]) -> float | None:
        """Seconds until the next job of these kinds is due or its lease ends; None where there is none."""

    @abstractmethod
    async def prune(self, keep_s: float, limit: int) -> int:
        """Delete up to `limit` jobs that ended well more than `keep_s` ago; returns how many."""


class JobProgress(ABC):
    """How far a running job is."""

    @abstractmethod
    async def report(self, claim: Claim, done: int, total: int) -> None:
        """Show progress, at most twice a second; raises JobCancelled when cancelling was asked for."""


class JobViews(ABC):
    """Jobs as operators read them."""

    @abstractmethod
    async def page(self, wanted: JobFilter, request: PageRequest) -> Page[Job]:
        """Return jobs, the newest first."""

    @abstractmethod
    async def one(self, id: UUID) -> Job | None:
        """Return one job."""

    @abstractmethod
    async def counts(self) -> Mapping[str, int]:
        """Return how many jobs stand in each state."""


class Housekeeping(ABC):
    """Old rows that nothing needs any more."""

    @abstractmethod
    async def tidy(self) -> Mapping[str, int]:
        """Delete ended jobs, dispatched events and spent idempotency keys past their time; returns counts by name."""


class Announcer(ABC):
    """A messenger that says work is waiting. What it loses, a sweep finds."""

    @abstractmethod
    def announce(self, ids: Sequence[UUID], kinds: Collection[str] = ()) -> None:
        """Say, without waiting and without failing, that work was committed: these jobs, or events where empty.

        `kinds` are those of the jobs, for a messenger that has queues by kind.
        """


class JobTx(Protocol):
    """What a transaction over jobs shows."""

    @property
    def jobs(self) -> JobQueue: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def audit(self) -> AuditTrail: ...
