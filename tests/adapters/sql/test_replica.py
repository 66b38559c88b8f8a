"""Exports read from a real streaming replica: never less than was committed before, whatever becomes of the replica."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from opora.adapters.sql import migrations, replica
from opora.adapters.sql.profiles import SqlProfileViews
from opora.adapters.sql.replica import ReplicatedDatabase
from opora.adapters.sql.repositories import SqlParts
from opora.adapters.sql.transfers.writing import SqlNumberTables
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.cli.checks import Health, _replica
from opora.core.numbers.model.numbers import NumberFilter
from opora.core.profiles.model.exports import Reach
from opora.core.profiles.model.kept import ProfileFilter
from opora.testing.profiles import a_kept_profile
from servers import postgres
from servers.fleet import POSTGRES, Fleet
from servers.plugin import Private, or_skip
from servers.processes import HOST, free_port

pytestmark = pytest.mark.anyio
STREAMS = {"wal_level": "replica", "max_wal_senders": "4", "synchronous_commit": "on"}
EVERYONES = Reach(None)


@pytest.fixture(scope="module")
def pair(fleet: Fleet) -> Iterator[tuple[Private, Private]]:
    """A primary at the newest schema, and its replica."""
    with or_skip(POSTGRES):
        binaries = postgres.in_wheel() or postgres.installed()
    if binaries is None or not (binaries.folder / "pg_basebackup").exists():
        pytest.skip("no pg_basebackup on this machine: a replica cannot be made")
    folder = fleet.folder / f"pair-{free_port()}"
    primary = Private(*postgres.start(binaries, folder / "primary", fleet.pid, **STREAMS))
    migrations.upgrade(primary.url)
    second = Private(*postgres.start(binaries, folder / "replica", fleet.pid, source=primary.url, **STREAMS))
    yield primary, second
    second.process.stop()
    primary.process.stop()


@pytest.fixture
async def database(anyio_backend: str, pair: tuple[Private, Private]) -> AsyncIterator[ReplicatedDatabase]:
    """The program's hold on both, which has the replica's ear at once."""
    database = ReplicatedDatabase(pair[0].url, pair[1].url, catch_up_s=10)
    await database.open()
    yield database
    await database.close()


async def is_replica(database: ReplicatedDatabase) -> bool:
    async with database.report() as connection:
        return bool(await connection.fetch_value("SELECT pg_is_in_recovery()"))


async def kept(database: ReplicatedDatabase, parts: SqlParts, count: int = 3) -> set[int]:
    """Keep people and return their ids."""
    async with SqlUnitOfWork(database, parts)() as tx:
        ids = list(await tx.profiles.next_ids(count))
        await tx.profiles.add([a_kept_profile(one) for one in ids])
    return set(ids)


async def exported(database: ReplicatedDatabase) -> set[int]:
    """Return the ids that an export has."""
    views = SqlProfileViews(database)
    return {
        int(one.partition(b":")[2].partition(b",")[0])
        async for some in views.stream(EVERYONES, ProfileFilter())
        for one in some
    }


async def test_what_was_just_kept_is_in_the_export_that_a_replica_answers(
    database: ReplicatedDatabase, sql_parts: SqlParts
) -> None:
    for _ in range(20):
        ids = await kept(database, sql_parts)
        assert ids <= await exported(database)
    assert await is_replica(database)


async def test_tables_of_numbers_are_written_by_the_replica(database: ReplicatedDatabase) -> None:
    tables = SqlNumberTables(database)
    assert await tables.count(NumberFilter()) == 0
    written = b"".join([piece async for piece, _ in tables.csv(NumberFilter())])
    assert written.startswith(b"phone_number,") and await is_replica(database)


async def test_all_else_is_the_primarys(database: ReplicatedDatabase) -> None:
    assert not await database.read.fetch_value("SELECT pg_is_in_recovery()")
    async with database.scan() as connection:
        assert not await connection.fetch_value("SELECT pg_is_in_recovery()")


async def test_a_replica_that_lags_is_left_alone_until_it_has_caught_up(
    pair: tuple[Private, Private], sql_parts: SqlParts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replica, "AGAIN_S", 0.2)
    database = ReplicatedDatabase(pair[0].url, pair[1].url, catch_up_s=0.3)
    await database.open()
    held = await asyncpg.connect(pair[1].url)
    await held.execute("SELECT pg_wal_replay_pause()")
    try:
        ids = await kept(database, sql_parts)
        begun_s = time.monotonic()
        assert ids <= await exported(database)
        assert time.monotonic() - begun_s < 5
        assert not await is_replica(database)
    finally:
        await held.execute("SELECT pg_wal_replay_resume()")
        await held.close()
    async with asyncio.timeout(20):
        while not await is_replica(database):  # noqa: ASYNC110  # the replica decides when
            await asyncio.sleep(0.05)
    assert ids <= await exported(database)
    await database.close()


async def test_a_replica_that_is_down_costs_nobody_an_answer(
    pair: tuple[Private, Private], sql_parts: SqlParts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replica, "AGAIN_S", 0.2)
    database = ReplicatedDatabase(pair[0].url, pair[1].url, catch_up_s=10)
    await database.open()
    assert await is_replica(database)
    pair[1].process.end()
    ids = await kept(database, sql_parts)
    assert ids <= await exported(database) and not await is_replica(database)
    pair[1].process.start_again()
    async with asyncio.timeout(30):
        while not await is_replica(database):  # noqa: ASYNC110  # the replica decides when
            await asyncio.sleep(0.1)
    assert ids <= await exported(database)
    await database.close()


async def test_another_primary_is_no_replica(pair: tuple[Private, Private]) -> None:
    database = ReplicatedDatabase(pair[0].url, pair[0].url, catch_up_s=0.05)
    await database.open()
    assert not await is_replica(database)
    await database.close()


async def test_a_replica_that_was_never_there_does_not_stop_the_start(pair: tuple[Private, Private]) -> None:
    parts = urlsplit(pair[1].url)
    nowhere = urlunsplit(parts._replace(netloc=f"postgres@{HOST}:{free_port()}"))
    for url in (nowhere, urlunsplit(parts._replace(path="/another"))):
        database = ReplicatedDatabase(pair[0].url, url)
        await database.open()
        assert not await is_replica(database)
        (found,) = await _replica(database)
        assert found.health is Health.WARN
        await database.close()


async def test_the_doctor_tells_who_answers(database: ReplicatedDatabase) -> None:
    (found,) = await _replica(database)
    assert found.health is Health.WELL
