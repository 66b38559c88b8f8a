"""Texts: how soon a reader has the engine's words, what an open breaker costs, how many texts a second are charged."""

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path
from uuid import UUID

from bench.bench_jobs import POSTGRES_URL
from bench.figures import Figure, duration
from core.generation.press import NOBODYS_KEY, Press
from opora.adapters.engines.chain import EngineChain
from opora.adapters.engines.local import LocalEngine
from opora.adapters.engines.script import FaultScript
from opora.adapters.sql import migrations
from opora.adapters.sql.audit import AuditKey
from opora.adapters.sql.connection import Database
from opora.adapters.sql.postgres import PostgresDatabase
from opora.adapters.sql.repositories import SqlParts
from opora.adapters.sql.sqlite import SqliteDatabase
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.adapters.system.identifiers import TimeOrderedIdentifiers
from opora.core.generation.errors import EngineUnavailable
from opora.core.generation.model.engines import Began, CallPolicy, Ended, Finish, Said, Usage
from opora.core.generation.model.texts import Place, Reach, TextPolicy
from opora.core.generation.rules.reading import More
from opora.core.jobs.ports import Announcer
from opora.core.kernel.model import BreakerPolicy
from opora.testing.text_engines import a_wish
from servers.maintenance import Maintenance

STREAMS, TEXTS, AT_ONCE, CALLS = 100, 300, 16, 2000
FIRST_S, OPEN_S = 0.030, 0.001


class Nobody(Announcer):
    """Tells nobody."""

    def announce(self, ids: Sequence[UUID], kinds: Collection[str] = ()) -> None:
        """Say nothing."""


def figures() -> list[Figure]:
    """Measure streams and texts on both stores, and the breaker on none."""
    found = [asyncio.run(an_open_breaker())]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "bench.db"
        migrations.upgrade(f"sqlite:///{file}")
        found += asyncio.run(measured(SqliteDatabase(file), "SQLite"))
    server, name = Maintenance(POSTGRES_URL), f"bench_generation_{os.getpid()}"
    url = server.create(name)
    try:
        migrations.upgrade(url)
        found += asyncio.run(measured(PostgresDatabase(url), "PostgreSQL"))
    finally:
        server.drop(name)
    return found


async def an_open_breaker() -> Figure:
    """Ask a chain whose only engine is left in peace."""
    engines = [("a", LocalEngine(FaultScript("down")))]
    breaker = BreakerPolicy(failures_max=1, open_s=3600.0, open_max_s=3600.0)
    chain = EngineChain(engines, policy=CallPolicy(tries_max=1), breaker=breaker)

    async def ask() -> None:
        with suppress(EngineUnavailable):
            async for _ in chain.write(a_wish()):
                pass

    await ask()
    start = time.perf_counter()
    for _ in range(CALLS):
        await ask()
    took_s = (time.perf_counter() - start) / CALLS
    return Figure(
        "a call of an engine whose breaker is open",
        duration(took_s),
        goal=f"≤ {duration(OPEN_S)}",
        met=took_s <= OPEN_S,
    )


async def measured(database: Database, store: str) -> list[Figure]:
    """Open a store, measure streams and texts, close it."""
    await database.open()
    try:
        unit = SqlUnitOfWork(database, SqlParts(TimeOrderedIdentifiers(), AuditKey(bytes(32)), Nobody(), {}))
        press = Press(unit, database, policy=TextPolicy())
        return [await streams(press, store), await texts(press, store)]
    finally:
        await database.close()


async def streams(press: Press, store: str) -> Figure:
    """Time from the engine's first word to the reader's, one text after another."""
    waits = []
    for number in range(STREAMS):
        press.engines.gate, press.engines.waiting = asyncio.Event(), asyncio.Event()
        press.engines.scripts = [[Began("e"), "wait", Said("one"), Ended(Finish.STOP, Usage(1, 1))]]
        text = await press.ask(NOBODYS_KEY, topic=f"tea {number}")
        writing = asyncio.create_task(press.write(press.performer.claims.pop()))
        reading = asyncio.create_task(first(press, text.id))
        await press.engines.waiting.wait()
        await asyncio.sleep(0.05)  # the reader waits by then
        start = time.perf_counter()
        press.engines.gate.set()
        waits.append(await reading - start)
        await writing
    p99 = sorted(waits)[int(len(waits) * 0.99) - 1]
    told = f"p50 {duration(statistics.median(waits))}, p99 {duration(p99)}"
    goal = f"≤ {duration(FIRST_S)}"
    return Figure(f"first word of an engine to its reader, {store}", told, goal=goal, met=p99 <= FIRST_S)


async def first(press: Press, id: UUID) -> float:
    """Return when the first word is there."""
    async for step in press.follow.steps(id, Reach(None), Place()):
        if isinstance(step, More):
            return time.perf_counter()
    raise AssertionError("the text has no words")


async def texts(press: Press, store: str) -> Figure:
    """Ask for texts and write them, some at once, each held and settled on one person's plan where there is one."""
    press.engines.scripts = [[Began("e"), Said("one"), Said(" two"), Ended(Finish.STOP, Usage(1, 2))]]
    numbers = iter(range(TEXTS))

    async def one() -> None:
        for number in numbers:
            await press.ask(NOBODYS_KEY, topic=f"milk {number}")
            await press.write(press.performer.claims.pop())

    start = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(AT_ONCE)))
    took_s = time.perf_counter() - start
    return Figure(f"texts asked for, written and ended, {AT_ONCE} at once, {store}", f"{TEXTS / took_s:,.0f} texts/s")
