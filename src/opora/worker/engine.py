"""Runs claimed jobs: leases them, keeps their hearts beating, and writes down how they ended badly.

How a job ends well is its use case's business, in the transaction of its effects.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping
from contextvars import Context
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from opora.core.jobs import rules
from opora.core.jobs.errors import JobCancelled, LeaseLost
from opora.core.jobs.model import Claim, JobState, LeasePolicy, RetryPolicy
from opora.core.jobs.ports import Announcer, JobLeases
from opora.core.kernel.errors import DomainError
from opora.core.kernel.ports import Randomness

type Handler = Callable[[Claim], Awaitable[None]]

ERROR_LENGTH_MAX = 500
DUE_PAUSE_S = 0.001
TAKEN_PAUSE_S = 0.02


class Journal(Protocol):
    """Who is told how attempts end: the log and the metrics."""

    def started(self, claim: Claim) -> None:
        """An attempt begins."""
        ...

    def ended(self, claim: Claim, outcome: str, duration_s: float, error: BaseException | None) -> None:
        """An attempt ended: succeeded, retried, dead, cancelled, lost or released."""
        ...

    def troubled(self, what: str, error: BaseException) -> None:
        """The engine could not reach the store; it goes on trying."""
        ...


@dataclass(frozen=True, slots=True)
class EnginePolicy:
    """How much one process takes on, and how it waits."""

    concurrency: int = 10
    sweep_s: float = 1.0
    lease: LeasePolicy = field(default_factory=LeasePolicy)
    retry: RetryPolicy = field(default_factory=RetryPolicy)


@dataclass(slots=True)
class Attempt:
    """One claim being run here; `verdict` is why its task was cancelled, if it was."""

    claim: Claim
    task: asyncio.Task[None]
    verdict: str = ""
    settling: bool = False
    """Its handler is over and its end is being written: too late to stop it."""


@dataclass(slots=True)
class Engine:
    """One process's share of the work. `run` until `stop`; `wake` whenever something may be due."""

    leases: JobLeases
    handlers: Mapping[str, Handler]
    announcer: Announcer
    randomness: Randomness
    journal: Journal
    policy: EnginePolicy = EnginePolicy()
    _running: dict[UUID, Attempt] = field(default_factory=dict)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _done: asyncio.Event = field(default_factory=asyncio.Event)
    _more: bool = False
    _stopping: bool = False
    _looking: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Look for work now instead of at the next sweep."""
        self._wake.set()

    async def run(self) -> None:
        """Claim and run jobs until `stop` is done; a store that does not answer is asked again."""
        self._looking = asyncio.create_task(self._look_forever(), name="engine: looking")
        beating = asyncio.create_task(self._beat_forever(), name="engine: beating")
        try:
            await self._looking
            await self._done.wait()
        finally:
            self._looking.cancel()
            beating.cancel()

    async def tend(self) -> None:
        """Keep hearts beating without looking for work, for a process that is given its claims; until cancelled."""
        await self._beat_forever()

    @property
    def load(self) -> int:
        """How many jobs run here."""
        return len(self._running)

    def start(self, claim: Claim) -> None:
        """Run a claim that somebody else made; nothing of the caller's context goes with it."""
        Context().run(self._start, claim)

    def drop(self, id: UUID) -> None:
        """Stop a job whose lease was taken away, if it runs here."""
        attempt = self._running.get(id)
        if attempt is not None and not attempt.settling and not attempt.task.done():
            attempt.verdict = "lost"
            attempt.task.cancel()

    async def _look_forever(self) -> None:
        while not self._stopping:
            self._wake.clear()
            await self._wait(await self._take())

    async def stop(self, grace_s: float = 20.0) -> None:
        """Take nothing more, let what runs end for `grace_s`, give the rest back."""
        self._stopping = True
        self.wake()
        if self._looking is not None:
            await asyncio.wait([self._looking], timeout=grace_s)  # what it is claiming now must be given back
        tasks = [attempt.task for attempt in self._running.values()]
        if tasks:
            await asyncio.wait(tasks, timeout=grace_s)
        left = [attempt for attempt in self._running.values() if not attempt.task.done()]
        for attempt in left:
            if not attempt.settling:
                attempt.verdict = "released"
                attempt.task.cancel()
        await asyncio.gather(*(attempt.task for attempt in left), return_exceptions=True)
        self._done.set()

    async def _take(self) -> float:
        """Claim what fits and start it; returns how long to wait for more, in seconds."""
        free = self.policy.concurrency - len(self._running)
        if free <= 0:
            return self.policy.sweep_s
        try:
            claims = await self.leases.claim(self.handlers.keys(), free, self.policy.lease.lease_s)
            if self._stopping:
                await self.leases.release(claims)
                return 0.0
            for claim in claims:
                self._start(claim)
            self._more = len(claims) == free
            if self._more:
                self.announcer.announce([])  # there may be more than this process can take
                return self.policy.sweep_s
            due_s = await self.leases.next_due_s(self.handlers.keys())
        except Exception as error:  # a store that is away, or a fault of ours: neither may end the engine
            self.journal.troubled("claiming jobs", error)
            return self.policy.sweep_s
        if due_s is None:
            return self.policy.sweep_s
        # Due, yet nobody let us have it: another claims it at this moment. Asking at once again would only spin.
        return min(due_s + (DUE_PAUSE_S if claims else TAKEN_PAUSE_S), self.policy.sweep_s)

    async def _wait(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), seconds)

    def _start(self, claim: Claim) -> None:
        self._running[claim.id] = Attempt(claim, asyncio.create_task(self._attempt(claim), name=f"job {claim.id}"))

    async def _attempt(self, claim: Claim) -> None:
        started_s = time.monotonic()
        self.journal.started(claim)
        outcome = "succeeded"
        error: BaseException | None = None
        try:
            await self.handlers[claim.kind](claim)
        except asyncio.CancelledError as cancelled:
            outcome, error = await self._cancelled(claim), cancelled
        except Exception as failure:  # whatever a handler raises is this attempt's end
            self._settle(claim)
            outcome, error = await self._failed(claim, failure), failure
        finally:
            self._running.pop(claim.id, None)
            if self._more and len(self._running) <= self.policy.concurrency // 2:
                self.wake()  # claim half a load at a time: claiming one by one costs a transaction each
        self.journal.ended(claim, outcome, time.monotonic() - started_s, error)

    def _settle(self, claim: Claim) -> None:
        """Let neither a beat nor the shutdown stop the writing of an attempt's end."""
        attempt = self._running.get(claim.id)
        if attempt is not None:
            attempt.settling = True

    async def _failed(self, claim: Claim, error: Exception) -> str:
        if isinstance(error, LeaseLost):
            return "lost"
        cancelled = isinstance(error, JobCancelled)
        state = JobState.CANCELLED if cancelled else rules.after_failure(claim, error)
        delay_s = rules.retry_delay_s(claim.attempt, self.policy.retry, self.randomness.fraction())
        try:
            held = await self.leases.fail(claim, state, delay_s, described(error))
        except Exception as trouble:  # the lease will end by itself
            self.journal.troubled("ending a job", trouble)
            return "lost"
        if state is JobState.QUEUED:
            self.wake()  # to wait for its next attempt rather than for the sweep
        return {JobState.QUEUED: "retried"}.get(state, str(state)) if held else "lost"

    async def _cancelled(self, claim: Claim) -> str:
        """Settle an attempt whose task was cancelled: by request, because its lease was lost, or at shutdown."""
        attempt = self._running.get(claim.id)
        verdict = attempt.verdict if attempt else "released"
        self._settle(claim)
        try:
            if verdict == "cancelled":
                await self.leases.fail(claim, JobState.CANCELLED, 0.0, "cancelled")
            elif verdict != "lost":
                await self.leases.release([claim])
        except Exception as trouble:
            self.journal.troubled("ending a job", trouble)
        return verdict or "released"

    async def _beat_forever(self) -> None:
        while True:
            await asyncio.sleep(self.policy.lease.beat_s)
            try:
                await self.beat()
            except Exception as error:  # as above
                self.journal.troubled("prolonging leases", error)

    async def beat(self) -> None:
        """Prolong every lease; stop the attempts whose lease was lost or whose cancelling was asked for."""
        attempts = list(self._running.values())
        if not attempts:
            return
        held = await self.leases.beat([attempt.claim for attempt in attempts], self.policy.lease.lease_s)
        for attempt in attempts:
            asked = held.get(attempt.claim.id)
            if asked is False or attempt.settling or attempt.task.done():
                continue
            attempt.verdict = "cancelled" if asked else "lost"
            attempt.task.cancel()


def described(error: Exception) -> str:
    """Describe a failure for operators: a domain error by its text, anything else by its type alone.

    Foreign texts may quote data; the log, which is told the whole error, redacts it.
    """
    text = f"{type(error).__name__}: {error}" if isinstance(error, DomainError) else type(error).__name__
    return text[:ERROR_LENGTH_MAX]
