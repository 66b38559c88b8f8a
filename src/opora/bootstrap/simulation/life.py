"""What happens to the processes of one seed: a storm in which they die and come back, then calm, then the questions."""

import asyncio
import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

from opora.adapters.sql import audit
from opora.adapters.sql.audit import AuditKey
from opora.bootstrap.simulation.chance import CALM, Storm
from opora.bootstrap.simulation.clock import StoreClock, VirtualLoop
from opora.bootstrap.simulation.faults import FaultyDatabase, Rewrite, Untroubled
from opora.bootstrap.simulation.processes import Crashed, Process, owned
from opora.bootstrap.simulation.program import Parts, Worker
from opora.bootstrap.simulation.yard import Yard, YardDatabase
from opora.core.kernel.errors import DomainError

STORM_S = 10.0
CALM_WITHIN_S = 600.0
LOOK_S = 2.0


@dataclass(frozen=True, slots=True)
class Run:
    """What one seed came to; `digest` is equal for equal histories."""

    seed: int
    broken: tuple[str, ...]
    jobs: int
    calls: int
    deaths: int
    digest: str


class Served(Protocol):
    """What serves calls in a process."""

    process: Process


class Life[S: Served](ABC):
    """Everything of one seed: workers, services and clients, whatever program they run."""

    def __init__(self, seed: int, yard: Yard, loop: VirtualLoop, rewrite: Rewrite) -> None:
        self.chance = random.Random(seed)  # noqa: S311  # a simulation is to be repeated
        self.length = self.chance.choice((1, 2, 2))
        self._yard = yard
        self._rewrite = rewrite
        self.clock = StoreClock(loop)
        yard.renew(self.clock)
        self.parts = Parts(self.clock, self.chance)
        self.storm = Storm.drawn(self.chance)
        self.parts.messenger.storm = self.storm
        self._workers: list[Worker] = []
        self._services: list[S] = []
        self._ending = False
        self.broken: list[str] = []
        self.deaths = 0
        self.calls = 0

    @abstractmethod
    async def hire(self, process: Process) -> Worker:
        """Return the worker that a process runs."""

    @abstractmethod
    def serve(self, process: Process) -> S:
        """Return the service that a process runs."""

    @abstractmethod
    async def client(self, number: int) -> None:
        """Make one client's calls, each until it is answered."""

    @abstractmethod
    async def unsettled(self, database: YardDatabase) -> bool:
        """Tell whether something is left to do."""

    @abstractmethod
    async def look(self, database: YardDatabase) -> None:
        """Look at what is left when all is done, and say in `broken` what should not be so."""

    @property
    @abstractmethod
    def audit_key(self) -> AuditKey:
        """The key of the audit log."""

    async def run(self) -> None:
        """Let the storm rage, let it pass, and look at what is left."""
        supervisors = [self._keep_working(f"worker {number}") for number in range(self.chance.choice((1, 2, 2, 2)))]
        supervisors += [self._keep_serving(f"service {number}") for number in range(self.chance.choice((1, 2)))]
        living = [asyncio.create_task(one) for one in (*supervisors, self._set_clock_wrong())]
        clients = [asyncio.create_task(self.client(number)) for number in range(self.chance.choice((1, 2)))]
        await asyncio.sleep(STORM_S * self.length)
        self.calm()
        database = YardDatabase(self._yard)
        await database.open()
        await asyncio.wait(clients, timeout=CALM_WITHIN_S)
        self.broken += [f"P1: a client was never answered: {one!r}" for one in clients if not one.done()]
        self.broken += [f"a client failed: {one.exception()!r}" for one in clients if one.done() and one.exception()]
        await self.afterwards(database)
        await self.settle(database)
        self._ending = True
        await asyncio.wait(living, timeout=CALM_WITHIN_S)
        self.broken += [f"a process did not end: {one!r}" for one in living if not one.done()]
        self.broken += [f"a process failed: {one.exception()!r}" for one in living if one.done() and one.exception()]
        await self.look(database)
        await self._look_at_audit(database)
        await database.close()

    async def afterwards(self, database: YardDatabase) -> None:  # noqa: B027  # most have nothing to do then
        """Do what comes when every client has its answer and before all is settled."""

    async def _look_at_audit(self, database: YardDatabase) -> None:
        while await audit.seal(database, self.audit_key):
            pass
        whole = FaultyDatabase(database, Untroubled())  # whose scans need no thread
        found = await audit.verify(whole, self.audit_key)
        if not found.whole:
            self.broken.append(f"P5: the audit log is broken at {found.broken_at}: {found.reason}")

    def calm(self) -> None:
        """Let the storm pass."""
        self.storm = self.parts.messenger.storm = CALM

    async def settle(self, database: YardDatabase) -> None:
        """Wait until nothing is left to do; what never ends is found by the look at the end."""
        deadline_s = asyncio.get_running_loop().time() + CALM_WITHIN_S
        while await self._busy(database) and asyncio.get_running_loop().time() < deadline_s:  # noqa: ASYNC110
            await asyncio.sleep(3.0)  # virtual time: no event tells that a store is quiet

    async def _busy(self, database: YardDatabase) -> bool:
        processes = [one.process for one in self._workers] + [one.process for one in self._services]
        return any(process.frozen() for process in processes) or await self.unsettled(database)

    async def _set_clock_wrong(self) -> None:
        for _ in range(2):
            await asyncio.sleep(self.chance.uniform(0.0, STORM_S * self.length / 2))
            self.clock.off_s += self.chance.uniform(-1.0, 1.0) * self.storm.clock_jump_s

    def watch(self, tables: Collection[str]) -> None:  # noqa: B027  # for those who ask at every step
        """Look at the store after a commit that wrote these tables."""

    async def _process(self, name: str) -> Process:
        process = Process(name, self._yard, self.chance, self._rewrite)
        await process.open()
        process.storm, process.watch = self.storm, self.watch
        return process

    async def _alive(self, process: Process) -> None:
        """Return when the process died, was to end, or had lived long enough for now."""
        lifetime_s = self.chance.uniform(5.0, 40.0)
        while not (process.dead or self._ending):
            process.storm = self.storm
            try:
                await asyncio.wait_for(process.died.wait(), LOOK_S)
            except TimeoutError:
                lifetime_s -= LOOK_S
                if lifetime_s <= 0 and self.storm.crash:
                    return
        self.deaths += process.dead

    async def _keep_working(self, name: str) -> None:
        while not self._ending:
            process = await self._process(name)
            worker = await self.hire(process)
            self._workers.append(worker)
            engine = worker.start()
            await self._alive(process)
            worker.leave()
            if not process.dead and (self._ending or self.chance.random() < 0.5):  # noqa: PLR2004  # half of all ends
                await quietly(process.spawn(worker.engine.stop(self.chance.uniform(0.0, 3.0))))
            if engine.done() and not engine.cancelled() and isinstance(engine.exception(), Exception):
                self.broken.append(f"J1: an engine ended: {engine.exception()!r}")
            self._workers.remove(worker)
            await process.crash()
            await asyncio.sleep(self.chance.uniform(0.1, 4.0))

    async def _keep_serving(self, name: str) -> None:
        while not self._ending:
            process = await self._process(name)
            service = self.serve(process)
            self._services.append(service)
            await self._alive(process)
            self._services.remove(service)
            await process.crash()
            await asyncio.sleep(self.chance.uniform(0.1, 2.0))

    async def persistently(self, act: Callable[[S], Coroutine[Any, Any, Any]]) -> Any:
        """Ask until there is an answer, as a client does that was cut off or refused."""
        while True:
            answer = await self.asked(act)
            if answer is not None:
                return answer
            await asyncio.sleep(self.chance.uniform(0.2, 3.0))

    async def asked(self, act: Callable[[S], Coroutine[Any, Any, Any]]) -> Any:
        """Ask any service once, for as long as a client's patience lasts; the service does not hear of its end."""
        if not self._services:
            return None
        service = self.chance.choice(self._services)
        return await quietly(service.process.spawn(act(service)), patience_s=self.chance.uniform(2.0, 15.0))


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
    """End the tasks that dead processes left behind, and those that these begin as they end."""
    while left := [task for task in asyncio.all_tasks(loop) if task is not asyncio.current_task()]:
        for task in left:
            task.cancel()
        await asyncio.wait(left)


def lived[L: Life[Any]](life_of: Callable[[VirtualLoop], L]) -> L:
    """Live through one seed in virtual time, and return its life."""
    loop = VirtualLoop()
    loop.set_task_factory(owned)
    loop.set_exception_handler(lambda *_: None)  # the tasks of dead processes end as they like
    try:
        life = life_of(loop)
        loop.run_until_complete(life.run())
        loop.run_until_complete(swept(loop))
    finally:
        loop.close()
    return life
