"""Millions of phone numbers on both stores: look-ups, pages at depth, claims by eight callers, events of calls, bulk.

The table is filled by the store itself, which is not measured. `OPORA_BENCH_NUMBERS` is how many rows it has.
"""

import asyncio
import os
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from uuid import UUID, uuid4

from bench.figures import Figure, duration
from opora.adapters.sql import migrations
from opora.adapters.sql.audit import AuditKey
from opora.adapters.sql.connection import Database, carried
from opora.adapters.sql.numbers.registry import SqlNumberingRegistry
from opora.adapters.sql.numbers.rows import instant
from opora.adapters.sql.numbers.views import EPOCH, MICROSECOND, SqlNumberViews
from opora.adapters.sql.postgres import PostgresDatabase
from opora.adapters.sql.repositories import SqlParts
from opora.adapters.sql.sqlite import SqliteDatabase
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.adapters.system.clock import SystemClock
from opora.adapters.system.identifiers import TimeOrderedIdentifiers
from opora.core.jobs.ports import Announcer
from opora.core.kernel.model import SYSTEM, Actor, PageRequest
from opora.core.numbers.model.calls import CallEvent, CallEventType, CallResult
from opora.core.numbers.model.numbers import (
    FIRST,
    CallingPolicy,
    GivenNumber,
    NumberChanges,
    NumberFilter,
    NumberStatus,
)
from opora.core.numbers.model.projects import EVERY_PROJECT, ZoneMode
from opora.core.numbers.rules.phones import PhonePolicy
from opora.core.numbers.usecases.adding import AddNumbers
from opora.core.numbers.usecases.calls import ReceiveCallEvent, ReceiveCallEvents
from opora.core.numbers.usecases.claims import ClaimNumbers
from opora.core.numbers.usecases.numbers import UpdateNumbers
from opora.core.numbers.usecases.projects import CreateProject, SetSchedule
from servers.maintenance import Maintenance

POSTGRES_URL = os.environ.get("OPORA_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
ROWS = int(os.environ.get("OPORA_BENCH_NUMBERS", "5000000"))
DEPTH = 250_000
LOOKS, CLAIMS, CALLERS, TAKEN, EVENTS, BULK = 400, 160, 8, 100, 3000, 50_000
EVENTS_GOAL_PER_S, CLAIM_GOAL_S, BULK_GOAL = 300, 0.015, 7
FIRST_PHONE = 79_000_000_000
FILL = {
    "postgresql": "SELECT i FROM generate_series(CAST(1 AS bigint), CAST(:rows AS bigint)) AS i",
    "sqlite": "WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < :rows) SELECT i FROM s",
}
ADD = """
INSERT INTO phone_numbers (id, phone, created_at, updated_at, next_call_at, project_id, status, zone_set, attempts)
SELECT i, :first_phone + i, :now, :now, :first, :project_id, CASE i % 5 WHEN 0 THEN 2 ELSE 0 END, 0, 0 FROM ({ids}) AS x
"""


class Silence(Announcer):
    """Announces nothing."""

    def announce(self, ids: Sequence[UUID], kinds: Collection[str] = ()) -> None:
        del ids


class Filled:
    """One store with millions of numbers in one project."""

    def __init__(self, database: Database, rows: int = ROWS) -> None:
        self.database, self.rows = database, rows
        self.unit = SqlUnitOfWork(database, SqlParts(TimeOrderedIdentifiers(), AuditKey(bytes(32)), Silence(), {}))
        self.clock, self.policy = SystemClock(), CallingPolicy()
        self.project_id = 0

    async def fill(self) -> float:
        """Make the project and its numbers; return the seconds it took."""
        made = await CreateProject(self.unit, self.clock)(SYSTEM, {"name": "a", "zone_mode": ZoneMode.PROJECT})
        self.project_id = made.id
        hours = [(day, "00:00", "24:00", True) for day in range(7)]
        await SetSchedule(self.unit, self.clock)(SYSTEM, made.id, hours)
        start_s = time.perf_counter()
        async with carried(await self.database.begin()) as connection:
            if self.database.dialect == "postgresql":
                await connection.execute("SET LOCAL statement_timeout = 0")
            for part in range(0, self.rows, 500_000):
                sql = ADD.format(ids=FILL[self.database.dialect]).replace("SELECT i,", f"SELECT i + {part},", 1)
                await connection.execute(
                    sql.replace(":first_phone + i", f":first_phone + i + {part}"),
                    rows=min(500_000, self.rows - part),
                    first_phone=FIRST_PHONE,
                    now=datetime.now(UTC),
                    first=FIRST,
                    project_id=made.id,
                )
            await connection.next_ids("phone_numbers", 1)
            if self.database.dialect == "postgresql":
                await connection.fetch(f"SELECT setval('phone_numbers_id_seq', {self.rows + 1})")
            else:
                await connection.execute(
                    "UPDATE id_sequences SET value = :rows WHERE name = 'phone_numbers'", rows=self.rows
                )
        async with self.unit() as tx:
            done = self.rows // 5
            await tx.tally.change(made.id, {NumberStatus.NEW: self.rows - done, NumberStatus.SUCCESS: done})
        await self.database.read.execute("ANALYZE")
        return time.perf_counter() - start_s


async def median_s(way: Callable[[], Awaitable[object]], times: int) -> float:
    """Return the median seconds of a call."""
    found: list[float] = []
    for _ in range(times):
        start_s = time.perf_counter()
        await way()
        found.append(time.perf_counter() - start_s)
    return statistics.median(found)


async def reads(filled: Filled, name: str) -> list[Figure]:
    """Measure the look-up by phone and a page far down, against a round trip and the first page."""
    views, read = SqlNumberViews(filled.database.read), filled.database.read
    chance = random.Random(7)  # noqa: S311  # places to look at

    async def look() -> None:
        assert await views.by_phone(FIRST_PHONE + chance.randint(1, ROWS), EVERY_PROJECT, 5)

    wanted = NumberFilter(project_id=filled.project_id)
    depth = max(ROWS - min(DEPTH, ROWS // 2), 1)

    async def page(cursor: str) -> None:
        assert len((await views.page(EVERY_PROJECT, wanted, PageRequest(50, cursor=cursor))).items) == 50

    nothing_s = await median_s(lambda: read.fetch_value("SELECT 1"), LOOKS)
    look_s = await median_s(look, LOOKS)
    first_s = await median_s(lambda: page(""), LOOKS // 4)
    at = await read.fetch_value("SELECT created_at FROM phone_numbers WHERE id = :id", id=depth)
    micros = (instant(at) - EPOCH) // MICROSECOND
    deep_s = await median_s(lambda: page(f"{micros}.{depth}"), LOOKS // 4)
    bound = 2.0
    looked = look_s / nothing_s
    is_met = looked <= bound if filled.database.dialect == "postgresql" else None
    deep = deep_s / first_s
    return [
        Figure(f"{name}: look-up by phone in {ROWS:,}", duration(look_s), f"SELECT 1: {duration(nothing_s)}", looked,
               "≤ 2×", is_met),
        Figure(f"{name}: page of 50 at depth {ROWS - depth:,}, with its count", duration(deep_s),
               f"first page: {duration(first_s)}", deep, "≤ 1.5×", deep <= 1.5),  # the goal
    ]  # fmt: skip


async def claims(filled: Filled, name: str) -> Figure:
    """Measure claims of a hundred by eight callers at once, none of which may get what another got."""
    claim = ClaimNumbers(filled.unit, filled.clock, filled.policy)
    took_s: list[float] = []
    got: list[int] = []
    left = count(CLAIMS, -1)

    async def caller() -> None:
        while next(left) > 0:
            start_s = time.perf_counter()
            claimed = await claim(SYSTEM, filled.project_id, TAKEN)
            took_s.append(time.perf_counter() - start_s)
            got.extend(one.id for one in claimed.numbers)

    await asyncio.gather(*(caller() for _ in range(CALLERS)))
    assert len(got) == len(set(got)) == len(took_s) * TAKEN, "a number was given twice"
    p50_s, p99_s = statistics.median(took_s), statistics.quantiles(took_s, n=100)[98]
    told = f"p99 {duration(p99_s)}, no number twice"
    return Figure(f"{name}: claim of 100, 8 callers", duration(p50_s), told, None, "≤ 15 ms", p50_s <= CLAIM_GOAL_S)


def story(filled: Filled) -> list[CallEvent]:
    """Return events of calls, a tenth of them sent twice and a twentieth out of order."""
    chance = random.Random(11)  # noqa: S311  # the same story each time
    start = filled.clock.now() - timedelta(hours=1)
    events: list[CallEvent] = []
    for call in range(EVENTS // 3):
        phone = FIRST_PHONE + ROWS - call * 5 - 1
        for place, type in enumerate((CallEventType.STARTED, CallEventType.ENDED, CallEventType.RESULT)):
            event = CallEvent(
                event_id=f"{call}.{place}",
                call_id=f"{call}",
                type=type,
                phone=phone,
                occurred_at=start + timedelta(seconds=place),
            )
            if type is CallEventType.RESULT:
                event = replace(event, result=chance.choice(list(CallResult)))
            events += [event] * (2 if chance.random() < 0.1 else 1)  # a tenth
    for place in range(0, len(events) - 1, 20):
        events[place], events[place + 1] = events[place + 1], events[place]
    return events


async def webhook(filled: Filled, name: str) -> Figure:
    """Measure how many events a second are kept and settled, by eight senders."""
    receive = ReceiveCallEvent(ReceiveCallEvents(filled.unit, filled.clock, filled.policy))
    events = story(filled)
    waiting = iter(events)

    async def sender() -> None:
        for event in waiting:
            await receive(Actor(), event)

    start_s = time.perf_counter()
    await asyncio.gather(*(sender() for _ in range(CALLERS)))
    rate = len(events) / (time.perf_counter() - start_s)
    read = filled.database.read
    kept = await read.fetch_value("SELECT count(*) FROM call_events")
    ended = await read.fetch_value("SELECT count(*) FROM calls WHERE result IS NOT NULL")
    assert (kept, ended) == (EVENTS, EVENTS // 3), (kept, ended)
    told = f"{len(events) - EVENTS} repeats and 5 % out of order; each kept once"
    goal = f"≥ {EVENTS_GOAL_PER_S}/s"
    return Figure(f"{name}: events of calls", f"{rate:,.0f}/s", told, None, goal, rate >= EVENTS_GOAL_PER_S)


async def bulk(filled: Filled, name: str, peers: Mapping[str, float]) -> list[Figure]:
    """Measure the adding of fifty thousand at once, and then a change of their status, against an ORM's ways."""
    add = AddNumbers(filled.unit, SqlNumberingRegistry(filled.database), filled.clock, PhonePolicy())
    update = UpdateNumbers(filled.unit, SqlNumberingRegistry(filled.database), filled.clock, filled.policy)
    given = [GivenNumber(phone_number=spelled(n), project_id=filled.project_id) for n in range(BULK)]
    start_s = time.perf_counter()
    outcome = await add(SYSTEM, given)
    added_s = time.perf_counter() - start_s
    assert outcome.created == BULK
    sql = "SELECT id FROM phone_numbers WHERE phone BETWEEN 79800000000 AND 79800099999"
    ids = [row["id"] for row in await filled.database.read.fetch(sql)]
    start_s = time.perf_counter()
    changed = await update(SYSTEM, ids, NumberChanges(status=NumberStatus.IN_PROGRESS))
    changed_s = time.perf_counter() - start_s
    assert changed.updated == BULK
    return [
        against(f"{name}: {BULK:,} numbers added in one call", added_s, "Django's bulk_create", peers),
        against(f"{name}: status of {BULK:,} changed in one call", changed_s, "Django's bulk_update", peers),
    ]


def against(path: str, took_s: float, peer: str, peers: Mapping[str, float]) -> Figure:
    """The row of a bulk call beside its peer, where that was measured."""
    if peer not in peers:
        return Figure(path, f"{BULK / took_s:,.0f}/s")
    ratio = peers[peer] / took_s
    told = f"{peer}: {BULK / peers[peer]:,.0f}/s"
    return Figure(path, f"{BULK / took_s:,.0f}/s", told, ratio, f"≥ {BULK_GOAL}×", ratio >= BULK_GOAL)


def spelled(n: int) -> str:
    """Spell a number as people do."""
    return f"8 (980) {n // 10_000:03}-{n % 10_000:04}"


def by_django(url: str, folder: Path) -> Mapping[str, float]:
    """Return the seconds of Django's ways over document 2's own table; none where Django is not installed."""
    if find_spec("django") is None or find_spec("psycopg") is None:
        return {}
    from bench.peers import loading

    file = folder / "few.csv"
    file.write_text("phone\n" + "".join(f"+7980{n:07}\n" for n in range(BULK)))
    loading.made_as_written(url)
    made_s = loading.timed(url, lambda: loading.by_django(url, file))
    start_s = time.perf_counter()
    loading.changed_by_django(url, "in_progress")
    return {"Django's bulk_create": made_s, "Django's bulk_update": time.perf_counter() - start_s}


async def on(database: Database, name: str, peers: Mapping[str, float]) -> list[Figure]:
    """Measure one store."""
    await database.open()
    try:
        filled = Filled(database)
        await filled.fill()
        found = await reads(filled, name)
        return [*found, await claims(filled, name), await webhook(filled, name), *await bulk(filled, name, peers)]
    finally:
        await database.close()


def figures() -> list[Figure]:
    """Measure both stores, each on a database of its own."""
    name = f"opora_bench_{uuid4().hex[:8]}"
    server = Maintenance(POSTGRES_URL)
    url = server.create(name)
    try:
        with tempfile.TemporaryDirectory() as folder:
            for one in (url, f"sqlite:///{folder}/numbers.db"):
                migrations.upgrade(one)
            peers = by_django(url, Path(folder))
            postgres = asyncio.run(on(PostgresDatabase(url), "PostgreSQL", peers))
            return [*postgres, *asyncio.run(on(SqliteDatabase(Path(folder) / "numbers.db"), "SQLite", {}))]
    finally:
        server.drop(name)
        server.close()


if __name__ == "__main__":
    for figure in figures():
        print(figure)
