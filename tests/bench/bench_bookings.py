"""Free slots, and hot slots that 64 clients want at once: ours, and a lock on the row of who gives them.

An attempt is a whole transaction. On PostgreSQL both ways make it over one pool, in turn, in the same run: the slots are
the same, and every 32 attempts everybody wants a fresh one, so that there are winners too.
"""

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from uuid import uuid4

from bench.figures import Figure, duration, timed
from opora.adapters.sql.bookings.appointments import SqlAppointmentRepository
from opora.adapters.sql.connection import Connection, Database, carried
from opora.adapters.sql.migrations import upgrade
from opora.adapters.sql.postgres import PostgresDatabase
from opora.adapters.sql.sqlite import SqliteDatabase
from opora.core.bookings.model.appointments import Appointment, Session, Status
from opora.core.bookings.model.hours import Availability, Busy, Diary, WeeklyHours, instant_of, minute_of
from opora.core.bookings.model.offerings import CancellationPolicy, Offering
from opora.core.bookings.rules import slots
from servers.maintenance import Maintenance

POSTGRES_URL = os.environ.get("OPORA_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
CLIENTS, ATTEMPTS, ROUNDS, PER_SLOT = 64, 2_000, 5, 32
NOW = datetime(2030, 1, 7, 6, tzinfo=UTC)
START = minute_of(NOW)
FRESH = count()
STAFF, DAYS, BOOKED = 20, 60, 200
OVERLAPS = """
SELECT count(*) FROM engagements a JOIN engagements b ON a.staff_id = b.staff_id AND a.id < b.id
 AND a.busy_from_min < b.busy_until_min AND b.busy_from_min < a.busy_until_min
"""
LOCK = "SELECT user_id FROM availability WHERE user_id = :staff_id FOR UPDATE"
LOOK = """
SELECT 1 FROM engagements WHERE staff_id = :staff_id AND busy_from_min < :busy_until_min
 AND busy_until_min > :busy_from_min LIMIT 1
"""
OPEN = """
INSERT INTO engagements (staff_id, service_id, start_min, busy_from_min, busy_until_min, capacity)
VALUES (:staff_id, :service_id, :start_min, :busy_from_min, :busy_until_min, 1) RETURNING id
"""

type Attempt = Callable[[Connection, Session], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Run:
    """What many attempts at once came to."""

    wall_s: float
    p99_s: float
    won: int
    failed: int


def session(number: int) -> Session:
    """Return the number-th hour of a hot diary."""
    start = START + 60 * number
    return Session(10, 1, start, start, start + 60, 1)


def taken(place: Session, engagement_id: int) -> Appointment:
    """Return the appointment that has the place."""
    return Appointment(
        id=engagement_id,
        uid="bench",
        service_id=1,
        staff_id=place.staff_id,
        client_id=1,
        status=Status.CONFIRMED,
        starts_at=instant_of(place.start_min),
        ends_at=instant_of(place.busy_until_min),
        timezone="UTC",
        price_minor=0,
        currency="RUB",
        policy=CancellationPolicy(),
        engagement_id=engagement_id,
        place=0,
        created_at=NOW,
        changed_at=NOW,
    )


async def ours(connection: Connection, wanted: Session) -> bool:
    """Claim the place and book it."""
    appointments = SqlAppointmentRepository(connection)
    seat = await appointments.claim(wanted)
    if seat is None:
        return False
    await appointments.add(taken(wanted, seat.engagement_id))
    return True


async def locking(connection: Connection, wanted: Session) -> bool:
    """Hold the diary, look, and book."""
    parameters = {"staff_id": wanted.staff_id}
    await connection.fetch(LOCK, **parameters)
    span = {"busy_from_min": wanted.busy_from_min, "busy_until_min": wanted.busy_until_min}
    if await connection.fetch(LOOK, **parameters, **span):
        return False
    id = await connection.fetch_value(
        OPEN, **parameters, **span, service_id=wanted.service_id, start_min=wanted.start_min
    )
    await SqlAppointmentRepository(connection).add(taken(wanted, id))
    return True


async def run(database: Database, attempt: Attempt, attempts: int, per_slot: int = PER_SLOT) -> Run:
    """Let 64 clients make that many attempts together."""
    first = next(FRESH) * (ATTEMPTS // PER_SLOT + 1) * 2
    numbers = iter(range(attempts))
    times: list[float] = []
    won = failed = 0

    async def client() -> None:
        nonlocal won, failed
        for number in numbers:
            began = time.perf_counter()
            try:
                async with carried(await database.begin()) as connection:
                    got = await attempt(connection, session(first + number // per_slot))
                won += got
            except Exception:  # a deadlock, or whatever else is no answer
                failed += 1
            times.append(time.perf_counter() - began)

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return Run(time.perf_counter() - began, statistics.quantiles(times, n=100)[98], won, failed)


async def prepared(database: Database) -> None:
    """Give the hot diary its row."""
    await database.read.execute(
        "INSERT INTO availability (user_id, timezone, weekly, exceptions, closures, changed_at)"
        " VALUES (10, 'UTC', '[]', '[]', '[]', :now)",
        now=NOW,
    )


async def on_postgres(url: str) -> list[Figure]:
    """Measure both ways in turn on PostgreSQL."""
    database = PostgresDatabase(url, pool_size=CLIENTS)
    await database.open()
    await prepared(database)
    runs: dict[str, list[Run]] = {"ours": [], "FOR UPDATE": []}
    for _ in range(ROUNDS):
        runs["ours"].append(await run(database, ours, ATTEMPTS))
        runs["FOR UPDATE"].append(await run(database, locking, ATTEMPTS))
    single = await run(database, ours, ATTEMPTS, ATTEMPTS)
    overlaps = await database.read.fetch_value(OVERLAPS)
    await database.close()
    return told("PostgreSQL", runs, single, overlaps)


def told(store: str, runs: dict[str, list[Run]], single: Run, overlaps: int) -> list[Figure]:
    """Return the rows of one store."""
    mine = statistics.median(one.wall_s / ATTEMPTS for one in runs["ours"])
    p99_s = statistics.median(one.p99_s for one in runs["ours"])
    failed = sum(one.failed for one in runs["ours"]) + single.failed
    rate, ratio, goal = f"{1 / mine:,.0f} attempts/s", None, "–"
    against = "–"
    if "FOR UPDATE" in runs:
        theirs = statistics.median(one.wall_s / ATTEMPTS for one in runs["FOR UPDATE"])
        against, ratio, goal = f"SELECT FOR UPDATE: {1 / theirs:,.0f}/s", theirs / mine, "≥ 4×"
    hot = f"hot slots, 64 clients, {store}"
    won = f"{single.won} of {ATTEMPTS:,} attempts"
    bad = f"{overlaps} overlaps, {failed} deadlocks or failures"
    return [
        Figure(f"Booking: {hot}", rate, against, ratio, goal, None if ratio is None else ratio >= 4),
        Figure(f"Booking: {hot}, p99", duration(p99_s), "–", None, "≤ 40 ms", p99_s <= 0.04),
        Figure(f"Booking: one slot, 64 clients, {store}", won, "–", None, "1 booking", single.won == 1),
        Figure(f"Booking: {hot}, faults", bad, "–", None, "none", overlaps == 0 and failed == 0),
    ]


async def on_sqlite(folder: Path) -> list[Figure]:
    """Measure ours on SQLite."""
    database = SqliteDatabase(folder / "bench.db")
    await database.open()
    await prepared(database)
    runs = {"ours": [await run(database, ours, ATTEMPTS) for _ in range(ROUNDS)]}
    single = await run(database, ours, ATTEMPTS, ATTEMPTS)
    overlaps = await database.read.fetch_value(OVERLAPS)
    await database.close()
    return told("SQLite", runs, single, overlaps)


def free_slots() -> Figure:
    """Find the free half-hours of 20 staff in 60 days, 200 times taken with each."""
    offering = Offering(
        id=1, name="Cut", duration_min=30, step_min=30, buffer_after_min=5, staff_ids=(10,), created_at=NOW
    )
    weekly = tuple(WeeklyHours(day, 540, 1080) for day in range(7))
    zones = ("Europe/Moscow", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe")
    diaries = []
    for number in range(STAFF):
        hours = Availability(user_id=number, timezone=zones[number % len(zones)], weekly=weekly)
        step = DAYS * 1440 // BOOKED
        spans = [START + step * one for one in range(BOOKED)]
        diaries.append(Diary(number, hours, tuple(Busy(one, one + 35, one, 1, 1, 1) for one in spans)))

    def find() -> int:
        return len(slots.all_free(offering, diaries, START, START + DAYS * 1440))

    found = find()
    took_s = statistics.median(timed(find, 1) for _ in range(9))
    path = f"Free slots of {STAFF} staff × {DAYS} days ({found:,} of them)"
    return Figure(path, duration(took_s), "–", None, "≤ 50 ms", took_s <= 0.05)


async def measured(folder: Path, url: str) -> list[Figure]:
    """Measure both stores."""
    return [*await on_postgres(url), *await on_sqlite(folder)]


def figures() -> list[Figure]:
    """Measure on databases of our own."""
    name = f"opora_bench_{uuid4().hex[:8]}"
    server = Maintenance(POSTGRES_URL)
    url = server.create(name)
    try:
        with tempfile.TemporaryDirectory() as folder:
            for one in (url, f"sqlite:///{folder}/bench.db"):
                upgrade(one)
            return [free_slots(), *asyncio.run(measured(Path(folder), url))]
    finally:
        server.drop(name)
        server.close()


if __name__ == "__main__":
    for figure in figures():
        print(figure)
