"""A bus that is cut, flushed and restarted: every committed event has its effect once, each thing's in order."""

import asyncio
import contextlib
import os
import signal
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import aio_pika
import pytest

from faults.conftest import Nursery, settings
from opora.adapters.amqp.bus import RabbitBus
from opora.adapters.redis.bus import RedisBus
from opora.adapters.redis.connection import RedisConnection
from opora.adapters.sql.bus.queue import SqlBusQueue
from opora.adapters.sql.connection import Database
from opora.adapters.sql.repositories import SqlParts
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.core.bus.ports import EventBus
from opora.events import Event, Patience, SqliteInbox, listen
from opora.testing.bus import Passed
from opora.worker.journal import LoggedJournal
from opora.worker.loops import Loop
from opora.worker.publisher import Publisher, PublishPolicy
from servers import redis
from servers.plugin import Private
from servers.proxy import Proxy

pytestmark = pytest.mark.anyio
EVENTS, THINGS = 400, 20
WITHIN_S = 240
POLICY = PublishPolicy(chunk=50, lease_s=3.0, look_s=0.2)


class Shop:
    """A listener whose effect is a row: what it has, and in which order it came."""

    def __init__(self, file: Path) -> None:
        self.inbox = SqliteInbox(file)
        self.deliveries = 0

    async def open(self) -> None:
        await self.inbox.open()
        self.inbox.connection.execute("CREATE TABLE effects (place INTEGER PRIMARY KEY, thing INT, number INT)")

    async def __call__(self, event: Event, tx: sqlite3.Connection) -> None:
        self.deliveries += 1
        tx.execute("INSERT INTO effects (thing, number) VALUES (?, ?)", (event.data["subject"], event.data["number"]))

    def effects(self) -> list[tuple[int, int]]:
        return self.inbox.connection.execute("SELECT thing, number FROM effects ORDER BY place").fetchall()


class House:
    """Opora's side: transactions that leave events, and publishers, two of them as two processes would have."""

    def __init__(self, database: Database, parts: SqlParts, buses: list[EventBus]) -> None:
        more = SqlParts(parts.identifiers, parts.audit_key, parts.announcer, {}, to_bus=True)
        self.unit = SqlUnitOfWork(database, more)
        self.queue = SqlBusQueue(database)
        self._loops = [
            Loop("publishing", 0.1, Publisher(self.queue, bus, LoggedJournal(), "/", f"p{number}", POLICY), Deaf())
            for number, bus in enumerate(buses)
        ]

    @contextlib.asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(loop.run()) for loop in self._loops]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def happen(self) -> None:
        """Let things happen over a few seconds, each in a transaction."""
        for number in range(EVENTS):
            async with self.unit() as tx:
                await tx.outbox.add(Passed(subject=number % THINGS, at=datetime.now(UTC), number=number))
            if number % 10 == 0:
                await asyncio.sleep(0.03)


class Deaf(LoggedJournal):
    """Troubles are what is played here."""

    def troubled(self, what: str, error: BaseException) -> None:
        return


async def played(house: House, shop: Shop, url: str, name: str, trouble: Callable[[], Awaitable[None]]) -> None:
    """Let things happen during the trouble, wait until the last effect is there, and look at all of them."""
    await shop.open()
    ready = asyncio.Event()
    listening = asyncio.create_task(
        listen(url, name, shop, shop.inbox, exchange=name, stream=name, patience=Patience(), listening=ready)
    )
    try:
        async with asyncio.timeout(WITHIN_S), house.working():
            await ready.wait()
            await asyncio.gather(house.happen(), trouble())
            while len(shop.effects()) < EVENTS or not await house.queue.is_empty():  # noqa: ASYNC110  # stores are asked
                await asyncio.sleep(0.05)
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
    found = shop.effects()
    shop.inbox.close()
    assert sorted(number for _, number in found) == list(range(EVENTS))
    for thing in range(THINGS):
        order = [number for one, number in found if one == thing]
        assert order == sorted(order), thing


@pytest.fixture
async def cut_rabbitmq(anyio_backend: str, amqp_url: str) -> AsyncIterator[tuple[Proxy, Proxy, str]]:
    """Two ways to the broker that may be cut, and a name for the exchange and the queue, which go after the test."""
    name = f"opora.test.{uuid4().hex[:12]}"
    ours, theirs = Proxy(amqp_url), Proxy(amqp_url)
    await ours.start()
    await theirs.start()
    yield ours, theirs, name
    await ours.cut()
    await theirs.cut()
    connection = await aio_pika.connect(amqp_url)
    async with connection:
        channel = await connection.channel()
        for queue in (name, f"{name}.dead"):
            await channel.queue_delete(queue)
        await channel.exchange_delete(name)


async def test_rabbitmq_cut_again_and_again_loses_nothing_and_doubles_nothing(
    database: Database, sql_parts: SqlParts, tmp_path: Path, cut_rabbitmq: tuple[Proxy, Proxy, str]
) -> None:
    ours, theirs, name = cut_rabbitmq
    buses: list[EventBus] = [RabbitBus(ours.url, name, confirm_s=3.0) for _ in range(2)]

    async def trouble() -> None:
        for turn in range(6):
            await asyncio.sleep(0.25)
            for proxy in (ours, theirs) if turn % 3 == 2 else (ours,) if turn % 3 else (theirs,):
                await proxy.cut()
            await asyncio.sleep(0.2)
            for proxy in (ours, theirs):
                with contextlib.suppress(OSError):
                    await proxy.start()

    await played(House(database, sql_parts, buses), Shop(tmp_path / "shop.db"), theirs.url, name, trouble)
    for bus in buses:
        await bus.close()


async def test_workers_killed_while_they_publish_lose_no_event_and_change_no_order(
    sqlite_database: Database,
    sqlite_file: Path,
    sql_parts: SqlParts,
    tmp_path: Path,
    cut_rabbitmq: tuple[Proxy, Proxy, str],
) -> None:
    ours, theirs, name = cut_rabbitmq
    nursery = Nursery(settings(sqlite_file.parent, OPORA_AMQP_URL=ours.url, OPORA_BUS_EXCHANGE=name))

    async def trouble() -> None:
        workers = [nursery.start() for _ in range(2)]
        for turn in range(10):
            await asyncio.sleep(0.25)
            os.kill(workers[turn % 2], signal.SIGKILL)
            workers[turn % 2] = nursery.start()

    try:
        await played(House(sqlite_database, sql_parts, []), Shop(tmp_path / "shop.db"), theirs.url, name, trouble)
    finally:
        nursery.close()


async def test_redis_flushed_and_restarted_loses_nothing_and_doubles_nothing(
    database: Database, sql_parts: SqlParts, tmp_path: Path, private_redis: Private
) -> None:
    buses: list[EventBus] = [
        RedisBus(RedisConnection(private_redis.url, timeout_s=3.0), "events", 100_000) for _ in range(2)
    ]

    async def trouble() -> None:
        for _ in range(3):
            await asyncio.sleep(0.4)
            server = redis.Plain(private_redis.url)
            server.call("FLUSHALL")
            server.close()
        await asyncio.sleep(0.3)
        await asyncio.to_thread(private_redis.process.restart)  # it keeps nothing on disk

    house, shop = House(database, sql_parts, buses), Shop(tmp_path / "shop.db")
    await played(house, shop, private_redis.url, "events", trouble)
    for bus in buses:
        await bus.close()
