"""Behind a pooler in transaction mode everything works as before: the worst pooler there is, and pgbouncer."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from core.numbers.depot import Depot
from opora.adapters.sql import migrations
from opora.adapters.sql.connection import Database, carried
from opora.adapters.sql.numbers.views import SqlNumberViews
from opora.adapters.sql.postgres import PostgresDatabase
from opora.adapters.sql.repositories import SqlParts
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.core.numbers.model.transfers import EXPORT, TransferPolicy, TransferStatus
from opora.testing.blobs import whole
from opora.testing.numbers import NumberStoreContract
from servers import pgbouncer
from servers.fleet import Fleet
from servers.pooler import Pooler

pytestmark = pytest.mark.anyio


@pytest.fixture
async def worst(anyio_backend: str, postgres_url: str) -> AsyncIterator[str]:
    """The address of a pooler that changes the server at every chance."""
    pooler = Pooler(postgres_url)
    yield await pooler.start()
    await pooler.stop()


@pytest.fixture
async def bounced(anyio_backend: str, postgres_url: str, fleet: Fleet) -> AsyncIterator[str]:
    """The address of pgbouncer in transaction mode."""
    program = pgbouncer.installed()
    if not program:
        pytest.skip("pgbouncer is not installed")
    folder = fleet.folder / f"pgbouncer-{uuid4().hex[:8]}"
    url, process = await asyncio.to_thread(pgbouncer.start, program, postgres_url, folder, fleet.pid)
    yield url
    await asyncio.to_thread(process.stop)


@pytest.fixture(params=["worst", "bounced"])
def pooled_url(request: pytest.FixtureRequest) -> str:
    """Each pooler in turn."""
    return str(request.getfixturevalue(request.param))


@pytest.fixture
async def pooled(pooled_url: str) -> AsyncIterator[Database]:
    """A database by way of a pooler, told so by its setting."""
    database = PostgresDatabase(pooled_url, statement_cache=0)
    await database.open()
    yield database
    await database.close()


class Pooled(NumberStoreContract):
    """Numbers behind a pooler."""

    def __init__(self, database: Database, parts: SqlParts) -> None:
        self.unit = SqlUnitOfWork(database, parts)
        self.views = SqlNumberViews(database.read)


async def test_what_leans_on_the_session_breaks_at_the_worst_pooler(worst: str) -> None:
    database = PostgresDatabase(worst, statement_cache=100)
    await database.open()
    with pytest.raises(asyncpg.InvalidSQLStatementNameError):
        await database.read.fetch_value("SELECT 1")
    await database.close()


async def test_every_statement_is_answered_as_if_it_were_alone(pooled: Database) -> None:
    async def ask(nth: int) -> None:
        sql = f"SELECT CAST(:value AS bigint) + {nth % 7} AS told"
        assert await pooled.read.fetch_value(sql, value=nth) == nth + nth % 7

    await asyncio.gather(*(ask(nth) for nth in range(300)))


async def test_a_transaction_and_a_long_read_stay_in_one_place(pooled: Database) -> None:
    async def write(nth: int) -> None:
        async with carried(await pooled.begin()) as connection:
            await connection.execute_many(
                "INSERT INTO suppressions (id, phone, project_id, reason, created_by, created_at)"
                " VALUES (:id, :id, 0, '', '', now())",
                [{"id": nth * 10 + one} for one in range(5)],
            )
            sql = "SELECT count(*) FROM suppressions WHERE id BETWEEN :low AND :high"
            assert await connection.fetch_value(sql, low=nth * 10, high=nth * 10 + 9) == 5

    await asyncio.gather(*(write(nth) for nth in range(20)))
    async with pooled.scan() as connection:
        await connection.fetch("BEGIN")
        first = await connection.fetch_value("SELECT pg_current_xact_id()::text")
        assert await connection.fetch_value("SELECT count(*) FROM suppressions WHERE id < :id", id=1000) == 100
        assert await connection.fetch_value("SELECT pg_current_xact_id()::text") == first
        await connection.fetch("ROLLBACK")


@pytest.mark.parametrize(
    "promise",
    [
        "test_many_adders_of_the_same_numbers_keep_each_once",
        "test_many_are_saved_at_once_as_one_by_one",
        "test_pages_cover_a_list_once_in_a_stable_order",
        "test_no_number_is_claimed_twice",
    ],
)
async def test_numbers_keep_their_promises(pooled: Database, sql_parts: SqlParts, promise: str) -> None:
    await getattr(Pooled(pooled, sql_parts), promise)()


async def test_files_go_in_and_out(pooled: Database, sql_parts: SqlParts, tmp_path: Path) -> None:
    depot = Depot(SqlUnitOfWork(pooled, sql_parts), pooled, tmp_path, policy=TransferPolicy())
    project = await depot.project()
    phones = [79160000000 + nth for nth in range(30_000)]
    made = await depot.bring(project, "\n".join(["phone", *map(str, phones)]).encode())
    assert (made.status, made.created) == (TransferStatus.COMPLETED, len(phones))
    asked = await depot.ask_export(project)
    await depot.run(EXPORT)
    assert (await depot.transfer(asked.id)).records == len(phones)
    text = await whole(await depot.blobs.open(asked.blob_name))
    assert text.count(b"\n") == len(phones) + 1


async def test_where_the_schema_stands_is_told_again_and_again(pooled_url: str) -> None:
    for _ in range(3):
        assert (await asyncio.to_thread(migrations.state, pooled_url)).up_to_date
