"""Numbers in and out by the million: against COPY, an ORM, the store's own fastest way, and how memory grows.

`make bench ONLY=ten_million` measures ten million. The peers that go row by row take a tenth of the rows.
"""

import os
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import asyncpg

from bench.figures import Figure, duration
from bench.numbers import Depot, Growth, depot, run, watched, write
from bench.peers import loading
from bench.staging import servers
from opora.adapters.sql import migrations
from opora.adapters.sql.connection import Database
from opora.adapters.sql.transfers.writing import SqlNumberTables
from opora.core.numbers.model.numbers import NumberFilter

ROWS = int(os.environ.get("ROWS", "1000000"))
PEER_ROWS = min(ROWS, int(os.environ.get("PEER_ROWS", "100000")))
ROUNDS = int(os.environ.get("ROUNDS", "3"))
GROWTH_MAX = 64 * 2**20
WALL_MAX_S = 150.0
LARGE = 5_000_000
MIB = 2**20
EXPORTED = """
SELECT phone, status, provider_id, geo_id, attempts, last_call_at, result_data, created_at
FROM phone_numbers WHERE project_id = $1
"""


async def brought_in(url: str, home: Path, file: Path) -> tuple[float, Growth]:
    """Import a file into an empty table; the seconds, and how memory grew."""
    if url:
        driver = await asyncpg.connect(url)
        await driver.execute("TRUNCATE phone_numbers, number_deltas, transfer_ranges, transfer_refusals")
        await driver.execute("CHECKPOINT")
        await driver.close()
    async with depot(home, url) as one:
        if not url:
            database: Database = await one.app.get(Database)
            await database.read.execute("DELETE FROM phone_numbers")
        project = await one.project()
        with watched() as growth:
            transfer, took_s = await one.bring(project, file)
    if transfer.status != "completed" or transfer.created != ROWS:
        raise AssertionError(f"{transfer.status}: {transfer.created} of {ROWS}, {transfer.error}")
    return took_s, growth


def memory(path: str, growth: Growth) -> Figure:
    """The row about memory, of the importing process and the one that reads the file together."""
    return Figure(
        f"{path}: growth of memory",
        f"{growth.bytes / MIB:.0f} MiB over {growth.before / MIB:.0f}",
        goal=f"≤ {GROWTH_MAX / MIB:.0f} MiB",
        met=growth.bytes <= GROWTH_MAX,
    )


def whole(path: str, took_s: float) -> Figure:
    """The row about ten million."""
    is_judged = ROWS >= 10_000_000
    met = took_s <= WALL_MAX_S if is_judged else None
    return Figure(
        f"{path}: {ROWS:,} rows", f"{duration(took_s)}, {ROWS / took_s:,.0f} rows/s",
        goal=f"≤ {WALL_MAX_S:g} s for ten million" if is_judged else "–", met=met,
    )  # fmt: skip


def rate(path: str, ours_s: float, peer: str, peer_s: float, goal: float) -> Figure:
    """The row of a comparison by the seconds a row takes."""
    ratio = peer_s / ours_s
    met = ratio >= goal
    return Figure(path, f"{1 / ours_s:,.0f} rows/s", f"{peer}: {1 / peer_s:,.0f} rows/s", ratio, f"≥ {goal:g}×", met)


def on_postgres(folder: Path, file: Path) -> list[Figure]:
    """Import on PostgreSQL beside COPY into document 2's own table, Django and the usual service."""
    few, clean = folder / "few.csv", folder / "clean.csv"
    write(few, PEER_ROWS)
    write(clean, ROWS, clean=True)
    few.write_text("\n".join(line for line in few.read_text().split("\n") if line != "no number"))
    with servers() as stores:
        url = stores.database_url
        migrations.upgrade(url)
        loading.made_as_written(url)
        ours, theirs, growth = [], [], Growth()
        rounds = 1 if ROWS >= LARGE else ROUNDS
        for _ in range(rounds):
            took_s, growth = run(brought_in(url, folder / "home", file))
            ours.append(took_s)
            if ROWS < LARGE:
                theirs.append(loading.timed(url, lambda: loading.copied(url, clean)))
        took_s = statistics.median(ours)
        found = [whole("import, PostgreSQL", took_s), memory("import, PostgreSQL", growth)]
        if ROWS >= LARGE:
            return found
        by_copy_s = statistics.median(theirs)
        found.append(rate("import, PostgreSQL: checked, in order, indexed", took_s / ROWS,
                          r"unchecked \copy into document 2's table", by_copy_s / ROWS, 2))  # fmt: skip
        for name, way in (
            ("Django's bulk_create", loading.by_django),
            ("DictReader, phonenumbers, SQLAlchemy", loading.by_orm),
        ):
            peer_s = loading.timed(url, lambda way=way: way(url, few))  # type: ignore[misc]
            found.append(rate("import, PostgreSQL", took_s / ROWS, name, peer_s / PEER_ROWS, 7))
        return found + run(exported(url, folder / "home"))


async def exported(url: str, home: Path) -> list[Figure]:
    """Export what was imported beside COPY TO."""
    async with depot(home, url) as one:
        driver = await asyncpg.connect(url)
        project = await driver.fetchval("SELECT max(project_id) FROM phone_numbers")
        ours, first, theirs = [], [], []
        for _ in range(ROUNDS):
            started_s = time.perf_counter()
            await driver.copy_from_query(EXPORTED, project, output=os.devnull, format="csv")
            theirs.append(time.perf_counter() - started_s)
            took_s, first_s = await streamed(one, project)
            ours.append(took_s)
            first.append(first_s)
        with watched() as growth:
            filed_s = await one.send_out(project, "csv")
        await driver.close()
    took_s, copy_s = statistics.median(ours), statistics.median(theirs)
    return [
        rate("export, PostgreSQL, as a stream", took_s / ROWS, "COPY TO", copy_s / ROWS, 0.6),
        Figure("export, PostgreSQL: first byte", duration(max(first)), goal="≤ 100 ms", met=max(first) <= 0.1),
        Figure("export, PostgreSQL: into a file for download", f"{duration(filed_s)}, {ROWS / filed_s:,.0f} rows/s"),
        memory("export, PostgreSQL", growth),
    ]


async def streamed(one: Depot, project: int) -> tuple[float, float]:
    """Read the stream of an export to its end; its seconds, and those to the first numbers."""
    tables = SqlNumberTables(await one.app.get(Database))
    started_s, first_s, count = time.perf_counter(), 0.0, 0
    async for _, numbers in tables.csv(NumberFilter(project_id=project)):
        count += numbers
        first_s = first_s or (time.perf_counter() - started_s if numbers else 0.0)
    if count != ROWS:
        raise AssertionError(f"{count} of {ROWS}")
    return time.perf_counter() - started_s, first_s


def on_sqlite(folder: Path, file: Path) -> list[Figure]:
    """Import on SQLite beside a sorted executemany into the same table."""
    home = folder / "embedded"
    took_s, growth = run(brought_in("", home, file))
    found = [whole("import, SQLite", took_s), memory("import, SQLite", growth)]
    if ROWS < LARGE:
        peer_s = sorted_many(home / "opora.db")
        found.append(rate("import, SQLite", took_s / ROWS, "sorted executemany, unchecked", peer_s / ROWS, 0.5))
    return found


def sorted_many(file: Path) -> float:
    """Put as many rows in by one sorted executemany a hundred thousand."""
    columns = "phone, created_at, updated_at, next_call_at, project_id, status, zone_set, attempts"
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        for name, value in (("journal_mode", "WAL"), ("synchronous", "NORMAL"), ("cache_size", "-16000")):
            database.execute(f"PRAGMA {name}={value}")
        database.execute("DELETE FROM phone_numbers")
        at = "2026-01-01T00:00:00.000000Z"
        started_s = time.perf_counter()
        for start in range(0, ROWS, 100_000):
            database.execute("BEGIN IMMEDIATE")
            rows = (
                (nth + 1, 79000000000 + nth * 7, at, at, at, 1, 0, 0, 0)
                for nth in range(start, min(start + 100_000, ROWS))
            )
            database.executemany(f"INSERT INTO phone_numbers (id, {columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
            database.execute("COMMIT")
        return time.perf_counter() - started_s


@contextmanager
def room() -> Iterator[Path]:
    """Lend a folder for files."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def figures() -> list[Figure]:
    """Make the file, then measure both stores."""
    with room() as folder:
        file = folder / "numbers.csv"
        started_s = time.perf_counter()
        write(file, ROWS)
        made = Figure(f"a file of {ROWS:,} numbers made", duration(time.perf_counter() - started_s))
        return [made, *on_postgres(folder, file), *on_sqlite(folder, file)]


if __name__ == "__main__":
    print(*figures(), sep="\n")
