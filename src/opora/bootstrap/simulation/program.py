"""The program that a simulated process runs: the real engine and its loops, or the service."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from opora.adapters.crypto.sealing import AnswerVault
from opora.adapters.sql import audit
from opora.adapters.sql.audit import AuditKey
from opora.adapters.sql.connection import Database
from opora.adapters.sql.housekeeping import SqlHousekeeping
from opora.adapters.sql.idempotency import SqlIdempotentCalls
from opora.adapters.sql.leases import SqlJobLeases, SqlJobProgress
from opora.adapters.sql.outbox import Subscription, Subscriptions
from opora.adapters.sql.repositories import SqlParts
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.bootstrap.simulation.chance import SeededIdentifiers, SeededRandomness, Storm
from opora.bootstrap.simulation.clock import SkewedClock, StoreClock
from opora.bootstrap.simulation.invariants import RETRY
from opora.bootstrap.simulation.processes import Process
from opora.bootstrap.simulation.work import HEAR, SUBSCRIBERS, TICK, TIDY, WORK, Asking, Effect, Worked
from opora.core.jobs.model import Claim, CronSlot, LeasePolicy
from opora.core.jobs.ports import Announcer
from opora.core.jobs.usecases import CancelJob, RetryJob, TidyUp
from opora.core.kernel.ports import Clock
from opora.worker.engine import Engine, EnginePolicy, Handler
from opora.worker.loops import Loop, Timekeeper

VAULT = AnswerVault(bytes(32), bytes(32))
KEY = AuditKey(b"a key that only simulations know")
SUBSCRIPTIONS: Subscriptions = {Worked.topic: [Subscription(name, HEAR) for name in SUBSCRIBERS]}
SLOTS = [CronSlot("tick", TICK, timedelta(seconds=10)), CronSlot("tidy", TIDY, timedelta(seconds=30))]
POLICY = EnginePolicy(concurrency=4, sweep_s=6.0, lease=LeasePolicy(6.0), retry=RETRY)
SKEW_S = 3.0


class Silence:
    """A journal that keeps nothing: the store is the witness."""

    def started(self, claim: Claim) -> None:
        """Say nothing."""

    def ended(self, claim: Claim, outcome: str, duration_s: float, error: BaseException | None) -> None:
        """Say nothing."""

    def troubled(self, what: str, error: BaseException) -> None:
        """Say nothing."""


class Messenger(Announcer):
    """Wake-ups between processes: late, lost, doubled, and to anybody."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.storm: Storm | None = None
        self.listeners: dict[str, list[Callable[[], None]]] = {}

    def announce(self, ids: Sequence[UUID], kinds: Collection[str] = ()) -> None:  # noqa: ARG002  # rows decide
        storm, chance = self.storm, self._chance
        if storm is not None and chance.random() < storm.wake_lost:
            return
        for _ in range(2 if storm is not None and chance.random() < storm.wake_doubled else 1):
            asyncio.get_running_loop().call_later(chance.uniform(0.0, 0.05), self._deliver)

    def _deliver(self) -> None:
        if self.listeners:
            for wake in self.listeners[self._chance.choice(sorted(self.listeners))]:
                wake()


class Parts:
    """What every process of one world is built from."""

    def __init__(self, clock: StoreClock, chance: random.Random) -> None:
        self.clock = clock
        self.chance = chance
        self.messenger = Messenger(chance)
        self.identifiers = SeededIdentifiers()
        self.randomness = SeededRandomness(chance)
        self.sql = SqlParts(self.identifiers, KEY, self.messenger, SUBSCRIPTIONS)
        self.keeping_time = True


class Worker:
    """The program of `opora worker` in one process: an engine, and the loops beside it."""

    def __init__(self, process: Process, messenger: Messenger, engine: Engine, loops: Sequence[Loop]) -> None:
        self.process = process
        self.engine = engine
        self._messenger = messenger
        self._loops = loops

    def start(self) -> asyncio.Task[None]:
        """Start everything in the process; returns the engine's task, which ends only by `stop` or death."""
        for loop in self._loops:
            self.process.spawn(loop.run())
        self._messenger.listeners[self.process.name] = [self.engine.wake, self._loops[0].wake]
        return self.process.spawn(self.engine.run())

    def leave(self) -> None:
        """Hear of nothing more."""
        self._messenger.listeners.pop(self.process.name, None)


def worker_of_jobs(process: Process, parts: Parts, storm: Storm) -> Worker:
    """Return the worker that has effects which can be counted, and nothing else to do."""
    unit, database = SqlUnitOfWork(process.database, parts.sql), process.database
    clock = skewed(parts)
    effect = Effect(unit, SqlJobProgress(database, loop_s), clock, parts.chance, storm)
    tidy = TidyUp(unit, SqlHousekeeping(database))
    handlers: dict[str, Handler] = {WORK: effect, HEAR: effect, TICK: effect, TIDY: tidy}
    loops = loops_of(parts, unit, database, KEY, Timekeeper(unit, clock, SLOTS))
    return Worker(process, parts.messenger, engine_of(parts, database, clock, handlers), loops)


def engine_of(parts: Parts, database: Database, clock: Clock, handlers: Mapping[str, Handler]) -> Engine:
    """Build the real engine over a simulated store."""
    leases = SqlJobLeases(database, parts.identifiers, parts.randomness, clock)
    return Engine(leases, handlers, parts.messenger, parts.randomness, Silence(), POLICY)


def skewed(parts: Parts) -> SkewedClock:
    """Return a clock that goes wrong by a little, as every process's does."""
    return SkewedClock(parts.clock, parts.chance.uniform(-SKEW_S, SKEW_S))


def loop_s() -> float:
    """Return the seconds of the running loop."""
    return asyncio.get_running_loop().time()


def loops_of(parts: Parts, unit: SqlUnitOfWork, database: Database, key: AuditKey, keeper: Timekeeper) -> list[Loop]:
    """Build the loops beside the engine, as the worker has them."""

    async def relay() -> bool:
        return await unit.relay(20) == 20  # noqa: PLR2004  # a full chunk: there is more

    async def seal() -> bool:
        await audit.seal(database, key)
        return False

    async def keep_time() -> bool:
        return await keeper() if parts.keeping_time else False

    actions: list[tuple[str, float, Callable[[], Awaitable[bool]]]] = [
        ("relay", 6.0, relay),
        ("seal", 10.0, seal),
        ("time", 5.0, keep_time),
    ]
    return [Loop(name, every_s, action, Silence()) for name, every_s, action in actions]


class Service:
    """The program of `opora serve` in one process, as far as jobs are concerned."""

    def __init__(self, process: Process, parts: Parts) -> None:
        self.process = process
        unit = SqlUnitOfWork(process.database, parts.sql)
        clock = SkewedClock(parts.clock, 0.0)
        self.ask = Asking(SqlIdempotentCalls(process.database, parts.randomness, VAULT), unit, clock)
        self.cancel = CancelJob(unit, clock)
        self.retry = RetryJob(unit, clock)
