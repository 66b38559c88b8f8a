"""Events from their commit to the bus's confirmation, beside the bare driver publishing the same bodies.

The peer keeps nothing: no row, no order, no lease. Both have the same number of messages under way.
"""

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import aio_pika

from bench.figures import Figure
from opora.adapters.amqp.bus import RabbitBus
from opora.adapters.redis.bus import RedisBus
from opora.adapters.redis.connection import RedisConnection
from opora.adapters.sql import migrations
from opora.adapters.sql.audit import AuditKey
from opora.adapters.sql.bus.queue import SqlBusQueue
from opora.adapters.sql.connection import Database
from opora.adapters.sql.postgres import PostgresDatabase
from opora.adapters.sql.repositories import SqlParts
from opora.adapters.sql.sqlite import SqliteDatabase
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.adapters.system.identifiers import TimeOrderedIdentifiers
from opora.core.bus.model import Message
from opora.core.bus.ports import EventBus
from opora.core.jobs.ports import Announcer
from opora.testing.bus import Passed
from opora.worker.journal import LoggedJournal
from opora.worker.publisher import Publisher
from servers.maintenance import Maintenance

POSTGRES_URL = os.environ.get("OPORA_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
REDIS_URL = os.environ.get("OPORA_TEST_REDIS_URL", "redis://127.0.0.1:6379/12")
AMQP_URL = os.environ.get("OPORA_TEST_AMQP_URL", "amqp://guest:guest@127.0.0.1:5672/")
EVENTS, HOT, ROUNDS, UNDER_WAY = 3000, 300, 3, 500


class Nobody(Announcer):
    """Tells nobody."""

    def announce(self, ids: Sequence[UUID], kinds: Collection[str] = ()) -> None:
        """Say nothing."""


class House:
    """Committed events of one store, and their way to one bus."""

    def __init__(self, database: Database, bus: EventBus) -> None:
        parts = SqlParts(TimeOrderedIdentifiers(), AuditKey(bytes(32)), Nobody(), {}, to_bus=True)
        self._unit = SqlUnitOfWork(database, parts)
        self._publish = Publisher(SqlBusQueue(database), bus, LoggedJournal(), "https://api.example.org", uuid4().hex)

    async def rate(self, count: int, things: int) -> float:
        """Events a second, of so many things, from committed rows to marked ones."""
        async with self._unit() as tx:
            for number in range(count):
                await tx.outbox.add(Passed(subject=number % things, at=datetime.now(UTC), number=number))
        started_s = time.perf_counter()
        while await self._publish():
            pass
        return count / (time.perf_counter() - started_s)


async def bare(bus: EventBus) -> float:
    """Messages a second through the adapter alone, as many under way as a batch has."""
    body = b'{"specversion":"1.0","data":{"subject":1,"at":"2030-01-01T12:00:00Z","number":1}}' * 3
    started_s = time.perf_counter()
    for _ in range(EVENTS // UNDER_WAY):
        await bus.publish([Message(uuid4(), "contract.passed", body) for _ in range(UNDER_WAY)])
    return EVENTS / (time.perf_counter() - started_s)


async def median(measure: Callable[[], Awaitable[float]]) -> float:
    """Measure a few times."""
    return statistics.median([await measure() for _ in range(ROUNDS)])


async def rows(stores: dict[str, Database], buses: dict[str, EventBus]) -> list[Figure]:
    """Measure every store with every bus."""
    found = []
    for carrier, bus in buses.items():
        for store, database in stores.items():
            house = House(database, bus)
            rate, peer = [], []
            for _ in range(ROUNDS):
                peer.append(await bare(bus))
                rate.append(await house.rate(EVENTS, EVENTS))
            ours, theirs = statistics.median(rate), statistics.median(peer)
            told = f"bare: {theirs:,.0f}/s"
            found.append(Figure(f"events to {carrier}, {store}", f"{ours:,.0f}/s", told, ours / theirs))
            hot = await median(lambda house=house: house.rate(HOT, 1))  # type: ignore[misc]
            found.append(Figure(f"events of one thing to {carrier}, {store}", f"{hot:,.0f}/s"))
    return found


async def measured(folder: Path, url: str) -> list[Figure]:
    """Measure on databases, an exchange and a stream of our own; a queue that keeps everything is bound."""
    name = f"opora.bench.{uuid4().hex[:8]}"
    stores: dict[str, Database] = {"SQLite": SqliteDatabase(folder / "bus.db"), "PostgreSQL": PostgresDatabase(url)}
    redis = RedisConnection(REDIS_URL, timeout_s=10.0)
    buses: dict[str, EventBus] = {"RabbitMQ": RabbitBus(AMQP_URL, name), "Redis": RedisBus(redis, name, 100_000)}
    for database in stores.values():
        await database.open()
    async with await aio_pika.connect(AMQP_URL) as connection:
        channel = await connection.channel()
        await buses["RabbitMQ"].check()
        queue = await channel.declare_queue(name, durable=True, arguments={"x-queue-type": "quorum"})
        await queue.bind(name, "#")
        try:
            return await rows(stores, buses)
        finally:
            await channel.queue_delete(name)
            await channel.exchange_delete(name)
            await redis.call("DEL", name)
            for one in (*stores.values(), *buses.values()):
                await one.close()


def figures() -> list[Figure]:
    """Measure on databases of our own."""
    name = f"opora_bench_{uuid4().hex[:8]}"
    server = Maintenance(POSTGRES_URL)
    url = server.create(name)
    try:
        with tempfile.TemporaryDirectory() as folder:
            for one in (url, f"sqlite:///{folder}/bus.db"):
                migrations.upgrade(one)
            return asyncio.run(measured(Path(folder), url))
    finally:
        server.drop(name)
        server.close()


if __name__ == "__main__":
    for figure in figures():
        print(figure)
