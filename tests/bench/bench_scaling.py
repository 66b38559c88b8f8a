"""The constants of docs/scaling.md: bytes a row, bytes a call leaves behind, and what a call costs each server.

Rows are laid in bulk, `OPORA_BENCH_SCALE` of each kind; calls go over the loopback to one process. What a call leaves
is the growth of every table, before anything is pruned, and with nobody working on the jobs that it added.
"""

import asyncio
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx
import psutil

from bench.bench_documents import FILL_POSTGRES, FILL_SQLITE, FILLED_AT_ONCE, USER, run
from bench.bench_numbers import Filled
from bench.figures import Figure
from bench.filling import make
from bench.load import Generator, Order
from bench.staging import Process, Stores, database_of, installation, key_of, ordered, servers
from e2e.bank import PASSWORD, Person
from e2e.conftest import Setup
from e2e.running import Installation
from opora.adapters.redis.connection import RedisConnection
from opora.adapters.redis.rates import RedisRateGate
from opora.adapters.sql import migrations
from opora.adapters.sql.connection import Database
from opora.adapters.sql.postgres import PostgresDatabase
from opora.adapters.sql.sqlite import SqliteDatabase
from opora.core.access.model.rates import Admission, RatePolicy
from opora.testing.papers import a_pdf
from servers.redis import Plain

ROWS = int(os.environ.get("OPORA_BENCH_SCALE", "200000"))
SUBJECTS, SUBJECTS_AT_ONCE = 20_000, 500
UPLOADS, SECONDS, WARM_S, PEOPLE = 800, 4.0, 1.0, 2_000
SCOPES = ("profiles:read", "profiles:write", "numbers:read", "numbers:claim", "projects:read_all")
TABLE = "SELECT pg_total_relation_size('{name}')"
ALL_TABLES = "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r' AND relnamespace = 2200"
LOGGED = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')"
BACKENDS = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
POLICIES = (RatePolicy("minute", 100, 60), RatePolicy("day", 10_000, 86_400))


async def asked(url: str, sql: str) -> list[int]:
    """Ask PostgreSQL for whole numbers."""
    driver = await asyncpg.connect(url)
    try:
        return [int(row[0]) for row in await driver.fetch(sql)]
    finally:
        await driver.close()


async def campaign(database: Database) -> int:
    """Lay the numbers of a project and return it."""
    await database.open()
    store = Filled(database, ROWS)
    await store.fill()
    await database.close()
    return store.project_id


async def documents(database: Database) -> None:
    """Lay documents."""
    await database.open()
    await run(database, USER)
    fill = FILL_POSTGRES if database.dialect == "postgresql" else FILL_SQLITE
    for low in range(1, ROWS, FILLED_AT_ONCE):
        await run(database, fill, low=low, high=low + FILLED_AT_ONCE - 1)
    await database.close()


def rows_in_postgres() -> list[Figure]:
    """Measure rows with their indexes."""
    found = []
    for name, table, lay in (("number", "phone_numbers", campaign), ("document", "documents", documents)):
        with servers() as stores:
            migrations.upgrade(stores.database_url)
            before, table_sql = asyncio.run(asked(stores.database_url, ALL_TABLES)), TABLE.format(name=table)
            asyncio.run(lay(PostgresDatabase(stores.database_url)))
            (bytes_there,) = asyncio.run(asked(stores.database_url, table_sql))
            (whole,) = asyncio.run(asked(stores.database_url, ALL_TABLES))
        beside = f"all tables grew by {(whole - before[0]) / ROWS:.0f}"
        found.append(Figure(f"PostgreSQL: bytes a {name}", f"{bytes_there / ROWS:.0f}", beside))
    return found


def rows_in_sqlite() -> list[Figure]:
    """Measure how the file grows."""
    found = []
    for name, lay in (("number", campaign), ("document", documents)):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "opora.db"
            migrations.upgrade(f"sqlite:///{file}")
            before = file.stat().st_size
            asyncio.run(lay(SqliteDatabase(file)))
            found.append(Figure(f"SQLite: bytes a {name}", f"{(file.stat().st_size - before) / ROWS:.0f}"))
    return found


async def spent(url: str) -> None:
    """Let every subject call once under two policies."""
    connection = RedisConnection(url, timeout_s=10)
    gate = RedisRateGate(connection, prefix="opora:")
    for low in range(0, SUBJECTS, SUBJECTS_AT_ONCE):
        some = [Admission(f"key:{number}", POLICIES) for number in range(low, low + SUBJECTS_AT_ONCE)]
        await asyncio.gather(*(gate.admit(one) for one in some))
    await connection.close()


def redis_rows() -> list[Figure]:
    """Measure what Redis keeps for a caller that has called lately."""
    with servers() as stores:
        redis = Plain(stores.redis_url)
        before = memory(redis)
        asyncio.run(spent(stores.redis_url))
        grown = memory(redis) - before
        redis.close()
    return [Figure("Redis: bytes an active caller, two limits", f"{grown / SUBJECTS:.0f}")]


def memory(redis: Plain) -> int:
    """Return the bytes that the server holds."""
    return int(fact(redis, "memory", "used_memory"))


def fact(redis: Plain, section: str, name: str) -> float:
    """Read one line of INFO."""
    lines = str(redis.call("INFO", section)).splitlines()
    return float(next(line.partition(":")[2] for line in lines if line.startswith(f"{name}:")))


@dataclass(slots=True)
class Meter:
    """Reads what the API process, PostgreSQL's backends and Redis have used, and how large tables and log are."""

    process: Process
    stores: Stores
    redis: Plain

    def read(self) -> tuple[float, float, float, float, float]:
        """Return seconds of processor of the three, bytes of tables and bytes of the log that replicas get."""
        database_s = 0.0
        for pid in asyncio.run(asked(self.stores.database_url, BACKENDS)):
            database_s += sum(psutil.Process(pid).cpu_times()[:2])
        redis_s = fact(self.redis, "cpu", "used_cpu_user") + fact(self.redis, "cpu", "used_cpu_sys")
        (size,) = asyncio.run(asked(self.stores.database_url, ALL_TABLES))
        (logged,) = asyncio.run(asked(self.stores.database_url, LOGGED))
        return self.process.cpu_s(), database_s, redis_s, float(size), float(logged)

    def figure(self, name: str, act: Callable[[], int]) -> Figure:
        """Measure what calls cost; `act` makes them and returns how many."""
        before = self.read()
        count = act()
        api_s, database_s, redis_s, size, logged = (
            (later - earlier) / count for earlier, later in zip(before, self.read(), strict=True)
        )
        told = f"API {api_s * 1e3:.2f} ms, PostgreSQL {database_s * 1e3:.2f} ms, Redis {redis_s * 1e6:.0f} µs"
        return Figure(
            f"processor a call: {name}",
            told,
            f"leaves {max(size, 0.0):,.0f} bytes, logs {logged:,.0f}; {count:,} calls",
        )


def calls(one: Installation, stores: Stores) -> list[Figure]:
    """Measure the main routes."""
    project = asyncio.run(campaign(database_of(one)))
    key = key_of(one, *SCOPES)
    address = one.serve("--no-worker")
    process = Process(address, one.processes[-1].pid)
    make(process, key, PEOPLE)
    with httpx.Client(base_url=address, headers={"x-api-key": key}) as client:
        newest = client.get("/api/v1/profiles?limit=1").json()["results"][0]["id"]
    taking = f'{{"project_id":{project},"limit":100}}'
    wanted: dict[str, Sequence[tuple[str, str, str]]] = {
        "one person read": [("GET", f"/api/v1/profiles/{newest - back}", "") for back in range(500)],
        "a page of 50 people": [("GET", "/api/v1/profiles?limit=50&cursor=", "")],
        "one person made and kept": [("POST", "/api/v1/profiles/generate", '{"count":1,"persist":true}')],
        "a page of 50 numbers": [("GET", f"/api/v1/phone-numbers?project_id={project}&limit=50", "")],
        "a claim of 100 numbers": [("POST", "/api/v1/phone-numbers/claim", taking)],
    }
    redis, found = Plain(stores.redis_url), []
    meter = Meter(process, stores, redis)
    with Generator() as generator:
        for name, requests in wanted.items():
            order = Order(address, requests, {"x-api-key": key}, connections=8, seconds=SECONDS)
            ordered(generator, Order(address, requests, {"x-api-key": key}, connections=8, seconds=WARM_S))
            found.append(meter.figure(name, lambda order=order: ordered(generator, order).good))  # type: ignore[misc]
    found.append(uploads(one, address, meter))
    redis.close()
    return found


def uploads(one: Installation, address: str, meter: Meter) -> Figure:
    """Measure the taking of small documents."""
    Person(Setup(one, (address,)), "anna@example.org", "client")
    signed = httpx.post(f"{address}/api/v1/auth/login", json={"email": "anna@example.org", "password": PASSWORD})
    headers = {"Authorization": f"Bearer {signed.json()['access_token']}"}
    said = {"description": "Passport", "category": "contracts"}
    with httpx.Client(base_url=address, headers=headers, timeout=60) as client:

        def sent(low: int, count: int) -> int:
            for number in range(low, low + count):
                file = ("a.pdf", a_pdf(f"Paper {number}", padding=20_000))
                client.post("/api/v1/dbo/documents", data=said, files={"file": file}).raise_for_status()
            return count

        sent(0, 10)
        return meter.figure("a document of 20 KB taken", lambda: sent(10, UPLOADS))


def figures() -> list[Figure]:
    """Measure rows, then calls."""
    found = [*rows_in_postgres(), *rows_in_sqlite(), *redis_rows()]
    with servers() as stores, installation(stores) as one:
        one.environment = {**one.environment, "OPORA_RATE_LIMIT_PER_MIN": "1000000"}
        return found + calls(one, stores)


if __name__ == "__main__":
    print(*figures(), sep="\n")
