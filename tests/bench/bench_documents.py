"""Bank documents: the memory of an upload of 50 MiB, and pages of a million documents by status and category."""

import asyncio
import random
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import httpx
import psutil

from bench.figures import Figure, duration
from bench.staging import Process, Stores, installation, servers
from e2e.bank import PASSWORD, Person
from e2e.conftest import Setup
from e2e.running import Installation
from opora.adapters.sql import migrations
from opora.adapters.sql.connection import Database
from opora.adapters.sql.documents.views import SqlDocumentViews
from opora.adapters.sql.postgres import PostgresDatabase
from opora.adapters.sql.sqlite import SqliteDatabase
from opora.core.documents.model.documents import EVERYONES, DocumentFilter
from opora.core.documents.model.statuses import DocumentStatus
from opora.core.kernel.model import PageRequest
from opora.testing.papers import a_pdf

MIB = 2**20
UPLOAD_BYTES = 50 * MIB - 4096
UPLOADS = 5
GROWTH_MAX_BYTES = 40 * MIB
ROWS = 1_000_000
PAGES = 300
FILLED_AT_ONCE = 50_000
FIRST = datetime(2024, 1, 1, tzinfo=UTC)
PAGE_MAX_S = 0.020
CATEGORIES = 7
STATUSES = [one for one in DocumentStatus if one is not DocumentStatus.QUARANTINED]
USER = """
INSERT INTO users (id, email, is_active, email_verified, full_name, locale, created_at, version, search)
VALUES (1, 'anna@example.org', true, true, '', 'ru', now(), 1, '')
"""
NAMED = "'pending', 'in_review', 'needs_info', 'approved', 'rejected', 'processed', 'archived'"
COLUMNS = """
INSERT INTO documents (id, user_id, category_id, description, status, uploaded_at, uploaded_by, plan_maturity_date,
 blob_id, file_name, media_type, size, sha256, scan, moved_at, moved_by, is_held, is_file_removed, abs_sync, version,
 search)
"""
FILL_POSTGRES = f"""{COLUMNS}
SELECT n, 1, (n / 7) % {CATEGORIES} + 1, 'Document ' || n, (ARRAY[{NAMED}])[n * 17 % 7 + 1],
 timestamptz '2024-01-01' + n * interval '1 minute', 'user:1', date '2026-01-01', gen_random_uuid(), 'a.pdf',
 'application/pdf', 1000, lpad(to_hex(n), 64, '0'), 'clean', now(), 'user:1', false, false, 'not_sent', 1,
 'document ' || n
FROM generate_series(CAST(:low AS bigint), CAST(:high AS bigint)) AS n
"""
FILL_SQLITE = f"""{COLUMNS}
WITH RECURSIVE numbers(n) AS (SELECT :low UNION ALL SELECT n + 1 FROM numbers WHERE n < :high)
SELECT n, 1, (n / 7) % {CATEGORIES} + 1, 'Document ' || n, json_extract(json_array({NAMED}), '$[' || (n * 17 % 7) || ']'),
 strftime('%Y-%m-%dT%H:%M:%S.000000Z', '2024-01-01', '+' || n || ' minutes'), 'user:1', '2026-01-01',
 printf('00000000-0000-7000-8000-%012x', n), 'a.pdf', 'application/pdf', 1000, printf('%064x', n), 'clean', now(),
 'user:1', false, false, 'not_sent', 1, 'document ' || n
FROM numbers
"""


def upload(one: Installation) -> list[Figure]:
    """Send files of nearly 50 MiB and watch the memory of the process that takes them."""
    address = one.serve("--no-worker")
    service = Process(address, one.processes[-1].pid)
    Person(Setup(one, (address,)), "anna@example.org", "client")
    signed = httpx.post(f"{address}/api/v1/auth/login", json={"email": "anna@example.org", "password": PASSWORD})
    headers = {"Authorization": f"Bearer {signed.json()['access_token']}"}
    said = {"description": "Fifty", "category": "contracts"}
    took_s: list[float] = []
    with httpx.Client(base_url=address, headers=headers, timeout=120) as client:
        small = client.post("/api/v1/dbo/documents", data=said, files={"file": ("a.pdf", a_pdf("warm"))})
        small.raise_for_status()
        before = service.resident_bytes()
        with Watched(service.pid) as watched:
            for number in range(UPLOADS):
                content = a_pdf(f"Fifty {number}", padding=UPLOAD_BYTES - 1000)
                begun = time.perf_counter()
                answer = client.post("/api/v1/dbo/documents", data=said, files={"file": ("a.pdf", content)})
                answer.raise_for_status()
                took_s.append(time.perf_counter() - begun)
    growth = watched.highest - before
    return [
        Figure(
            f"upload of {UPLOAD_BYTES / MIB:.0f} MiB, embedded: growth of the service's memory",
            f"{growth / MIB:.1f} MiB over {before / MIB:.0f}",
            goal=f"≤ {GROWTH_MAX_BYTES / MIB:.0f} MiB",
            met=growth <= GROWTH_MAX_BYTES,
        ),
        Figure("upload, embedded: whole call, the client's own part included", duration(statistics.median(took_s))),
    ]


class Watched:
    """The highest memory of a process, asked for every few milliseconds in a thread."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._ended = False
        self.highest = 0

    def __enter__(self) -> "Watched":
        self._thread = Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended = True
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended:
            self.highest = max(self.highest, self._process.memory_info().rss)
            time.sleep(0.005)


async def pages(database: Database, fill: str, name: str) -> list[Figure]:
    """Fill a store and read pages by status and category at any depth."""
    await database.open()
    try:
        await run(database, USER)
        for low in range(1, ROWS, FILLED_AT_ONCE):
            await run(database, fill, low=low, high=low + FILLED_AT_ONCE - 1)
        if database.dialect == "postgresql":
            await database.read.execute("VACUUM ANALYZE documents")
        return [await walked(SqlDocumentViews(database.read), name)]
    finally:
        await database.close()


async def run(database: Database, sql: str, **parameters: object) -> None:
    """Run one statement in a transaction of its own."""
    transaction = await database.begin()
    await transaction.connection.execute(sql, **parameters)
    await transaction.commit()


async def walked(views: SqlDocumentViews, name: str) -> Figure:
    """Read pages of random filters at random depths."""
    dice = random.Random(4)  # noqa: S311  # not for secrets
    took_s: list[float] = []
    for number in range(PAGES + 20):
        wanted = DocumentFilter(status=dice.choice(STATUSES), category_id=dice.randint(1, CATEGORIES))
        depth = dice.randint(1, ROWS)
        at = (FIRST + timedelta(minutes=depth)).isoformat()
        request = PageRequest(limit=50, cursor=f"{at},{depth}")
        begun = time.perf_counter()
        await views.page(EVERYONES, wanted, request)
        if number >= 20:
            took_s.append(time.perf_counter() - begun)
    took_s.sort()
    p99 = took_s[int(len(took_s) * 0.99)]
    return Figure(
        f"documents, {name}: page of 50 by status and category at any depth of {ROWS:,}, p50 and p99",
        f"{duration(statistics.median(took_s))}; {duration(p99)}",
        goal=f"p99 < {duration(PAGE_MAX_S)}",
        met=p99 < PAGE_MAX_S,
    )


def figures() -> list[Figure]:
    """Measure uploads, then lists in both stores."""
    with installation(Stores()) as one:
        found = upload(one)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "opora.db"
        migrations.upgrade(f"sqlite:///{file}")
        found += asyncio.run(pages(SqliteDatabase(file), FILL_SQLITE, "SQLite"))
    with servers() as stores:
        migrations.upgrade(stores.database_url)
        return found + asyncio.run(pages(PostgresDatabase(stores.database_url), FILL_POSTGRES, "PostgreSQL"))


if __name__ == "__main__":
    print(*figures(), sep="\n")
