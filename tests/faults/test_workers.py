"""Workers killed, stopped and cut off from their servers: no job is lost, no effect is had twice."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from faults.conftest import LEASE_S, Nursery, Yard, settings
from opora.adapters.sql import migrations
from opora.adapters.sql.postgres import PostgresDatabase
from servers import redis
from servers.plugin import Private

pytestmark = pytest.mark.anyio

JOBS = 300
KILLS = 20


async def test_workers_killed_twenty_times_lose_no_job_and_repeat_no_effect(yard: Yard) -> None:
    ids = await yard.add(JOBS, seconds=0.05)
    workers = [yard.nursery.start() for _ in range(2)]
    await yard.until("succeeded", 1)
    for turn in range(KILLS):
        await asyncio.sleep(0.15)
        os.kill(workers[turn % 2], signal.SIGKILL)
        workers[turn % 2] = yard.nursery.start()
    await yard.each_once(ids)


async def test_a_worker_stopped_past_its_lease_changes_nothing_when_it_goes_on(yard: Yard) -> None:
    stopped = yard.nursery.start()
    ids = await yard.add(6, seconds=1.0)
    await yard.until("running", 6)
    os.kill(stopped, signal.SIGSTOP)
    yard.nursery.start()
    await yard.until("succeeded", len(ids), within_s=LEASE_S + 20)
    os.kill(stopped, signal.SIGCONT)
    more = await yard.add(20, seconds=0.05)
    await yard.each_once(ids + more)


async def test_a_worker_told_to_end_gives_its_jobs_back(yard: Yard) -> None:
    worker = yard.nursery.start()
    ids = await yard.add(20, seconds=0.3)
    await yard.until("running", 1)
    os.kill(worker, signal.SIGTERM)
    yard.nursery.start()
    await yard.each_once(ids)


async def test_jobs_go_on_without_redis(postgres_yard: Yard, private_redis: Private) -> None:
    for _ in range(2):
        postgres_yard.nursery.start()
    ids = await postgres_yard.add(20, seconds=0.02)
    await postgres_yard.until("succeeded", 1)
    server = redis.Plain(private_redis.url)
    server.call("FLUSHALL")
    server.close()
    ids += await postgres_yard.add(20, seconds=0.02)
    await postgres_yard.until("succeeded", 30)
    private_redis.process.send(signal.SIGKILL)
    ids += await postgres_yard.add(60, seconds=0.02)
    await postgres_yard.each_once(ids)


async def test_jobs_go_on_after_a_restart_of_postgresql(private_postgres: Private, tmp_path: Path) -> None:
    await asyncio.to_thread(migrations.upgrade, private_postgres.url)
    database = PostgresDatabase(private_postgres.url)
    await database.open()
    nursery = Nursery(settings(tmp_path, OPORA_DATABASE_URL=private_postgres.url))
    try:
        yard = Yard(database, nursery)
        nursery.start()
        ids = await yard.add(100, seconds=0.05)
        await yard.until("succeeded", 10)
        await asyncio.to_thread(private_postgres.process.restart)
        ids += await yard.add(20, seconds=0.05)
        await yard.each_once(ids)
    finally:
        nursery.close()
        await database.close()
