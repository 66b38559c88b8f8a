"""Ten thousand reminders due in one moment while their worker is killed ten times: who hears, and how often."""

import asyncio
import os
import signal
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from uuid import uuid4

from bench.bench_bookings import POSTGRES_URL
from bench.figures import Figure
from faults.conftest import Nursery, Yard, settings
from opora.adapters.sql.connection import Database
from opora.adapters.sql.migrations import upgrade
from opora.adapters.sql.postgres import PostgresDatabase
from opora.adapters.sql.sqlite import SqliteDatabase
from opora.core.notifications.model.notices import Notice
from servers.mail import MailServer
from servers.maintenance import Maintenance

REMINDERS, KILLS, WORKERS, CONCURRENCY = 10_000, 10, 2, 16
WITHIN_S = 900.0
SENT = "SELECT count(*) FROM deliveries WHERE state = 'sent'"


async def reminded(yard: Yard, fire_at: datetime) -> None:
    """Keep reminders that fire together."""
    async with yard.unit() as tx:
        for number in range(REMINDERS):
            data = {"sent_at": fire_at.isoformat()}
            to = f"client{number}@example.org"
            await tx.notices.add(Notice(kind="notifications.trial", email=to, data=data, fire_at=fire_at))


async def killed_and_sent(yard: Yard, nursery: Nursery, post: MailServer) -> float:
    """Kill a worker each time another part of the letters has arrived; return how long all of it took."""
    workers = [nursery.start() for _ in range(WORKERS)]
    begun, kills = time.perf_counter(), 0
    async with asyncio.timeout(WITHIN_S):
        while await yard.database.read.fetch_value(SENT) < REMINDERS:
            if kills < KILLS and len(post.letters) > REMINDERS * (kills + 0.5) / KILLS:
                os.kill(workers[kills % WORKERS], signal.SIGKILL)
                workers[kills % WORKERS] = nursery.start()
                kills += 1
            await asyncio.sleep(0.1)
    assert kills == KILLS
    return time.perf_counter() - begun


async def stormed(database: Database, nursery_environment: dict[str, str]) -> Figure:
    """Play it on one store."""
    post = MailServer()
    await post.open()
    nursery = Nursery({**nursery_environment, "OPORA_SMTP_URL": f"smtp://127.0.0.1:{post.port}"})
    await database.open()
    try:
        yard = Yard(database, nursery)
        await reminded(yard, datetime.now(UTC) + timedelta(seconds=1))
        took_s = await killed_and_sent(yard, nursery, post)
    finally:
        nursery.close()
        await post.close()
        await database.close()
    return told(database.dialect, post, took_s)


def told(store: str, post: MailServer, took_s: float) -> Figure:
    """Return the row: every address once under one name, and what left again because nobody knew that it had left."""
    letters: list[Message] = [message_from_bytes(one) for one in post.letters]
    names = Counter((letter["To"], letter["Message-ID"]) for letter in letters)
    reached = {to for to, _ in names}
    copies = sum(names.values()) - len(names)
    bound = KILLS * CONCURRENCY
    return Figure(
        f"{REMINDERS:,} reminders due at once, worker killed {KILLS} times, {store}",
        f"{len(reached):,} reached in {took_s:.0f} s, each under one name; {copies} copies of those in flight",
        goal=f"all, none under two names, ≤ {bound} copies",
        met=len(reached) == len(names) == REMINDERS and copies <= bound,
    )


def on_sqlite() -> Figure:
    """Play it with no server."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "opora.db"
        upgrade(f"sqlite:///{file}")
        told_of = settings(Path(folder), OPORA_WORKER_CONCURRENCY=str(CONCURRENCY))
        return asyncio.run(stormed(SqliteDatabase(file), told_of))


def on_postgres() -> Figure:
    """Play it on PostgreSQL, woken by the sweep alone."""
    server, name = Maintenance(POSTGRES_URL), f"opora_bench_{uuid4().hex[:8]}"
    url = server.create(name)
    try:
        with tempfile.TemporaryDirectory() as folder:
            upgrade(url)
            told_of = settings(Path(folder), OPORA_DATABASE_URL=url, OPORA_WORKER_CONCURRENCY=str(CONCURRENCY))
            return asyncio.run(stormed(PostgresDatabase(url), told_of))
    finally:
        server.drop(name)
        server.close()


def figures() -> list[Figure]:
    """Play both stores."""
    return [on_sqlite(), on_postgres()]


if __name__ == "__main__":
    print(*figures(), sep="\n")
