"""Both sides of the bank compared: 100,000 documents that agree, and as many that the bank has lost."""

import asyncio
import os
import tempfile
import time
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import batched
from pathlib import Path
from uuid import UUID, uuid4

import psutil

from bench.figures import Figure, duration
from opora.adapters.banking.local import LocalCoreBanking, opened
from opora.adapters.sql import migrations
from opora.adapters.sql.audit import AuditKey
from opora.adapters.sql.banking.packets import ADD as ADD_PACKET
from opora.adapters.sql.banking.views import SqlBankingViews
from opora.adapters.sql.connection import Database
from opora.adapters.sql.documents.documents import ADD as ADD_DOCUMENT
from opora.adapters.sql.mapping import columns
from opora.adapters.sql.postgres import PostgresDatabase
from opora.adapters.sql.repositories import SqlParts
from opora.adapters.sql.sqlite import SqliteDatabase
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.adapters.system.clock import SystemClock
from opora.adapters.system.identifiers import TimeOrderedIdentifiers
from opora.core.documents.model.packets import PacketStatus
from opora.core.documents.model.reconciliation import Reconciliation, ReconciliationPolicy
from opora.core.documents.usecases.reconciliation import Reconcile
from opora.core.jobs.ports import Announcer
from opora.core.kernel.model import SYSTEM
from opora.testing.banking import a_packet
from opora.testing.documents import CLIENT, a_document, with_people
from servers.maintenance import Maintenance

POSTGRES_URL = os.environ.get("OPORA_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
DOCUMENTS = 100_000
AT_ONCE = 5_000
GOAL_S = 60.0
LONG_AGO = datetime.now(UTC) - timedelta(days=1)
HOLD = "INSERT INTO holdings (document_id, version, status, sha256) VALUES (?, 2, 'approved', ?)"


class Nobody(Announcer):
    """Wakes nobody."""

    def announce(self, ids: Sequence[UUID], kinds: Collection[str] = ()) -> None:
        return


async def filled(database: Database, unit: SqlUnitOfWork) -> None:
    """Keep documents, and a packet of each that the bank has accepted."""
    await with_people(unit, CLIENT)
    for ids in batched(range(1, DOCUMENTS + 1), AT_ONCE, strict=False):
        transaction = await database.begin()
        documents = [columns(a_document(id)) | {"search": ""} for id in ids]
        await transaction.connection.execute_many(ADD_DOCUMENT, documents)
        packets = (a_packet(id, id, status=PacketStatus.ACCEPTED, settled_at=LONG_AGO) for id in ids)
        await transaction.connection.execute_many(ADD_PACKET, [columns(one) for one in packets])
        await transaction.commit()


def hold(folder: Path, ids: Iterable[int]) -> None:
    """Let the bank hold documents."""
    with opened(folder / "abs.db") as base:
        base.executemany(HOLD, ((id, f"{id:064x}") for id in ids))


async def compared(database: Database, unit: SqlUnitOfWork, bank: Path) -> tuple[Reconciliation, float, float]:
    """Compare both sides, and return what came out, the seconds and the growth of memory in MiB."""
    identifiers, before = TimeOrderedIdentifiers(), psutil.Process().memory_info().rss
    views, clock = SqlBankingViews(database.read), SystemClock()
    case = Reconcile(unit, views, LocalCoreBanking(bank), identifiers, clock, ReconciliationPolicy())
    start_s = time.perf_counter()
    done = await case.at_once(SYSTEM)
    took_s = time.perf_counter() - start_s
    return done, took_s, (psutil.Process().memory_info().rss - before) / 2**20


async def measured(name: str, database: Database, folder: Path) -> list[Figure]:
    """Compare a bank that agrees and one that has lost everything."""
    await database.open()
    unit = SqlUnitOfWork(database, SqlParts(TimeOrderedIdentifiers(), AuditKey(bytes(32)), Nobody(), {}))
    await filled(database, unit)
    found = []
    for about, ids in (("that agree", range(1, DOCUMENTS + 1)), ("the bank has lost", range(0))):
        bank = folder / uuid4().hex
        hold(bank, ids)
        done, took_s, grown_mib = await compared(database, unit, bank)
        assert done.compared == DOCUMENTS
        assert done.differences == done.opened == DOCUMENTS - len(ids)
        path = f"reconciliation: {DOCUMENTS:,} documents {about}, {name}"
        told = f"{duration(took_s)}, {done.differences:,} tickets, memory +{max(grown_mib, 0):.0f} MiB"
        found.append(Figure(path, told, goal=f"≤ {GOAL_S:.0f} s", met=took_s <= GOAL_S))
    await database.close()
    return found


def figures() -> list[Figure]:
    """Measure on databases of our own."""
    name = f"opora_bench_{uuid4().hex[:8]}"
    server = Maintenance(POSTGRES_URL)
    url = server.create(name)
    try:
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            stores: dict[str, Database] = {
                "SQLite": SqliteDatabase(place / "opora.db"),
                "PostgreSQL": PostgresDatabase(url),
            }
            for one in (url, f"sqlite:///{place}/opora.db"):
                migrations.upgrade(one)
            return [one for name, store in stores.items() for one in asyncio.run(measured(name, store, place))]
    finally:
        server.drop(name)
        server.close()


if __name__ == "__main__":
    for figure in figures():
        print(figure)
