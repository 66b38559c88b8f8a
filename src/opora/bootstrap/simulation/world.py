"""One seed: a few workers, a service and its clients through a storm, then calm, then the questions."""

import asyncio
import hashlib
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opora.adapters.sql import audit
from opora.adapters.sql.sqlite import SqliteDatabase
from opora.bootstrap.simulation.chance import CALM, Storm
from opora.bootstrap.simulation.clock import StoreClock, VirtualLoop
from opora.bootstrap.simulation.faults import FaultyDatabase, Rewrite, Untroubled, unchanged
from opora.bootstrap.simulation.invariants import Records, Told, violations
from opora.bootstrap.simulation.processes import Crashed, Process, owned
from opora.bootstrap.simulation.program import KEY, Parts, Service, Worker
from opora.bootstrap.simulation.work import KNOWN, a_job, job_of
from opora.core.jobs.model import JobState
from opora.core.kernel.errors import DomainError
from opora.core.kernel.model import SYSTEM, IdempotentCall, StoredAnswer

STORM_S = 10.0
CALM_WITHIN_S = 600.0
LOOK_S = 2.0
UNSETTLED = f"""
SELECT (SELECT count(*) FROM outbox WHERE dispatched_at IS NULL) + (SELECT count(*) FROM jobs
 WHERE state IN ('queued', 'running') AND kind IN ({", ".join(f"'{kind}'" for kind in KNOWN)}))
"""


@dataclass(frozen=True, slots=True)
class Run:
    """What one seed came to; `digest` is equal for equal histories."""

    seed: int
    broken: tuple[str, ...]
    jobs: int
    calls: int
    deaths: int
    digest: str


class World:
    """Everything of one seed."""

    def __init__(self, seed: int, file: Path, loop: VirtualLoop, rewrite: Rewrite) -> None:
        self._chance = random.Random(seed)  # noqa: S311  # a simulation is to be repeated
        self._length = self._chance.choice((1, 2, 2))
        self._file = file
        self._rewrite = rewrite
        self._clock = StoreClock(loop)
        self._parts = Parts(self._clock, self._chance)
        self._storm = Storm.drawn(self._chance)
        self._parts.messenger.storm = self._storm
        self._workers: list[Worker] = []
        self._services: list[Service] = []
        self._ending = False
        self._told = Told()
        self._broken: list[str] = []
        self.deaths = 0
        self.calls = 0

    async def run(self) -> tuple[Records, list[str]]:
        """Let the storm rage, let it pass, and look at what is left."""
        supervisors = [self._keep_working(f"worker {number}") for number in range(self._chance.choice((1, 2, 2, 2)))]
        supervisors += [self._keep_serving(f"service {number}") for number in range(self._chance.choice((1, 2)))]
        living = [asyncio.create_task(one) for one in (*supervisors, self._set_clock_wrong())]
        clients = [asyncio.create_task(self._client(number)) for number in range(self._chance.choice((1, 2)))]
        await asyncio.sleep(STORM_S * self._length)
        self._calm()
        database = SqliteDatabase(self._file, now=self._clock)
        await database.open()
        await asyncio.wait(clients, timeout=CALM_WITHIN_S)
        self._broken += [f"P1: a client was never answered: {one!r}" for one in clients if not one.done()]
        await self._settle(database)
        self._ending = True
        await asyncio.wait(living, timeout=CALM_WITHIN_S)
        self._broken += [f"a process did not end: {one!r}" for one in living if not one.done()]
        self._broken += [f"a process failed: {one.exception()!r}" for one in living if one.done() and one.exception()]
        return await self._looked_at(database)

    async def _looked_at(self, database: SqliteDatabase) -> tuple[Records, list[str]]:
        records = await Records.read(database.read)
        while await audit.seal(database, KEY):
            pass
        found = await audit.verify(FaultyDatabase(database, Untroubled()), KEY)  # whose scans need no thread
        if not found.whole:
            self._broken.append(f"P5: the audit log is broken at {found.broken_at}: {found.reason}")
        await database.close()
        return records, [*self._broken, *violations(records, self._told)]

    def _calm(self) -> None:
        self._storm = self._parts.messenger.storm = CALM
        for worker in self._workers:
            worker.keeping_time = False

    async def _settle(self, database: SqliteDatabase) -> None:
        """Wait until nothing is left to do; a job that never ends is found by the invariants."""
        deadline_s = asyncio.get_running_loop().time() + CALM_WITHIN_S
        while await self._unsettled(database) and asyncio.get_running_loop().time() < deadline_s:  # noqa: ASYNC110
            await asyncio.sleep(3.0)  # virtual time: no event tells that a store is quiet

    async def _unsettled(self, database: SqliteDatabase) -> bool:
        processes = [one.process for one in self._workers] + [one.process for one in self._services]
        return any(process.frozen() for process in processes) or await database.read.fetch_value(UNSETTLED) > 0

    async def _set_clock_wrong(self) -> None:
        for _ in range(2):
            await asyncio.sleep(self._chance.uniform(0.0, STORM_S * self._length / 2))
            self._clock.off_s += self._chance.uniform(-1.0, 1.0) * self._storm.clock_jump_s

    async def _process(self, name: str) -> Process:
        process = Process(name, self._file, self._clock, self._chance, self._rewrite)
        await process.open()
        process.storm = self._storm
        return process

    async def _alive(self, process: Process) -> None:
        """Return when the process died, was to end, or had lived long enough for now."""
        lifetime_s = self._chance.uniform(5.0, 40.0)
        while not (process.dead or self._ending):
            process.storm = self._storm
            try:
                await asyncio.wait_for(process.died.wait(), LOOK_S)
            except TimeoutError:
                lifetime_s -= LOOK_S
                if lifetime_s <= 0 and self._storm.crash:
                    return
        self.deaths += process.dead

    async def _keep_working(self, name: str) -> None:
        while not self._ending:
            process = await self._process(name)
            worker = Worker(process, self._parts, self._storm)
            worker.keeping_time = self._storm is not CALM
            self._workers.append(worker)
            engine = worker.start()
            await self._alive(process)
            worker.leave()
            if not process.dead and (self._ending or self._chance.random() < 0.5):  # noqa: PLR2004  # half of all ends
                await quietly(process.spawn(worker.engine.stop(self._chance.uniform(0.0, 3.0))))
            if engine.done() and not engine.cancelled() and isinstance(engine.exception(), Exception):
                self._broken.append(f"J1: an engine ended: {engine.exception()!r}")
            self._workers.remove(worker)
            await process.crash()
            await asyncio.sleep(self._chance.uniform(0.1, 4.0))

    async def _keep_serving(self, name: str) -> None:
        while not self._ending:
            process = await self._process(name)
            service = Service(process, self._parts)
            self._services.append(service)
            await self._alive(process)
            self._services.remove(service)
            await process.crash()
            await asyncio.sleep(self._chance.uniform(0.1, 2.0))

    async def _client(self, number: int) -> None:
        chance = self._chance
        for turn in range(self._length * chance.choice((1, 2))):
            await asyncio.sleep(chance.expovariate(1 / 3.0))
            call = IdempotentCall(f"client:{number}", f"{number}:{turn}", b"asked")
            job = a_job(chance)
            for _ in range(chance.choice((1, 1, 2, 3))):
                answer: StoredAnswer = await self._persistently(lambda service: service.ask(call, job))  # noqa: B023
                self._told.answers[call.key].append(answer)
            self.calls += 1
            if chance.random() < 0.15:  # noqa: PLR2004  # now and then an operator steps in
                await self._operate(lambda service: service.cancel(SYSTEM, job_of(answer)))  # noqa: B023
            if chance.random() < 0.3:  # noqa: PLR2004  # as above
                await self._operate(lambda service: service.retry(SYSTEM, job_of(answer)))  # noqa: B023

    async def _operate(self, act: Callable[[Service], Coroutine[Any, Any, Any]]) -> None:
        """Cancel or retry once; a refusal is as good as an answer."""
        job = await self._asked(act)
        if job is not None and job.state is JobState.CANCELLED and job.attempt == 0:
            self._told.cancelled_unclaimed.add(job.id)

    async def _persistently(self, act: Callable[[Service], Coroutine[Any, Any, Any]]) -> Any:
        """Ask until there is an answer, as a client does that was cut off or refused."""
        while True:
            answer = await self._asked(act)
            if answer is not None:
                return answer
            await asyncio.sleep(self._chance.uniform(0.2, 3.0))

    async def _asked(self, act: Callable[[Service], Coroutine[Any, Any, Any]]) -> Any:
        """Ask any service once, for as long as a client's patience lasts; the service does not hear of its end."""
        if not self._services:
            return None
        service = self._chance.choice(self._services)
        return await quietly(service.process.spawn(act(service)), patience_s=self._chance.uniform(2.0, 15.0))


async def quietly(task: asyncio.Task[Any], patience_s: float | None = None) -> Any:
    """Wait for what another process does; None where it failed, was refused, took too long or died with its process."""
    await asyncio.wait([task], timeout=patience_s)
    if not task.done() or task.cancelled():
        return None
    error = task.exception()
    if error is None:
        return task.result()
    if isinstance(error, DomainError | Crashed):
        return None
    if isinstance(error, Exception) and "closed database" in str(error):
        return None  # its process died under it
    raise error


async def swept(loop: VirtualLoop) -> None:
    """End the tasks that dead processes left behind."""
    left = [task for task in asyncio.all_tasks(loop) if task is not asyncio.current_task()]
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


def played(seed: int, file: Path, rewrite: Rewrite = unchanged) -> Run:
    """Play one seed on a fresh file of the simulation's schema."""
    loop = VirtualLoop()
    loop.set_task_factory(owned)
    loop.set_exception_handler(lambda *_: None)  # the tasks of dead processes end as they like
    try:
        world = World(seed, file, loop, rewrite)
        records, broken = loop.run_until_complete(world.run())
        loop.run_until_complete(swept(loop))
    finally:
        loop.close()
    story = [tuple(row) for moves in records.moves.values() for row in moves]
    digest = hashlib.sha256(repr(story).encode()).hexdigest()[:16]
    return Run(seed, tuple(broken), len(records.jobs), world.calls, world.deaths, digest)
