"""`python -m load.sizes`: what one thing of each kind takes on PostgreSQL, measured: rows, indexes, and log of changes.

Things are made over HTTP, as callers make them, with all that goes with them: history, audit, events, answers kept for
repetition. What the database has grown by, divided by how many were made, is what one takes; what is swept later
(finished jobs, dispatched events, kept answers) is told apart.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

import asyncpg
import uvloop
from journeys import API, Call, Cast, by_key, by_person, pays, sends_papers, sent

from load.setups import PRODUCTION, Running, running

SWEPT = {"jobs", "outbox", "idempotency_keys", "bus_queue"}
GROWTH = """
SELECT relname, pg_total_relation_size(oid) FROM pg_class
WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
"""


@dataclass(frozen=True, slots=True)
class Kind:
    """Something that is made over and over; `making` yields each call, `per_call` things at once."""

    name: str
    calls: int
    per_call: int
    call: Callable[[Cast, Random, int], Call]


@dataclass(frozen=True, slots=True)
class Size:
    """What one thing takes, in bytes."""

    name: str
    kept: float
    swept: float
    logged: float
    tables: Sequence[tuple[str, float]]


def numbers(cast: Cast, chance: Random, turn: int) -> Call:
    """Make 10,000 phone numbers."""
    first = 9_160_000_000 + turn * 10_000
    items = [{"phone_number": f"+7{first + one}", "project_id": cast.project_id} for one in range(10_000)]
    return Call("POST", f"{API}/phone-numbers/bulk", "", **sent(by_key(cast), chance, {"items": items}))


def people(cast: Cast, chance: Random, turn: int) -> Call:
    """Have 100 people made and kept."""
    body = {"count": 100, "persist": True}
    return Call("POST", f"{API}/profiles/generate", "", **sent(by_key(cast), chance, body))


def visit(cast: Cast, chance: Random, turn: int) -> Call:
    """Book a time that nobody has."""
    day, place = divmod(turn, 18)
    starts_at = datetime.now(UTC).replace(hour=6, minute=0, second=0, microsecond=0)
    starts_at += timedelta(days=2 + day // len(cast.services), minutes=30 * place)
    wish = {"service_id": cast.services[day % len(cast.services)], "starts_at": starts_at.isoformat()}
    return Call("POST", f"{API}/appointments", "", **sent(by_person(cast, chance), chance, wish))


KINDS = (
    Kind("a phone number", 10, 10_000, numbers),
    Kind("a kept profile", 200, 100, people),
    Kind("a document, without its file", 400, 1, lambda cast, chance, _: next(sends_papers(cast, chance))),
    Kind("an appointment", 800, 1, visit),
    Kind("a payment begun", 800, 1, lambda cast, chance, _: next(pays(cast, chance))),
)


async def sizes(connection: asyncpg.Connection) -> dict[str, int]:
    """Return what every table takes, with its indexes."""
    return {row[0]: row[1] for row in await connection.fetch(GROWTH)}


async def settled(connection: asyncpg.Connection) -> None:
    """Wait until nothing is left to be done."""
    while await connection.fetchval(  # noqa: ASYNC110  # it is the store that is asked
        "SELECT count(*) FROM jobs WHERE state IN ('queued', 'running') AND run_at < now()"
    ):
        await asyncio.sleep(0.2)


async def measured(one: Running, connection: asyncpg.Connection, kind: Kind) -> Size:
    """Make things of one kind and look what they took."""
    chance = Random(1)
    await settled(connection)
    before, log = await sizes(connection), await connection.fetchval("SELECT pg_current_wal_lsn()")
    for turn in range(kind.calls):
        answer = await one.pool.ask(call := kind.call(one.cast, chance, turn))
        assert answer.status in call.good, f"{call.path}: {answer.status} {answer.body[:300]!r}"
    await settled(connection)
    logged = await connection.fetchval("SELECT pg_current_wal_lsn() - $1::pg_lsn", log)
    made = kind.calls * kind.per_call
    grown = {name: (size - before.get(name, 0)) / made for name, size in (await sizes(connection)).items()}
    tables = sorted(((name, size) for name, size in grown.items() if size), key=lambda one: -one[1])
    swept = sum(size for name, size in tables if name in SWEPT)
    return Size(kind.name, sum(size for _, size in tables) - swept, swept, float(logged) / made, tables[:6])


async def all_measured() -> AsyncIterator[Size]:
    """Measure every kind on a PostgreSQL of the run."""
    async with running(PRODUCTION) as one:
        connection = await asyncpg.connect(one.installation.environment["OPORA_DATABASE_URL"])
        try:
            for kind in KINDS:
                yield await measured(one, connection, kind)
        finally:
            await connection.close()


async def main() -> None:
    """Write a line for each kind."""
    async for size in all_measured():
        tables = {name: round(one) for name, one in size.tables}
        sys.stdout.write(
            f"{size.name}: {size.kept:,.0f} bytes kept, {size.swept:,.0f} for days, {size.logged:,.0f} of log;"
            f" {json.dumps(tables)}\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    uvloop.run(main())
