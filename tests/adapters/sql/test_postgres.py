"""PostgreSQL that is lost, and calls that are cancelled: the pool is whole afterwards."""

import asyncio
from collections.abc import AsyncIterator
from typing import cast

import pytest

from opora.adapters.sql.postgres import PostgresDatabase, PostgresTransaction, TransactionConnection
from opora.core.kernel.errors import DatabaseUnavailable
from servers.processes import HOST, free_port
from servers.proxy import Proxy

pytestmark = pytest.mark.anyio

WRITE = "UPDATE audit_seal SET seal_number = seal_number + 1"
NUMBER = "SELECT seal_number FROM audit_seal"
POOL = 2


@pytest.fixture
async def proxy(anyio_backend: str, postgres_url: str) -> AsyncIterator[Proxy]:
    proxy = Proxy(postgres_url)
    await proxy.start()
    yield proxy
    await proxy.cut()


@pytest.fixture
async def database(proxy: Proxy) -> AsyncIterator[PostgresDatabase]:
    """A small pool, by way of a proxy that can be cut."""
    database = PostgresDatabase(proxy.url, pool_size=POOL, wait_s=2.0)
    await database.open()
    yield database
    await database.close()


async def test_a_cut_in_a_transaction_undoes_it_and_says_that_the_database_does_not_answer(
    database: PostgresDatabase, proxy: Proxy
) -> None:
    transaction = await database.begin()
    await transaction.connection.execute(WRITE)
    await proxy.cut()
    with pytest.raises(DatabaseUnavailable):
        await transaction.connection.execute(WRITE)
    await transaction.rollback()
    with pytest.raises(DatabaseUnavailable):
        await database.read.fetch_value(NUMBER)
    await proxy.start()
    assert await database.read.fetch_value(NUMBER) == 0


async def test_a_cut_at_the_commit_is_told_and_the_connection_is_not_used_again(
    database: PostgresDatabase, proxy: Proxy
) -> None:
    transaction = await database.begin()
    await transaction.connection.execute(WRITE)
    await proxy.cut()
    with pytest.raises(DatabaseUnavailable):
        await transaction.commit()
    await proxy.start()
    assert await database.read.fetch_value(NUMBER) in {0, 1}


async def test_a_connection_that_died_while_idle_is_replaced_unseen(database: PostgresDatabase, proxy: Proxy) -> None:
    await database.read.fetch_value(NUMBER)
    await proxy.cut()
    await proxy.start()
    transaction = await database.begin()
    assert await transaction.connection.execute(WRITE) == 1
    await transaction.commit()
    await proxy.cut()
    await proxy.start()
    transaction = await database.begin()
    await transaction.connection.conclude(WRITE)
    await transaction.commit()
    assert await database.read.fetch_value(NUMBER) == 2


async def test_calls_cancelled_anywhere_leave_the_pool_whole(database: PostgresDatabase) -> None:
    async def write() -> None:
        transaction = await database.begin()
        try:
            await transaction.connection.execute(WRITE)
        except BaseException:
            await transaction.rollback()
            raise
        await transaction.commit()

    async def write_at_last() -> None:
        transaction = await database.begin()
        await transaction.connection.conclude(WRITE)
        await transaction.commit()

    for pause_us in range(0, 8000, 100):
        task = asyncio.create_task(write() if pause_us % 200 else write_at_last())
        await asyncio.wait([task], timeout=pause_us / 1_000_000)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    held = [await database.begin() for _ in range(POOL)]
    for transaction in held:
        await transaction.rollback()


async def test_waiting_for_a_connection_ends(postgres_url: str) -> None:
    database = PostgresDatabase(postgres_url, pool_size=1, wait_s=1.0)
    await database.open()
    held = await database.begin()
    with pytest.raises(DatabaseUnavailable):
        await database.begin()
    with pytest.raises(DatabaseUnavailable):
        await database.read.fetch_value(NUMBER)
    with pytest.raises(DatabaseUnavailable):
        async with database.scan():
            pass
    await held.rollback()
    await database.close()


async def test_a_server_that_is_not_there_does_not_answer() -> None:
    with pytest.raises(DatabaseUnavailable):
        await PostgresDatabase(f"postgresql://root@{HOST}:{free_port()}/none").open()


async def test_a_connection_lost_after_the_commit_takes_nothing_back(
    database: PostgresDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_back = TransactionConnection.give_back

    def lost(connection: TransactionConnection, error: BaseException | None = None) -> None:
        connection.driver.terminate()
        give_back(connection, error)

    before = await database.read.fetch_value(NUMBER)
    monkeypatch.setattr(TransactionConnection, "give_back", lost)
    transaction = cast("PostgresTransaction", await database.begin())
    await transaction.connection.execute(WRITE)
    await transaction.commit()
    assert await database.read.fetch_value(NUMBER) == before + 1
    undone = cast("PostgresTransaction", await database.begin())
    await undone.connection.execute(WRITE)
    await undone.rollback()
    assert await database.read.fetch_value(NUMBER) == before + 1
    monkeypatch.undo()
    for _ in range(POOL + 1):
        await (await database.begin()).rollback()


ACTIVE = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND state = 'active' AND query LIKE 'SELECT pg_sleep%'
"""


async def test_a_statement_that_nobody_waits_for_is_ended_before_its_place_is_anothers(postgres_url: str) -> None:
    database = PostgresDatabase(postgres_url, pool_size=POOL, wait_s=5.0)
    await database.open()
    for _ in range(3 * POOL):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await database.read.fetch("SELECT pg_sleep(20)")
        assert await database.read.fetch_value(ACTIVE) <= POOL
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1), database.scan() as connection:
            await connection.fetch("SELECT pg_sleep(20)")
    await asyncio.gather(*(database.read.fetch_value(NUMBER) for _ in range(POOL)))
    assert await database.read.fetch_value(ACTIVE) == 0
    await database.close()
