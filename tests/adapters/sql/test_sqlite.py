"""One file, many processes: who waits, who gives up, and what never blocks the loop."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from opora.adapters.sql.connection import Database
from opora.adapters.sql.sqlite import SqliteDatabase, WritesOnReader
from opora.bootstrap.simulation.clock import VirtualLoop
from opora.core.kernel.errors import DatabaseUnavailable

pytestmark = pytest.mark.anyio

WRITE = "UPDATE audit_seal SET seal_number = seal_number + 1"


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    """Half a minute of waiting for a lock takes no time."""
    return "asyncio", {"loop_factory": VirtualLoop}


@pytest.fixture
def other_process(sqlite_file: Path) -> Iterator[sqlite3.Connection]:
    """Another process's connection: SQLite's locks do not tell it from one of this process."""
    with closing(sqlite3.connect(sqlite_file, isolation_level=None)) as driver:
        yield driver


async def test_a_writer_waits_for_another_process_and_the_loop_goes_on(
    sqlite_database: Database, other_process: sqlite3.Connection
) -> None:
    other_process.execute("BEGIN IMMEDIATE")
    writing = asyncio.create_task(sqlite_database.read.execute(WRITE))
    await asyncio.sleep(10.0)
    assert await sqlite_database.read.fetch_value("SELECT seal_number FROM audit_seal") == 0
    assert not writing.done()
    other_process.execute("COMMIT")
    assert await writing == 1


async def test_a_writer_gives_up_when_another_process_never_lets_go(
    sqlite_database: Database, other_process: sqlite3.Connection
) -> None:
    other_process.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseUnavailable):
        await sqlite_database.read.execute(WRITE)
    other_process.execute("ROLLBACK")
    assert await sqlite_database.read.execute(WRITE) == 1


async def test_a_task_that_waits_for_itself_gives_up_and_the_writer_is_free_again(sqlite_database: Database) -> None:
    held = await sqlite_database.begin()
    with pytest.raises(DatabaseUnavailable):
        await sqlite_database.begin()
    await held.commit()
    assert await sqlite_database.read.execute(WRITE) == 1


async def test_a_writer_that_is_cancelled_while_it_waits_holds_nothing(
    sqlite_database: Database, other_process: sqlite3.Connection
) -> None:
    other_process.execute("BEGIN IMMEDIATE")
    waiting = [asyncio.create_task(sqlite_database.begin()) for _ in range(3)]
    await asyncio.sleep(1.0)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    other_process.execute("ROLLBACK")
    assert await sqlite_database.read.execute(WRITE) == 1


async def test_two_processes_lose_no_update(sqlite_database: Database, sqlite_file: Path) -> None:
    other = SqliteDatabase(sqlite_file)
    await other.open()

    async def count(database: Database) -> None:
        for _ in range(20):
            transaction = await database.begin()
            number = await transaction.connection.fetch_value("SELECT seal_number FROM audit_seal")
            await asyncio.sleep(0.001)
            await transaction.connection.execute("UPDATE audit_seal SET seal_number = :n", n=number + 1)
            await transaction.commit()

    await asyncio.gather(*(count(database) for database in (sqlite_database, other) for _ in range(3)))
    assert await sqlite_database.read.fetch_value("SELECT seal_number FROM audit_seal") == 120
    await other.close()


async def test_a_file_that_cannot_be_opened_is_a_database_that_does_not_answer(tmp_path: Path) -> None:
    (tmp_path / "folder.db").mkdir()
    with pytest.raises(DatabaseUnavailable):
        await SqliteDatabase(tmp_path / "folder.db").open()


async def test_a_table_without_its_sequence_is_named(sqlite_database: Database) -> None:
    with pytest.raises(LookupError, match="no sequence nothing"):
        await sqlite_database.read.next_id("nothing")


async def test_a_read_sees_what_was_committed_and_nothing_else(sqlite_database: Database) -> None:
    transaction = await sqlite_database.begin()
    await transaction.connection.execute(WRITE)
    assert await sqlite_database.read.fetch_value("SELECT seal_number FROM audit_seal") == 0
    await transaction.commit()
    assert await sqlite_database.read.fetch_value("SELECT seal_number FROM audit_seal") == 1


async def test_the_durability_that_was_asked_for_is_set(sqlite_file: Path) -> None:
    for full, level in ((False, 1), (True, 2)):
        database = SqliteDatabase(sqlite_file, full_sync=full)
        with closing(database.connect()) as driver:
            assert driver.execute("PRAGMA synchronous").fetchone()[0] == level


class TestThreads:
    """Long reads happen beside the loop, on a real one."""

    @pytest.fixture
    def anyio_backend(self) -> str:
        return "asyncio"

    async def test_a_scan_reads_in_a_thread_and_cannot_write(self, sqlite_database: Database) -> None:
        async with sqlite_database.scan() as connection:
            assert await connection.fetch_value("SELECT seal_number FROM audit_seal") == 0
            with pytest.raises(WritesOnReader):
                await connection.fetch(WRITE)

    async def test_scans_at_once_are_bounded(self, sqlite_database: Database) -> None:
        open_now, most = 0, 0

        async def scan() -> None:
            nonlocal open_now, most
            async with sqlite_database.scan() as connection:
                open_now += 1
                most = max(most, open_now)
                await connection.fetch("SELECT 1")
                open_now -= 1

        await asyncio.gather(*(scan() for _ in range(8)))
        assert most == 2
