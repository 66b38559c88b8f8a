"""The schema goes up, down and up again on both stores, and is the one the tables as data describe."""

import asyncio
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from opora.adapters.sql import migrations, revisions
from opora.adapters.sql.migrations import on_connection, state
from opora.adapters.sql.postgres import PostgresDatabase
from opora.adapters.sql.revisions import SchemaAhead, SchemaBehind
from opora.adapters.sql.sqlite import SqliteDatabase

SOURCES = Path(__file__).parents[2] / "src"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each store in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    return str(request.getfixturevalue("empty_postgres_url"))


def all_revisions() -> list[str]:
    """Name every revision, the newest first."""
    scripts = ScriptDirectory.from_config(migrations.configured("sqlite://"))
    return [one.revision for one in scripts.walk_revisions()]


def tables(url: str) -> set[str]:
    catalogue = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    if url.startswith("postgresql"):
        catalogue = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    return on_connection(url, lambda connection: {row[0] for row in connection.execute(text(catalogue))})


def test_up_down_and_up_again_leaves_the_newest_schema_and_no_drift(url: str) -> None:
    assert state(url).current is None
    migrations.upgrade(url)
    first = tables(url)
    migrations.downgrade(url, "base")
    assert tables(url) == {"alembic_version"}
    migrations.upgrade(url)
    found = state(url, with_drift=True)
    assert (found.current, found.drift, found.up_to_date) == (found.head, (), True)
    assert tables(url) == first


def test_each_migration_can_be_taken_back_alone(url: str) -> None:
    migrations.upgrade(url)
    for revision, before in pairwise(all_revisions()):
        migrations.downgrade(url, before)
        migrations.upgrade(url, revision)
        migrations.downgrade(url, before)
    assert state(url).current == "0001"


def test_drift_is_seen(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    migrations.upgrade(url)
    on_connection(url, lambda connection: [connection.execute(text("DROP INDEX ix_jobs_due")), connection.commit()])
    (difference,) = state(url, with_drift=True).drift
    assert "ix_jobs_due" in difference


def test_what_would_be_applied_is_told_in_order(url: str) -> None:
    planned = [one.revision for one in migrations.plan(url)]
    assert planned == sorted(planned)
    assert planned[-1] == revisions.newest()
    migrations.upgrade(url)
    assert migrations.plan(url) == []


def test_an_upgrade_that_fails_half_way_leaves_nothing(url: str) -> None:
    in_the_way = "CREATE TABLE ledger_transfers (id integer)"
    on_connection(url, lambda connection: [connection.execute(text(in_the_way)), connection.commit()])
    with pytest.raises(DBAPIError, match="ledger_transfers"):
        migrations.upgrade(url)
    assert tables(url) == {"ledger_transfers"}


def test_two_migrators_at_once_both_end_well(url: str) -> None:
    code = f"from opora.adapters.sql import migrations; migrations.upgrade({url!r})"
    environment = {"PYTHONPATH": str(SOURCES), "PATH": "/usr/bin:/bin"}
    both = [subprocess.Popen([sys.executable, "-c", code], env=environment) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    assert state(url).up_to_date


async def required(url: str) -> None:
    """Ask as a start does whether the schema fits."""
    if url.startswith("postgresql"):
        database: PostgresDatabase | SqliteDatabase = PostgresDatabase(url)
    else:
        database = SqliteDatabase(Path(url.removeprefix("sqlite:///")))
    await database.open()
    try:
        await revisions.require(database.read)
    finally:
        await database.close()


@pytest.mark.anyio
async def test_a_schema_that_fits_is_taken_and_any_other_refused(url: str, anyio_backend: str) -> None:
    with pytest.raises(SchemaBehind):
        await required(url)
    await asyncio.to_thread(migrations.upgrade, url, "0001")
    with pytest.raises(SchemaBehind) as behind:
        await required(url)
    assert behind.value.facts == {"current": "0001", "wanted": revisions.newest()}
    await asyncio.to_thread(migrations.upgrade, url)
    await required(url)
    await asyncio.to_thread(mark, url, "9999")
    with pytest.raises(SchemaAhead):
        await required(url)
    assert not (await asyncio.to_thread(state, url)).known


def mark(url: str, revision: str) -> None:
    """Say of a database that a newer release migrated it."""
    statement = text("UPDATE alembic_version SET version_num = :revision")

    def write(connection: object) -> None:
        connection.execute(statement, {"revision": revision})  # type: ignore[attr-defined]
        connection.commit()  # type: ignore[attr-defined]

    on_connection(url, write)
