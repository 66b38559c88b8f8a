"""One seed of the engine: a few workers, a service and its clients, and jobs whose effects can be counted."""

import asyncio
import hashlib
from collections.abc import Callable, Coroutine
from typing import Any

from opora.adapters.sql.audit import AuditKey
from opora.bootstrap.simulation.clock import VirtualLoop
from opora.bootstrap.simulation.faults import Rewrite, unchanged
from opora.bootstrap.simulation.invariants import Records, Told, violations
from opora.bootstrap.simulation.life import Life, Run, lived
from opora.bootstrap.simulation.processes import Process
from opora.bootstrap.simulation.program import KEY, Service, Worker, worker_of_jobs
from opora.bootstrap.simulation.work import KNOWN, a_job, job_of
from opora.bootstrap.simulation.yard import Yard, YardDatabase
from opora.core.jobs.model import JobState
from opora.core.kernel.model import SYSTEM, IdempotentCall, StoredAnswer

UNSETTLED = f"""
SELECT (SELECT count(*) FROM outbox WHERE dispatched_at IS NULL) + (SELECT count(*) FROM jobs
 WHERE state IN ('queued', 'running') AND kind IN ({", ".join(f"'{kind}'" for kind in KNOWN)}))
"""


class World(Life[Service]):
    """The engine's seed."""

    def __init__(self, seed: int, yard: Yard, loop: VirtualLoop, rewrite: Rewrite) -> None:
        super().__init__(seed, yard, loop, rewrite)
        self._told = Told()
        self.records = Records({})

    async def hire(self, process: Process) -> Worker:
        return worker_of_jobs(process, self.parts, self.storm)

    def serve(self, process: Process) -> Service:
        return Service(process, self.parts)

    @property
    def audit_key(self) -> AuditKey:
        return KEY

    def calm(self) -> None:
        super().calm()
        self.parts.keeping_time = False

    async def unsettled(self, database: YardDatabase) -> bool:
        return bool(await database.read.fetch_value(UNSETTLED))

    async def look(self, database: YardDatabase) -> None:
        self.records = await Records.read(database.read)
        self.broken += violations(self.records, self._told)

    async def client(self, number: int) -> None:
        chance = self.chance
        for turn in range(self.length * chance.choice((1, 2))):
            await asyncio.sleep(chance.expovariate(1 / 3.0))
            call = IdempotentCall(f"client:{number}", f"{number}:{turn}", b"asked")
            job = a_job(chance)
            for _ in range(chance.choice((1, 1, 2, 3))):
                answer: StoredAnswer = await self.persistently(lambda service: service.ask(call, job))  # noqa: B023
                self._told.answers[call.key].append(answer)
            self.calls += 1
            if chance.random() < 0.15:  # noqa: PLR2004  # now and then an operator steps in
                await self._operate(lambda service: service.cancel(SYSTEM, job_of(answer)))  # noqa: B023
            if chance.random() < 0.3:  # noqa: PLR2004  # as above
                await self._operate(lambda service: service.retry(SYSTEM, job_of(answer)))  # noqa: B023

    async def _operate(self, act: Callable[[Service], Coroutine[Any, Any, Any]]) -> None:
        """Cancel or retry once; a refusal is as good as an answer."""
        job = await self.asked(act)
        if job is not None and job.state is JobState.CANCELLED and job.attempt == 0:
            self._told.cancelled_unclaimed.add(job.id)


def played(seed: int, yard: Yard, rewrite: Rewrite = unchanged) -> Run:
    """Play one seed in a yard that is made as new."""
    world = lived(lambda loop: World(seed, yard, loop, rewrite))
    story = [tuple(row) for moves in world.records.moves.values() for row in moves]
    digest = hashlib.sha256(repr(story).encode()).hexdigest()[:16]
    return Run(seed, tuple(world.broken), len(world.records.jobs), world.calls, world.deaths, digest)
