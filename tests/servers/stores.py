"""Both relational stores, open and migrated, and units of work on them."""

from collections.abc import AsyncIterator, Collection, Sequence
from pathlib import Path
from uuid import UUID

import pytest

from opora.adapters.crypto.sealing import AesSeal
from opora.adapters.sql.audit import AuditKey
from opora.adapters.sql.connection import Database
from opora.adapters.sql.outbox import Subscriptions
from opora.adapters.sql.postgres import PostgresDatabase
from opora.adapters.sql.repositories import SqlParts
from opora.adapters.sql.sqlite import SqliteDatabase
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.adapters.system.identifiers import TimeOrderedIdentifiers
from opora.core.jobs.ports import Announcer

BUSY_S = 60.0
"""How long a storm of a test may queue for a connection: what a busy machine does to it is no finding."""


class KeptAnnouncements(Announcer):
    """Remembers which jobs were announced, in order."""

    def __init__(self) -> None:
        self.ids: list[UUID] = []

    def announce(self, ids: Sequence[UUID], kinds: Collection[str] = ()) -> None:
        self.ids.extend(ids)


@pytest.fixture
async def sqlite_database(anyio_backend: str, sqlite_file: Path) -> AsyncIterator[Database]:
    """A SQLite database of this test alone, at the newest schema."""
    database = SqliteDatabase(sqlite_file)
    await database.open()
    yield database
    await database.close()


@pytest.fixture
async def postgres_database(anyio_backend: str, postgres_url: str) -> AsyncIterator[Database]:
    """A PostgreSQL database of this test alone, at the newest schema."""
    database = PostgresDatabase(postgres_url, wait_s=BUSY_S)
    await database.open()
    yield database
    await database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Database:
    """A database of each store in turn: a test that asks for it runs twice."""
    name = {"sqlite": "sqlite_database", "postgresql": "postgres_database"}[request.param]
    return request.getfixturevalue(name)  # type: ignore[no-any-return]


@pytest.fixture
def announcements() -> KeptAnnouncements:
    """What the unit of work announced after its commits."""
    return KeptAnnouncements()


@pytest.fixture
def subscriptions() -> Subscriptions:
    """Who hears of which event: nobody, until a test module says otherwise by a fixture of the same name."""
    return {}


@pytest.fixture
def sql_parts(announcements: KeptAnnouncements, subscriptions: Subscriptions) -> SqlParts:
    """What every transaction of the tests is given."""
    return SqlParts(
        TimeOrderedIdentifiers(),
        AuditKey(b"a key of thirty-two bytes, for tests"),
        announcements,
        subscriptions,
        AesSeal(b"another key of thirty-two bytes!"),
    )


@pytest.fixture
def unit(database: Database, sql_parts: SqlParts) -> SqlUnitOfWork:
    """A unit of work on each store in turn."""
    return SqlUnitOfWork(database, sql_parts)


@pytest.fixture
def sqlite_unit(sqlite_database: Database, sql_parts: SqlParts) -> SqlUnitOfWork:
    """A unit of work on SQLite alone, for what no store can change the outcome of."""
    return SqlUnitOfWork(sqlite_database, sql_parts)
