"""Jobs from the transaction that asks for them to done, on both stores, beside other systems; how soon one starts.

Taskiq and Celery carry a message whose task does nothing; procrastinate's are rows of PostgreSQL, as ours are: added in a
transaction, claimed, ended in another. arq is left out: it wants a Redis client four major versions behind ours.
"""

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from importlib.util import find_spec
from pathlib import Path
from uuid import UUID, uuid4

from taskiq import AsyncBroker
from taskiq.api import run_receiver_task
from taskiq_redis import ListQueueBroker, RedisStreamBroker

from bench.figures import Figure, duration
from bench.peers.queues import Celery, Procrastinate
from opora.adapters.sql import migrations
from opora.adapters.sql.audit import AuditKey
from opora.adapters.sql.connection import Database
from opora.adapters.sql.leases import SqlJobLeases
from opora.adapters.sql.postgres import PostgresDatabase
from opora.adapters.sql.repositories import SqlParts
from opora.adapters.sql.sqlite import SqliteDatabase
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.adapters.system.clock import SystemClock
from opora.adapters.system.identifiers import TimeOrderedIdentifiers
from opora.adapters.system.randomness import SystemRandomness
from opora.core.jobs.model import Claim, NewJob
from opora.core.jobs.ports import Announcer
from opora.worker.engine import Engine, EnginePolicy
from servers.maintenance import Maintenance

POSTGRES_URL = os.environ.get("OPORA_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
REDIS_URL = os.environ.get("OPORA_TEST_REDIS_URL", "redis://127.0.0.1:6379/12")
JOBS, ROUNDS, IDLE = 600, 3, 60
GOALS = {"taskiq list": 0.5, "taskiq stream": 0.5, "procrastinate": 1, "Celery, late acks": 1}
"""The least that ours make of each peer's jobs a second."""
IS_PEERED = find_spec("celery") is not None and find_spec("procrastinate") is not None


class Silence:
    """A journal that keeps nothing."""

    def started(self, claim: Claim) -> None:
        """Say nothing."""

    def ended(self, claim: Claim, outcome: str, duration_s: float, error: BaseException | None) -> None:
        """Say nothing."""

    def troubled(self, what: str, error: BaseException) -> None:
        """Say nothing."""


class Here(Announcer):
    """Wakes the engine of this process."""

    engine: Engine

    def announce(self, ids: Sequence[UUID], kinds: Collection[str] = ()) -> None:
        self.engine.wake()


class Ours:
    """The engine over one store."""

    def __init__(self, database: Database) -> None:
        here = Here()
        self.database = database
        parts = SqlParts(TimeOrderedIdentifiers(), AuditKey(bytes(32)), here, {})
        self.unit = SqlUnitOfWork(database, parts)
        leases = SqlJobLeases(database, TimeOrderedIdentifiers(), SystemRandomness(), SystemClock())
        policy = EnginePolicy(concurrency=32)
        here.engine = self.engine = Engine(leases, {"bench": self.run}, here, SystemRandomness(), Silence(), policy)
        self.left = 0
        self.done = asyncio.Event()
        self.started_s = 0.0

    async def run(self, claim: Claim) -> None:
        """End at once."""
        self.started_s = time.perf_counter()
        async with self.unit() as tx:
            await tx.jobs.finish(claim)
        self.left -= 1
        if not self.left:
            self.done.set()

    async def burst(self, count: int) -> float:
        """Seconds a job, `count` of them added one a transaction by eight callers."""
        self.left = count
        self.done.clear()
        start_s = time.perf_counter()

        async def caller() -> None:
            for _ in range(count // 8):
                async with self.unit() as tx:
                    await tx.jobs.add(NewJob(kind="bench"))

        await asyncio.gather(*(caller() for _ in range(8)))
        async with asyncio.timeout(60):
            await self.done.wait()
        return (time.perf_counter() - start_s) / count

    async def idle_to_start(self) -> float:
        """Seconds from the commit of a job to its start, the engine idle before."""
        self.left = 1
        self.done.clear()
        async with self.unit() as tx:
            await tx.jobs.add(NewJob(kind="bench"))
        committed_s = time.perf_counter()
        async with asyncio.timeout(10):
            await self.done.wait()
        await asyncio.sleep(0.01)
        return max(self.started_s - committed_s, 0.0)


class Taskiq:
    """One of taskiq's brokers with a receiver in this process."""

    def __init__(self, broker: AsyncBroker) -> None:
        self.broker = broker
        self.left = 0
        self.done = asyncio.Event()

        async def run() -> None:
            self.left -= 1
            if not self.left:
                self.done.set()

        self.task = broker.register_task(run, task_name=f"bench-{uuid4().hex[:8]}")

    async def burst(self, count: int) -> float:
        """Seconds a message."""
        self.left = count
        self.done.clear()
        start_s = time.perf_counter()

        async def caller() -> None:
            for _ in range(count // 8):
                await self.task.kiq()

        await asyncio.gather(*(caller() for _ in range(8)))
        async with asyncio.timeout(60):
            await self.done.wait()
        return (time.perf_counter() - start_s) / count


async def medians(ways: dict[str, Callable[[int], Awaitable[float]]]) -> dict[str, float]:
    """Measure every way in turn and return the medians of its rounds."""
    rounds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, burst in ways.items():
            rounds[name].append(await burst(JOBS))
    return {name: statistics.median(times) for name, times in rounds.items()}


async def measured(folder: Path, url: str, peer_url: str) -> list[Figure]:
    """Measure ours on both stores beside taskiq's list and stream, and those that outlive their process."""
    stores: dict[str, Database] = {"SQLite": SqliteDatabase(folder / "jobs.db"), "PostgreSQL": PostgresDatabase(url)}
    for database in stores.values():
        await database.open()
    ours = {name: Ours(database) for name, database in stores.items()}
    durable = {"procrastinate": Procrastinate(peer_url), "Celery, late acks": Celery(REDIS_URL)} if IS_PEERED else {}
    for one in durable.values():
        await one.start()
    queue = f"opora_bench:{uuid4().hex[:8]}"
    peers = {
        "taskiq list": Taskiq(ListQueueBroker(REDIS_URL, queue_name=f"{queue}:list")),
        "taskiq stream": Taskiq(RedisStreamBroker(REDIS_URL, queue_name=f"{queue}:stream", maxlen=10_000)),
    }
    running = [asyncio.create_task(one.engine.run()) for one in ours.values()]
    for peer in peers.values():
        peer.broker.is_worker_process = True
        running.append(asyncio.create_task(run_receiver_task(peer.broker, run_startup=True)))
    await asyncio.sleep(0.5)
    costs = await medians({name: one.burst for name, one in (ours | peers | durable).items()})
    starts = {name: sorted([await one.idle_to_start() for _ in range(IDLE)]) for name, one in ours.items()}
    for one in durable.values():
        await one.stop()
    for one in ours.values():
        await one.engine.stop(1.0)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    for database in stores.values():
        await database.close()
    for peer in peers.values():
        await peer.broker.shutdown()
    return [*rates(costs), *latencies(starts)]


def rates(costs: dict[str, float]) -> list[Figure]:
    """Return jobs a second of ours, each beside each of taskiq's brokers."""
    return [
        Figure(
            f"jobs: no-op, {store}",
            f"{1 / costs[store]:,.0f}/s",
            f"{peer}: {1 / costs[peer]:,.0f}/s",
            costs[peer] / costs[store],
            f"≥ {goal}×",
            costs[peer] / costs[store] >= goal,
        )
        for store in ("SQLite", "PostgreSQL")
        for peer, goal in GOALS.items()
        if peer in costs
    ]


def latencies(starts: dict[str, list[float]]) -> list[Figure]:
    """Return how soon a job starts on an idle engine."""
    found = []
    for store, times in starts.items():
        half, most = statistics.median(times), times[int(len(times) * 0.99)]
        told = f"{duration(half)}, p99 {duration(most)}"
        found.append(Figure(f"jobs: idle to start, {store}", told, goal="p50 ≤ 5 ms", met=half <= 0.005))
    return found


def figures() -> list[Figure]:
    """Measure on databases of our own."""
    names = [f"opora_bench_{uuid4().hex[:8]}" for _ in range(2)]
    server = Maintenance(POSTGRES_URL)
    url, peer_url = [server.create(name) for name in names]
    try:
        with tempfile.TemporaryDirectory() as folder:
            for one in (url, f"sqlite:///{folder}/jobs.db"):
                migrations.upgrade(one)
            return asyncio.run(measured(Path(folder), url, peer_url))
    finally:
        for name in names:
            server.drop(name)
        server.close()


if __name__ == "__main__":
    for figure in figures():
        print(figure)
