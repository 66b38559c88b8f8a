"""What the simulated program does: handlers of jobs, and the calls that ask for them."""

import asyncio
import random
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from opora.bootstrap.simulation.chance import Storm
from opora.core.jobs.errors import Hopeless
from opora.core.jobs.model import Claim, NewJob, Priority
from opora.core.jobs.ports import JobProgress, JobTx
from opora.core.kernel.errors import Unavailable
from opora.core.kernel.events import Event
from opora.core.kernel.model import SYSTEM, Change, IdempotentCall, StoredAnswer
from opora.core.kernel.ports import Clock, IdempotentCalls, UnitOfWork

WORK, HEAR, TICK, TIDY, UNKNOWN = "sim.work", "sim.hear", "sim.tick", "jobs.tidy", "sim.of_a_newer_release"
KNOWN = (HEAR, TIDY, TICK, WORK)
EFFECT, ASKED = "sim.effect", "sim.asked"
SUBSCRIBERS = ("first", "second")
RARELY, SOMETIMES = 0.05, 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Worked(Event):
    """A simulated job had its effect."""

    topic: ClassVar[str] = "sim.worked"


def noted(action: str, entity_type: str, entity_id: str, clock: Clock) -> Change:
    """Build the audit entry that stands for an effect: what is counted afterwards."""
    return Change(actor=SYSTEM, action=action, entity_type=entity_type, entity_id=entity_id, at=clock.now())


@dataclass(frozen=True, slots=True)
class Effect:
    """A handler: slow work outside, then the effect, its event and the job's end in one transaction."""

    unit: UnitOfWork[JobTx]
    progress: JobProgress
    clock: Clock
    chance: random.Random
    storm: Storm

    async def __call__(self, claim: Claim) -> None:
        """Fail as often as the storm says; some work outlasts the lease and lives by its heartbeat."""
        for step in range(self.chance.choice((0, 1, 3))):
            await asyncio.sleep(self.chance.choice((0.01, 0.5, 4.0)))
            await self.progress.report(claim, step, 3)
        if self.chance.random() < self.storm.failure:
            raise Hopeless if self.chance.random() < self.storm.hopeless else ConnectionError
        async with self.unit() as tx:
            await tx.audit.record(noted(EFFECT, claim.kind, str(claim.id), self.clock))
            if claim.kind == WORK:
                await tx.outbox.add(Worked(subject=str(claim.id), at=self.clock.now()))
            await tx.jobs.finish(claim)


@dataclass(frozen=True, slots=True)
class Asking:
    """The service: a call under an idempotency key that has one effect, adds one job and answers with its id."""

    calls: IdempotentCalls
    unit: UnitOfWork[JobTx]
    clock: Clock

    async def __call__(self, call: IdempotentCall, job: NewJob) -> StoredAnswer:
        """Answer as the edge does: again, or after the effect, or not at all; what failed is abandoned."""
        started = await self.calls.open(call)
        if isinstance(started, StoredAnswer):
            return started
        try:
            async with self.unit() as tx:
                await tx.audit.record(noted(ASKED, "call", call.key, self.clock))
                id = await tx.jobs.add(job)
            answer = StoredAnswer(202, (), str(id).encode())
            await self.calls.settle(started, answer)
        except Exception:
            await self._abandon(started)
            raise
        return answer

    async def _abandon(self, started: object) -> None:
        try:
            await self.calls.abandon(started)  # type: ignore[arg-type]  # what `open` gave
        except Unavailable:
            return  # its lease will end


def a_job(chance: random.Random) -> NewJob:
    """Draw a job: a few share a dedup key, some are delayed, some are of a kind that nobody knows."""
    return NewJob(
        kind=UNKNOWN if chance.random() < RARELY else WORK,
        payload={"n": chance.randrange(1000)},
        dedup_key=f"shared:{chance.randrange(3)}" if chance.random() < SOMETIMES else None,
        priority=chance.choice(list(Priority)),
        attempts_max=chance.choice((1, 2, 5, 5)),
    )


def job_of(answer: StoredAnswer) -> UUID:
    """Read the job's id from an answer."""
    return UUID(answer.body.decode())
