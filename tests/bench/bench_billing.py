"""Postings of the ledger with one hot account, and among many people, by 16 clients on both stores.

A posting is one entry; a charge has two and is a whole transaction. Beside it, in the same rounds, stands the least that
a hot balance can cost: one row that every transaction changes. Every balance is recounted at the end.
"""

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from uuid import uuid4

from bench.figures import Figure, duration
from opora.adapters.sql.billing.ledger import SqlLedger
from opora.adapters.sql.billing.ledger_views import SqlLedgerViews
from opora.adapters.sql.connection import Connection, Database, carried
from opora.adapters.sql.migrations import upgrade
from opora.adapters.sql.postgres import PostgresDatabase
from opora.adapters.sql.sqlite import SqliteDatabase
from opora.core.billing.model.ledger import REVENUE, Transfer, between, of_person, of_provider
from opora.core.kernel.model import Money
from servers.maintenance import Maintenance

POSTGRES_URL = os.environ.get("OPORA_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
CLIENTS, CHARGES, ROUNDS, PEOPLE = 16, 1_000, 5, 200
POSTINGS = 2
GOAL = 500
NOW = datetime(2030, 1, 7, 6, tzinfo=UTC)
FRESH = count()

type Step = Callable[[Connection, int, int], Awaitable[None]]
"""What a client does in one transaction: its number, and among how many people."""


def moved(user_id: int, amount_minor: int) -> Transfer:
    """Return a charge of a person, or what fills their balance where the amount is below zero."""
    amount, key = Money(abs(amount_minor), "RUB"), f"bench:{next(FRESH)}"
    sides = (of_person(user_id), REVENUE) if amount_minor > 0 else (of_provider("bench"), of_person(user_id))
    return Transfer(key=key, kind="bench", cause="bench", postings=between(*sides, amount), at=NOW)


async def post(connection: Connection, transfer: Transfer) -> None:
    """Post in the connection's transaction."""
    await SqlLedger(connection).post(transfer)


async def charge(connection: Connection, number: int, people: int) -> None:
    """Charge one of the people."""
    await post(connection, moved(1 + number % people, 1))


async def change_row(connection: Connection, number: int, people: int) -> None:
    """Change one of as many bare rows."""
    await connection.execute("UPDATE bench_rows SET value = value - 1 WHERE id = :id", id=1 + number % people)


async def run(database: Database, people: int, step: Step) -> tuple[float, float]:
    """Let the clients take the step that often; return the seconds of all and the 99th percentile of one."""
    numbers = iter(range(CHARGES))
    times: list[float] = []

    async def client() -> None:
        for number in numbers:
            began = time.perf_counter()
            async with carried(await database.begin()) as connection:
                await step(connection, number, people)
            times.append(time.perf_counter() - began)

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return time.perf_counter() - began, statistics.quantiles(times, n=100)[98]


async def measured(store: str, database: Database) -> list[Figure]:
    """Measure one store."""
    await database.open()
    await database.read.execute("CREATE TABLE bench_rows (id bigint PRIMARY KEY, value bigint)")
    for user_id in range(1, PEOPLE + 1):
        async with carried(await database.begin()) as connection:
            await post(connection, moved(user_id, -1_000_000))
            await connection.execute("INSERT INTO bench_rows VALUES (:id, 0)", id=user_id)
    found = []
    for path, people in ((f"one hot account, {store}", 1), (f"{PEOPLE} people, {store}", PEOPLE)):
        runs, bare = [], []
        for _ in range(ROUNDS):
            runs.append(await run(database, people, charge))
            bare.append((await run(database, people, change_row))[0])
        wall_s = statistics.median(wall_s for wall_s, _ in runs)
        rate = POSTINGS * CHARGES / wall_s
        p99_s = statistics.median(p99_s for _, p99_s in runs)
        told = f"{rate:,.0f} postings/s, p99 {duration(p99_s)}"
        least_s = statistics.median(bare)
        against = f"bare rows: {CHARGES / least_s:,.0f} transactions/s"
        ratio = least_s / wall_s
        found.append(Figure(f"Ledger: {path}, {CLIENTS} clients", told, against, ratio, f"≥ {GOAL}/s", rate >= GOAL))
    recount = await SqlLedgerViews(database).recount()
    await database.close()
    faults = f"{len(recount.discrepancies)} in {recount.entries:,} entries"
    return [*found, Figure(f"Ledger: discrepancies, {store}", faults, "–", None, "none", recount.is_whole)]


async def both(folder: Path, url: str) -> list[Figure]:
    """Measure both stores."""
    postgres = await measured("PostgreSQL", PostgresDatabase(url, pool_size=CLIENTS))
    return [*postgres, *await measured("SQLite", SqliteDatabase(folder / "bench.db"))]


def figures() -> list[Figure]:
    """Measure on databases of our own."""
    name = f"opora_bench_{uuid4().hex[:8]}"
    server = Maintenance(POSTGRES_URL)
    url = server.create(name)
    try:
        with tempfile.TemporaryDirectory() as folder:
            for one in (url, f"sqlite:///{folder}/bench.db"):
                upgrade(one)
            return asyncio.run(both(Path(folder), url))
    finally:
        server.drop(name)
        server.close()


if __name__ == "__main__":
    for figure in figures():
        print(figure)
