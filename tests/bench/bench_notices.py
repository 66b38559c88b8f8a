"""Reminders that are due together, on both stores, and five hundred readers of one broadcast a second."""

import asyncio
import json
import os
import tempfile
import time
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from websockets.asyncio.client import ClientConnection, connect

from bench.bench_jobs import POSTGRES_URL, Here, Silence
from bench.figures import Figure, duration
from e2e.running import Installation
from opora.adapters.crypto.unsubscribing import SignedUnsubscribing
from opora.adapters.memory.live import LocalLive
from opora.adapters.sql import migrations
from opora.adapters.sql.audit import AuditKey
from opora.adapters.sql.connection import Database
from opora.adapters.sql.leases import SqlJobLeases
from opora.adapters.sql.notifications.recipients import SqlRecipients
from opora.adapters.sql.postgres import PostgresDatabase
from opora.adapters.sql.repositories import SqlParts
from opora.adapters.sql.sqlite import SqliteDatabase
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.adapters.system.clock import SystemClock
from opora.adapters.system.identifiers import TimeOrderedIdentifiers
from opora.adapters.system.randomness import SystemRandomness
from opora.adapters.templates.wording import JinjaTemplates
from opora.core.access.model.people import User
from opora.core.access.model.tickets import StreamTicket
from opora.core.access.usecases.tickets import digest_of
from opora.core.notifications.model.deliveries import DELIVER, FIRE
from opora.core.notifications.model.letters import Letter
from opora.core.notifications.model.notices import Notice
from opora.core.notifications.model.preferences import Preferences
from opora.core.notifications.ports.channels import Mailer
from opora.core.notifications.usecases.carrying import AttachmentMakers, CarryNotice, MailPolicy
from opora.core.notifications.usecases.delivering import Deliver
from opora.core.notifications.usecases.firing import FireNotice, RelevanceChecks
from opora.worker.engine import Engine, EnginePolicy
from servers.maintenance import Maintenance

REMINDERS = 10_000
WITHIN_S = 60.0
READERS, BROADCASTS = 500, 10
LATE_MAX_S = 0.5
KIND = "notifications.trial"


class Counter(Mailer):
    """Takes letters and remembers their names."""

    def __init__(self) -> None:
        self.names: list[str] = []

    async def send(self, letter: Letter) -> str:
        self.names.append(letter.message_id)
        return "250"


async def reminders(database: Database) -> Figure:
    """Send everything that is due at one moment, by one process."""
    here, clock, identifiers, randomness = Here(), SystemClock(), TimeOrderedIdentifiers(), SystemRandomness()
    unit = SqlUnitOfWork(database, SqlParts(identifiers, AuditKey(bytes(32)), here, {}))
    recipients, relevance, mailer = SqlRecipients(database.read), RelevanceChecks({}), Counter()
    templates = JinjaTemplates("https://opora.example")
    ways = (mailer, None, None, None)
    policy, links = MailPolicy("opora.example", "https://opora.example"), SignedUnsubscribing(bytes(32))
    carry = CarryNotice(unit, templates, *ways, AttachmentMakers({}), links, policy)  # type: ignore[arg-type]
    handlers = {
        FIRE: FireNotice(unit, recipients, relevance, templates, LocalLive(), identifiers, clock),
        DELIVER: Deliver(unit, recipients, relevance, carry, randomness, clock),
    }
    leases = SqlJobLeases(database, identifiers, randomness, clock)
    here.engine = Engine(leases, handlers, here, randomness, Silence(), EnginePolicy(concurrency=32))  # type: ignore[arg-type]
    fire_at = datetime.now(UTC) + timedelta(seconds=1)
    async with unit() as tx:
        for number in range(REMINDERS):
            data = {"sent_at": fire_at.isoformat()}
            await tx.notices.add(Notice(kind=KIND, email=f"c{number}@example.org", data=data, fire_at=fire_at))
    running = asyncio.create_task(here.engine.run())
    started_s, cpu_s = time.perf_counter(), time.process_time()
    while len(mailer.names) < REMINDERS:  # noqa: ASYNC110  # nobody tells
        await asyncio.sleep(0.05)
    took_s, cpu_s = time.perf_counter() - started_s, time.process_time() - cpu_s
    await here.engine.stop()
    await running
    once = len(set(mailer.names)) == len(mailer.names)
    return Figure(
        f"{REMINDERS:,} reminders due at once, all sent, one process, {database.dialect}",
        f"{took_s:.1f} s, {duration(cpu_s / REMINDERS)} of a core each",
        goal=f"≤ {WITHIN_S:.0f} s, none twice",
        met=took_s <= WITHIN_S and once,
    )


async def both() -> list[Figure]:
    """Measure each store."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "bench.db"
        await asyncio.to_thread(migrations.upgrade, f"sqlite:///{file}")
        found.append(await measured(SqliteDatabase(file)))
    postgres, name = Maintenance(POSTGRES_URL), f"bench_notices_{os.getpid()}"
    url = postgres.create(name)
    try:
        await asyncio.to_thread(migrations.upgrade, url)
        found.append(await measured(PostgresDatabase(url)))
    finally:
        postgres.drop(name)
    return found


async def measured(database: Database) -> Figure:
    """Open a store, measure, close it."""
    await database.open()
    try:
        return await reminders(database)
    finally:
        await database.close()


class Audience:
    """Readers of one person's notices, and how late each notice reached each of them."""

    def __init__(self) -> None:
        self.late_s: list[float] = []
        self.numbers: list[int] = []

    async def read(self, socket: ClientConnection) -> None:
        """Read every broadcast."""
        for _ in range(BROADCASTS):
            told = json.loads(await socket.recv())
            self.late_s.append((datetime.now(UTC) - datetime.fromisoformat(told["created_at"])).total_seconds())
            self.numbers.append(told["id"])


async def prepared(unit: SqlUnitOfWork) -> tuple[int, Sequence[str]]:
    """Keep a person who wants no letters, and tickets for their readers."""
    now = datetime.now(UTC)
    texts = [f"bench-{number}" for number in range(READERS)]
    async with unit() as tx:
        user = User(id=await tx.users.next_id(), email="bench@example.org", created_at=now)
        await tx.users.add(user)
        await tx.preferences.put(user.id, Preferences(channels={KIND: {"email": False}}))
        for text in texts:
            until = now + timedelta(minutes=5)
            ticket = StreamTicket(digest=digest_of(text), user_id=user.id, issued_at=now, expires_at=until)
            await tx.stream_tickets.add(ticket)
    return user.id, texts


async def broadcast(home: Path, address: str) -> Figure:
    """Tell five hundred readers of one process something once a second."""
    database = SqliteDatabase(home / "opora.db")
    await database.open()
    unit = SqlUnitOfWork(database, SqlParts(TimeOrderedIdentifiers(), AuditKey(bytes(32)), Quiet(), {}))
    user_id, tickets = await prepared(unit)
    place = f"{address.replace('http', 'ws', 1)}/api/v1/ws/notifications?ticket="
    sockets = [await connect(place + text, proxy=None, compression=None) for text in tickets]
    audience = Audience()
    reading = [asyncio.create_task(audience.read(socket)) for socket in sockets]
    for _ in range(BROADCASTS):
        async with unit() as tx:
            await tx.notices.add(Notice(kind=KIND, user_id=user_id, data={"sent_at": datetime.now(UTC).isoformat()}))
        await asyncio.sleep(1.0)
    async with asyncio.timeout(30):
        await asyncio.gather(*reading)
    await asyncio.gather(*(socket.close() for socket in sockets))
    await database.close()
    late_s = sorted(audience.late_s)
    p99_s = late_s[int(len(late_s) * 0.99)]
    whole = len(audience.numbers) == READERS * BROADCASTS
    return Figure(
        f"{READERS} WebSockets of one process, one broadcast a second",
        f"p50 {duration(late_s[len(late_s) // 2])}, p99 {duration(p99_s)}",
        goal=f"p99 ≤ {duration(LATE_MAX_S)}, each once",
        met=p99_s <= LATE_MAX_S and whole,
    )


class Quiet(Here):
    """Wakes nobody: the service looks by itself."""

    def announce(self, ids: Sequence[UUID], kinds: Collection[str] = ()) -> None:
        """Say nothing."""


def figures() -> list[Figure]:
    """Measure all of it."""
    found = asyncio.run(both())
    with tempfile.TemporaryDirectory() as folder:
        wide = {"OPORA_ADDRESS_LIMIT_PER_MIN": "1000000", "OPORA_JOB_POLL_MS": "50"}
        installation = Installation(Path(folder) / "home", wide)
        try:
            address = installation.serve()
            found.append(asyncio.run(broadcast(installation.home, address)))
        finally:
            installation.end()
    return found


if __name__ == "__main__":
    for figure in figures():
        print(figure)
