"""Workers as processes over a store of each kind, and the question whether every job had its effect once."""

import asyncio
import hashlib
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from pathlib import Path
from uuid import UUID

import pytest

from faults.shop import EFFECT, KIND
from opora.adapters.sql.audit import AuditKey
from opora.adapters.sql.connection import Database
from opora.adapters.sql.postgres import PostgresDatabase
from opora.adapters.sql.repositories import SqlParts
from opora.adapters.sql.sqlite import SqliteDatabase
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.adapters.system.identifiers import TimeOrderedIdentifiers
from opora.core.jobs.model import NewJob
from opora.core.jobs.ports import Announcer
from opora.core.kernel.errors import DatabaseUnavailable
from servers.plugin import Private
from servers.processes import alive

TESTS = Path(__file__).parents[1]
LEASE_S = 2
SECRET = hashlib.sha256(b"of no worth").hexdigest()


class Nobody(Announcer):
    """Tells nobody: the sweep must find the work."""

    def announce(self, ids: object, kinds: Collection[str] = ()) -> None:
        """Say nothing."""


class Nursery:
    """A warm process that forks workers."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        variables = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{TESTS.parent / 'src'}:{TESTS}", **environment}
        self.home = Path(environment["OPORA_HOME"])
        self._parent = subprocess.Popen(
            [sys.executable, "-m", "faults.shop"], env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        self.pids: list[int] = []

    def start(self, errand: str = "") -> int:
        """Fork a worker, or a process that does an errand and ends; return its process id."""
        assert self._parent.stdin is not None and self._parent.stdout is not None
        self._parent.stdin.write(f"{errand}\n")
        self._parent.stdin.flush()
        self.pids.append(int(self._parent.stdout.readline()))
        return self.pids[-1]

    def close(self) -> None:
        """End everything at once."""
        for pid in self.pids:
            if alive(pid):
                os.kill(pid, signal.SIGKILL)
        self._parent.kill()
        self._parent.wait(10)
        for pipe in (self._parent.stdin, self._parent.stdout):
            assert pipe is not None
            pipe.close()


class Yard:
    """One store, its workers, and what became of the jobs."""

    def __init__(self, database: Database, nursery: Nursery) -> None:
        self.database = database
        self.nursery = nursery
        parts = SqlParts(TimeOrderedIdentifiers(), AuditKey(bytes(32)), Nobody(), {})
        self.unit = SqlUnitOfWork(database, parts)

    async def add(self, count: int, seconds: float) -> list[UUID]:
        """Keep jobs, all in one transaction."""
        job = NewJob(kind=KIND, payload={"seconds": seconds}, attempts_max=40)
        async with self.unit() as tx:
            return [await tx.jobs.add(job) for _ in range(count)]

    async def states(self) -> Counter[str]:
        """Count the jobs of each state; nothing while the store is away."""
        try:
            rows = await self.database.read.fetch("SELECT state FROM jobs WHERE kind = :kind", kind=KIND)
        except DatabaseUnavailable:
            return Counter()
        return Counter(row["state"] for row in rows)

    async def until(self, state: str, count: int, within_s: float = 25.0) -> None:
        """Look until so many jobs stand there."""
        async with asyncio.timeout(within_s):
            while (await self.states())[state] < count:  # noqa: ASYNC110
                await asyncio.sleep(0.05)  # it is the store that is asked

    async def effects(self) -> Counter[str]:
        """Count the effects of each job."""
        sql = "SELECT entity_id FROM audit_log WHERE action = :action"
        return Counter(row["entity_id"] for row in await self.database.read.fetch(sql, action=EFFECT))

    async def each_once(self, ids: list[UUID]) -> None:
        """Wait until every job succeeded; each had its effect once."""
        await self.until("succeeded", len(ids))
        assert await self.effects() == Counter(str(id) for id in ids)


def settings(home: Path, **more: str) -> dict[str, str]:
    """Return the environment of a worker with short leases."""
    told = {"OPORA_HOME": str(home), "OPORA_JOB_LEASE_S": str(LEASE_S), "OPORA_JOB_POLL_MS": "200"}
    told |= {"OPORA_TEXT_ENGINE_PAUSE_MS": "10"}  # so that texts are met in their middle
    told |= {"OPORA_PAYMENT_RECONCILE_S": "1"}
    return {**told, "OPORA_WORKER_CONCURRENCY": "8", "OPORA_SECRET_KEY": SECRET, **more}


@pytest.fixture
def sqlite_nursery(sqlite_file: Path) -> Iterator[Nursery]:
    """Workers over a file, with no server at all."""
    nursery = Nursery(settings(sqlite_file.parent))
    yield nursery
    nursery.close()


@pytest.fixture
def postgres_nursery(postgres_url: str, private_redis: Private, tmp_path: Path) -> Iterator[Nursery]:
    """Workers over PostgreSQL, woken through a Redis of their own."""
    told = settings(tmp_path, OPORA_DATABASE_URL=postgres_url, OPORA_REDIS_URL=private_redis.url)
    nursery = Nursery(told)
    yield nursery
    nursery.close()


@pytest.fixture
async def sqlite_yard(anyio_backend: str, sqlite_file: Path, sqlite_nursery: Nursery) -> AsyncIterator[Yard]:
    """SQLite and its workers."""
    database = SqliteDatabase(sqlite_file)
    await database.open()
    yield Yard(database, sqlite_nursery)
    await database.close()


@pytest.fixture
async def postgres_yard(anyio_backend: str, postgres_url: str, postgres_nursery: Nursery) -> AsyncIterator[Yard]:
    """PostgreSQL, Redis and their workers."""
    database = PostgresDatabase(postgres_url)
    await database.open()
    yield Yard(database, postgres_nursery)
    await database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def yard(request: pytest.FixtureRequest) -> Yard:
    """Each store in turn."""
    name = {"sqlite": "sqlite_yard", "postgresql": "postgres_yard"}[request.param]
    return request.getfixturevalue(name)  # type: ignore[no-any-return]
