"""What a repository may rely on is the same on both stores."""

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from opora.adapters.sql.connection import Database, carried
from opora.adapters.sql.errors import ConstraintBroken
from opora.adapters.sql.jobs import SqlJobViews
from opora.adapters.sql.postgres import PostgresDatabase
from opora.adapters.sql.sqlite import SqliteDatabase
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.core.jobs.model import NewJob
from opora.core.kernel.errors import DatabaseUnavailable, Stale

pytestmark = pytest.mark.anyio
HOSTILE = ["'; DROP TABLE jobs; --", "a' OR '1'='1", ":name", "$1", "%_\\", "ё\u0301 – 🙂", "\\'; --"]


@pytest.mark.parametrize("text", HOSTILE)
async def test_a_value_is_never_read_as_sql(database: Database, text: str) -> None:
    assert await database.read.fetch_value("SELECT CAST(:text AS text)", text=text) == text
    assert await database.read.fetch_value("SELECT count(*) FROM jobs") == 0


async def test_an_instant_of_any_zone_comes_back_as_the_same_instant(unit: SqlUnitOfWork, database: Database) -> None:
    at = datetime(2030, 3, 29, 3, 30, 0, 123456, tzinfo=timezone(timedelta(hours=5, minutes=45)))
    async with unit() as tx:
        job_id = await tx.jobs.add(NewJob(kind="test", run_at=at))
    job = await SqlJobViews(database.read).one(job_id)
    assert job is not None
    assert job.run_at == at
    assert job.run_at.utcoffset() == timedelta(0)


async def test_the_clock_of_the_store_moves_by_seconds(database: Database) -> None:
    assert await database.read.fetch_value("SELECT CASE WHEN later(60) > now() THEN 1 ELSE 0 END") == 1
    assert await database.read.fetch_value("SELECT CASE WHEN later(-60) < now() THEN 1 ELSE 0 END") == 1


async def test_a_list_is_one_parameter(database: Database) -> None:
    listed = database.read.listed("ids")
    assert await database.read.fetch_value(f"SELECT count(*) FROM {listed} AS given", ids="[1, 2, 3]") == 3


async def test_ids_are_handed_out_once_even_when_the_block_rolls_back(database: Database) -> None:
    transaction = await database.begin()
    first = await transaction.connection.next_ids("audit_log", 3)
    await transaction.commit()
    second = await database.read.next_ids("audit_log", 2)
    assert len({*first, *second}) == 5
    assert list(first) == sorted(first)


async def test_a_block_that_raises_leaves_nothing(database: Database) -> None:
    transaction = await database.begin()
    await transaction.connection.next_ids("audit_log", 1)
    await transaction.connection.execute("DELETE FROM audit_seal")
    await transaction.rollback()
    assert await database.read.fetch_value("SELECT count(*) FROM audit_seal") == 1


ONE_MORE = "UPDATE audit_seal SET seal_number = seal_number + 1"
NUMBER = "SELECT seal_number FROM audit_seal"


async def test_what_is_left_to_the_end_is_done_by_the_commit_alone_or_after_others(database: Database) -> None:
    for others in (0, 1, 2):
        before = await database.read.fetch_value(NUMBER)
        transaction = await database.begin()
        await transaction.connection.conclude(ONE_MORE)
        for _ in range(others):
            assert await transaction.connection.fetch_value(NUMBER) == before + 1
            await transaction.connection.conclude(ONE_MORE)
            before += 1
        await transaction.commit()
        assert await database.read.fetch_value(NUMBER) == before + 1


async def test_what_is_left_to_the_end_goes_with_a_rollback(database: Database) -> None:
    for others in (0, 1):
        transaction = await database.begin()
        await transaction.connection.conclude(ONE_MORE)
        for _ in range(others):
            await transaction.connection.execute(ONE_MORE)
        await transaction.rollback()
        assert await database.read.fetch_value(NUMBER) == 0


async def test_what_changes_no_row_at_the_end_is_refused_and_the_rest_undone(database: Database) -> None:
    async def ended(*earlier: str) -> None:
        async with carried(await database.begin()) as connection:
            for one in earlier:
                await connection.execute(one)
            await connection.conclude(f"{ONE_MORE} WHERE id = 2", Stale())

    for earlier in ((), (ONE_MORE,)):
        with pytest.raises(Stale):
            await ended(*earlier)
        assert await database.read.fetch_value(NUMBER) == 0
    assert await database.read.fetch_value("SELECT 1") == 1


async def test_a_broken_constraint_is_named_in_one_word_for_both(database: Database) -> None:
    with pytest.raises(ConstraintBroken):
        await database.read.execute("INSERT INTO audit_seal SELECT * FROM audit_seal")


async def test_a_store_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnavailable):
        await PostgresDatabase("postgresql://nobody@127.0.0.1:1/none").open()
    (tmp_path / "file").write_text("")
    with pytest.raises((DatabaseUnavailable, OSError)):
        await SqliteDatabase(tmp_path / "file" / "opora.db").open()
