"""Workers in virtual time: an hour of leases and pauses takes no time at all."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from opora.adapters.sql.audit import AuditKey
from opora.adapters.sql.jobs import SqlJobViews
from opora.adapters.sql.leases import SqlJobLeases, SqlJobProgress
from opora.adapters.sql.repositories import SqlParts
from opora.adapters.sql.sqlite import SqliteDatabase
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.adapters.system.identifiers import TimeOrderedIdentifiers
from opora.adapters.system.randomness import SystemRandomness
from opora.bootstrap.simulation.clock import SkewedClock, StoreClock, VirtualLoop
from opora.core.jobs.model import Claim, Job, JobState, LeasePolicy, NewJob, RetryPolicy
from opora.core.jobs.ports import Announcer
from opora.worker.engine import Engine, EnginePolicy, Handler

KIND = "k"
POLICY = EnginePolicy(concurrency=3, sweep_s=5.0, lease=LeasePolicy(9.0), retry=RetryPolicy(1.0, 20.0))


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "asyncio", {"loop_factory": VirtualLoop}


@dataclass
class Diary:
    """A journal that remembers."""

    started_ids: list[UUID] = field(default_factory=list)
    outcomes: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)

    def started(self, claim: Claim) -> None:
        self.started_ids.append(claim.id)

    def ended(self, claim: Claim, outcome: str, duration_s: float, error: BaseException | None) -> None:
        self.outcomes.append(outcome)

    def troubled(self, what: str, error: BaseException) -> None:
        self.troubles.append(what)


class Wakes(Announcer):
    """Wakes every engine of the shop, unless it was told to lose what is announced."""

    def __init__(self) -> None:
        self.engines: list[Engine] = []
        self.lossy = False

    def announce(self, ids: Sequence[UUID], kinds: Collection[str] = ()) -> None:
        for engine in [] if self.lossy else self.engines:
            engine.wake()


class Shop:
    """A store in virtual time, and the engines over it."""

    def __init__(self, database: SqliteDatabase, clock: StoreClock) -> None:
        self.database = database
        self.wakes = Wakes()
        self.unit = SqlUnitOfWork(database, SqlParts(TimeOrderedIdentifiers(), AuditKey(bytes(32)), self.wakes, {}))
        self.clock = SkewedClock(clock, 0.0)
        self.leases = SqlJobLeases(database, TimeOrderedIdentifiers(), SystemRandomness(), self.clock)
        self.views = SqlJobViews(database.read)
        self.progress = SqlJobProgress(database, asyncio.get_running_loop().time)
        self.diary = Diary()
        self._running: list[asyncio.Task[None]] = []

    async def add(self, **changes: Any) -> UUID:
        async with self.unit() as tx:
            return await tx.jobs.add(NewJob(**{"kind": KIND, **changes}))

    async def finish(self, claim: Claim) -> None:
        async with self.unit() as tx:
            await tx.jobs.finish(claim)

    def engine(self, handler: Handler, leases: Any = None, policy: EnginePolicy = POLICY) -> Engine:
        """Start an engine with one handler."""
        engine = Engine(leases or self.leases, {KIND: handler}, self.wakes, SystemRandomness(), self.diary, policy)
        self.wakes.engines.append(engine)
        self._running.append(asyncio.create_task(engine.run()))
        return engine

    async def job(self, id: UUID) -> Job:
        job = await self.views.one(id)
        assert job is not None
        return job

    async def until(self, id: UUID, state: JobState, within_s: float = 120.0) -> Job:
        """Let time pass until a job stands there."""
        async with asyncio.timeout(within_s):
            while (job := await self.job(id)).state is not state:  # noqa: ASYNC110
                await asyncio.sleep(0.05)  # it is the store that is asked
        return job

    async def close(self) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        await self.database.close()


@pytest.fixture
async def shop(anyio_backend: object, sqlite_file: Path) -> AsyncIterator[Shop]:
    clock = StoreClock(asyncio.get_running_loop())  # type: ignore[arg-type]  # the backend above made it
    database = SqliteDatabase(sqlite_file, now=clock)
    await database.open()
    shop = Shop(database, clock)
    yield shop
    await shop.close()
