"""Free slots, and hot slots that 64 clients want at once: ours, and a lock on the row of who gives them.

An attempt is what a booking asks of the store for the time itself: the hours and sessions, one rule over them, the session
and the appointment. Ours is what the use case does: it reads before it begins its transaction, takes its turn among those
who saw the time free, and lets the constraint decide between processes; `SELECT … FOR UPDATE` reads the same by the same statement under its lock. A third
row lets it look before it locks as well, which spares its losers the lock. On PostgreSQL the ways take turns over one pool
in the same run: the slots are alike, and every 32 attempts everybody wants a fresh one, so that there are winners too.
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
from opora.adapters.sql.bookings.diaries import SqlDiaryRepository, SqlDiaryViews
from opora.adapters.sql.connection import Connection, Database, carried
from opora.adapters.sql.mapping import columns
from opora.adapters.sql.migrations import upgrade
from opora.adapters.sql.postgres import PostgresDatabase
from opora.adapters.sql.sqlite import SqliteDatabase
from opora.core.bookings.model.appointments import Appointment, Session, Status
from opora.core.bookings.model.hours import Availability, Busy, Diary, WeeklyHours, instant_of, minute_of
from opora.core.bookings.model.offerings import CancellationPolicy, Offering
from opora.core.bookings.rules import slots
from opora.core.bookings.usecases.turns import Turns
from servers.maintenance import Maintenance

POSTGRES_URL = os.environ.get("OPORA_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
CLIENTS, ATTEMPTS, ROUNDS, PER_SLOT = 64, 2_000, 5, 32
GOAL = 4
NOW = datetime(2030, 1, 7, 6, tzinfo=UTC)
START = minute_of(NOW)
FRESH = count()
TURNS = Turns()
STAFF, DAYS, BOOKED = 20, 60, 200
OVERLAPS = """
SELECT count(*) FROM engagements a JOIN engagements b ON a.staff_id = b.staff_id AND a.id < b.id
 AND a.busy_from_min < b.busy_until_min AND b.busy_from_min < a.busy_until_min
"""
OPEN = """
INSERT INTO engagements (staff_id, service_id, start_min, busy_from_min, busy_until_min, capacity)
VALUES (:staff_id, :service_id, :start_min, :busy_from_min, :busy_until_min, 1) RETURNING id
"""

type Attempt = Callable[[Database, Session], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Run:
    """What many attempts at once came to."""

    wall_s: float
    p99_s: float
    won: int
    failed: int


HOUR = Offering(id=1, name="Hour", duration_min=60, step_min=60, staff_ids=(10,), created_at=NOW)
ALWAYS = Availability(user_id=10, timezone="UTC", weekly=tuple(WeeklyHours(day, 0, 1440) for day in range(7)))


def session(number: int) -> Session:
    """Return the number-th hour of a hot diary."""
    return slots.session(HOUR, ALWAYS.user_id, START + 60 * number)


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


async def is_free(views: SqlDiaryViews, wanted: Session) -> bool:
    """Read the diary and judge the time as the use case does."""
    [diary] = await views.read([wanted.staff_id], wanted.busy_from_min, wanted.busy_until_min, NOW)
    return slots.is_free(HOUR, diary, wanted.start_min)


async def ours(database: Database, wanted: Session) -> bool:
    """Look; where the time is free, claim the place and book it in one's turn, unless it went meanwhile."""
    if not await is_free(SqlDiaryViews(database.read), wanted):
        return False
    async with TURNS.of(wanted.start_min) as turn:
        booked = None if wanted.staff_id in turn.gone else await claimed(database, wanted)
        if booked is not None:
            turn.give(booked)
    return booked is not None


async def claimed(database: Database, wanted: Session) -> Appointment | None:
    """Claim the place and book it."""
    async with carried(await database.begin()) as connection:
        appointments = SqlAppointmentRepository(connection)
        seat = await appointments.claim(wanted)
        if seat is None:
            return None
        booked = taken(wanted, seat.engagement_id)
        await appointments.add(booked)
    return booked


async def locking(database: Database, wanted: Session) -> bool:
    """Hold the diary, look, and book."""
    async with carried(await database.begin()) as connection:
        diaries = SqlDiaryRepository(connection)
        await diaries.lock([wanted.staff_id])
        free = await is_free(diaries, wanted)
        if free:
            await open_under_lock(connection, wanted)
    return free


async def looking(database: Database, wanted: Session) -> bool:
    """Look, and only where the time is free hold the diary, look again, and book."""
    return await is_free(SqlDiaryViews(database.read), wanted) and await locking(database, wanted)


async def open_under_lock(connection: Connection, wanted: Session) -> None:
    """Book a time that nobody else can take meanwhile."""
    places = {name: value for name, value in columns(wanted).items() if name != "capacity"}
    id = await connection.fetch_value(OPEN, **places)
    await SqlAppointmentRepository(connection).add(taken(wanted, id))


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
                got = await attempt(database, session(first + number // per_slot))
                won += got
            except Exception:  # a deadlock, or whatever else is no answer
                failed += 1
            times.append(time.perf_counter() - began)

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return Run(time.perf_counter() - began, statistics.quantiles(times, n=100)[98], won, failed)


async def prepared(database: Database) -> None:
    """Give the hot diary its hours."""
    async with carried(await database.begin()) as connection:
        await SqlDiaryRepository(connection).set_hours(ALWAYS, NOW)


async def on_postgres(url: str) -> list[Figure]:
    """Measure every way in turn on PostgreSQL."""
    database = PostgresDatabase(url, pool_size=CLIENTS)
    await database.open()
    await prepared(database)
    ways: dict[str, Attempt] = {"ours": ours, "FOR UPDATE": locking, "a look, then FOR UPDATE": looking}
    runs: dict[str, list[Run]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, attempt in ways.items():
            runs[name].append(await run(database, attempt, ATTEMPTS))
    single = await run(database, ours, ATTEMPTS, ATTEMPTS)
    overlaps = await database.read.fetch_value(OVERLAPS)
    await database.close()
    return told("PostgreSQL", runs, single, overlaps)


def beside(path: str, rate: str, name: str, theirs_s: float, ratio: float) -> Figure:
    """Return the row against one other way; the goal is set against the lock of the books."""
    against = f"SELECT {name}: {1 / theirs_s:,.0f}/s" if name == "FOR UPDATE" else f"{name}: {1 / theirs_s:,.0f}/s"
    has_goal = name == "FOR UPDATE"
    return Figure(path, rate, against, ratio, "≥ 4×" if has_goal else "–", ratio >= GOAL if has_goal else None)


def told(store: str, runs: dict[str, list[Run]], single: Run, overlaps: int) -> list[Figure]:
    """Return the rows of one store."""
    hot = f"Booking: hot slots, 64 clients, {store}"
    one_s = {name: statistics.median(one.wall_s / ATTEMPTS for one in some) for name, some in runs.items()}
    mine_s = one_s.pop("ours")
    rate = f"{1 / mine_s:,.0f} attempts/s"
    p99_s = statistics.median(one.p99_s for one in runs["ours"])
    failed = sum(one.failed for one in runs["ours"]) + single.failed
    won = f"{single.won} of {ATTEMPTS:,} attempts"
    bad = f"{overlaps} overlaps, {failed} deadlocks or failures"
    return [
        *(beside(hot, rate, name, theirs_s, theirs_s / mine_s) for name, theirs_s in one_s.items()),
        *([] if one_s else [Figure(hot, rate)]),
        Figure(f"{hot}, p99", duration(p99_s), "–", None, "≤ 40 ms", p99_s <= 0.04),
        Figure(f"Booking: one slot, 64 clients, {store}", won, "–", None, "1 booking", single.won == 1),
        Figure(f"{hot}, faults", bad, "–", None, "none", overlaps == 0 and failed == 0),
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
