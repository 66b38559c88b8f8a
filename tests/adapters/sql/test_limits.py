"""Limits in SQL: in a SQLite file of their own, and in unlogged tables of PostgreSQL."""

import asyncio
import multiprocessing
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from opora.adapters.memory.rate_guard import GuardedRateGate
from opora.adapters.sql.limit_stats import SqlRateStats
from opora.adapters.sql.limits import SqlRateGate
from opora.adapters.sql.limits_postgres import PostgresLimits
from opora.adapters.sql.limits_sqlite import SqliteLimits
from opora.core.access.model.rates import Admission, RatePolicy
from opora.core.kernel.errors import Unavailable
from opora.testing.rates import RateGateContract, RateStatsContract, SpareContract, a_policy, admitted, an_admission

pytestmark = pytest.mark.anyio

TABLES = ("rate_cells", "rate_denials", "rate_epochs", "rate_counts")


class FakeTime:
    """A clock that stands still until it is told otherwise."""

    def __init__(self) -> None:
        self.us = 1_800_000_000_000_000

    def now_us(self) -> int:
        return self.us


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "limits.db"


class TestSqliteRateGate(RateGateContract):
    @pytest.fixture(autouse=True)
    def _gate(self, file):
        self.time = FakeTime()
        self.store = SqliteLimits(file, now_us=self.time.now_us)
        self.gate = SqlRateGate(self.store)
        yield
        self.store.close()

    async def elapse(self, seconds: float) -> None:
        self.time.us += round(seconds * 1_000_000)

    async def test_dead_rows_are_swept_and_living_ones_kept(self) -> None:
        for name in ("short", "brief"):
            await self.gate.admit(an_admission(a_policy(window_s=1), subject=name))
        await self.gate.admit(an_admission(subject="long"))
        await self.gate.deny("key:7", 1)
        await self.elapse(5)
        await self.gate.sweep()
        left = await self.store.fetch("SELECT name FROM rate_cells UNION ALL SELECT name FROM rate_denials", {})
        assert left == [("long minute",)]

    async def test_a_sweep_of_many_goes_on_where_the_last_one_ended(self) -> None:
        for number in range(700):
            await self.gate.admit(an_admission(a_policy(window_s=1), subject=f"key:{number:04}"))
        await self.elapse(5)
        for left in (200, 0):
            await self.gate.sweep()
            assert await self.store.fetch("SELECT count(*) FROM rate_cells", {}) == [(left,)]


class TestSqliteRateStats(RateStatsContract):
    @pytest.fixture(autouse=True)
    def _stats(self, file):
        stores = [SqliteLimits(file), SqliteLimits(file)]
        self.stats, self.elsewhere = (SqlRateStats(store) for store in stores)
        yield
        for store in stores:
            store.close()


class TestSqliteThatIsBusy(SpareContract):
    @pytest.fixture(autouse=True)
    def _gate(self, file):
        store = SqliteLimits(file)
        self.gate = GuardedRateGate(SqlRateGate(store), instances=2)
        store._open()
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            yield
        store.close()


def calls_of_one_process(file: Path, admission: Admission, calls: int, at_once: int, ready, begin, counts) -> None:
    """Open the file, say so, wait for the others, call as fast as it goes, and tell how many were let in."""
    gate = SqlRateGate(SqliteLimits(file, busy_s=30))

    async def call() -> int:
        await gate.peek(admission)
        ready.put(True)
        begin.wait()
        found = []
        for _ in range(calls // at_once):
            found += await asyncio.gather(*(gate.admit(admission) for _ in range(at_once)))
        return sum(decision.allowed for decision in found)

    counts.put(asyncio.run(call()))


@pytest.mark.parametrize(("policies", "at_once"), [(1, 1), (2, 1), (1, 30)])
def test_four_processes_admit_exactly_the_quota_between_them(file, policies, at_once):
    admission = Admission("key:7", tuple(RatePolicy(name, 500, 3600) for name in ("hour", "day")[:policies]))
    context = multiprocessing.get_context("spawn")
    ready, begin, counts = context.Queue(), context.Event(), context.Queue()
    told = (file, admission, 300, at_once, ready, begin, counts)
    processes = [context.Process(target=calls_of_one_process, args=told) for _ in range(4)]
    for process in processes:
        process.start()
    for _ in processes:
        ready.get(timeout=60)
    begin.set()
    found = [counts.get(timeout=60) for _ in processes]
    for process in processes:
        process.join()
    assert sum(found) == 500


async def test_a_damaged_file_is_made_anew(file):
    file.write_bytes(b"this is no database, and was none for longer than a page" * 100)
    store = SqliteLimits(file)
    assert (await SqlRateGate(store).admit(an_admission())).allowed
    store.close()


async def test_a_file_that_cannot_be_opened_is_a_store_that_does_not_answer(tmp_path):
    with pytest.raises(Unavailable):
        await SqlRateGate(SqliteLimits(tmp_path / "nowhere" / "limits.db")).admit(an_admission())


async def test_a_busy_file_is_waited_for_and_then_given_up(file):
    store = SqliteLimits(file)
    gate, admission = SqlRateGate(store), an_admission()
    await gate.peek(admission)
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        asyncio.get_running_loop().call_later(0.01, other.execute, "ROLLBACK")
        assert (await gate.admit(admission)).allowed
        other.execute("BEGIN IMMEDIATE")
        begun_s = time.monotonic()
        with pytest.raises(Unavailable):
            await gate.admit(admission)
        assert time.monotonic() - begun_s < 0.15
    store.close()


async def crowded(gate: SqlRateGate) -> None:
    """Call together once, after which calls of one turn of the loop are run by one transaction."""
    await asyncio.gather(*(gate.admit(an_admission(subject="warm")) for _ in range(3)))
    await asyncio.sleep(0)


async def test_calls_that_come_together_are_kept_by_one_transaction(file):
    store = SqliteLimits(file)
    gate = SqlRateGate(store)
    await crowded(gate)
    begun: list[str] = []
    store.opened().set_trace_callback(begun.append)
    admission = an_admission(a_policy(quota=5))
    decisions = await asyncio.gather(*(gate.admit(admission) for _ in range(8)))
    assert sorted(one.allowed for one in decisions) == [False] * 3 + [True] * 5
    assert begun.count("BEGIN IMMEDIATE") == begun.count("COMMIT") == 2  # the second for what the refused are told
    store.close()


async def test_calls_that_come_together_wait_for_a_busy_file_and_are_then_given_up(file):
    store = SqliteLimits(file)
    gate = SqlRateGate(store)
    await crowded(gate)
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        asyncio.get_running_loop().call_later(0.01, other.execute, "ROLLBACK")
        decisions = await asyncio.gather(*(gate.admit(an_admission()) for _ in range(4)))
        assert [one.allowed for one in decisions] == [True] * 4
        other.execute("BEGIN IMMEDIATE")
        refused = await asyncio.gather(*(gate.admit(an_admission()) for _ in range(4)), return_exceptions=True)
        assert [type(one) for one in refused] == [Unavailable] * 4
    store.close()


async def test_of_calls_that_come_together_one_may_be_given_up_and_none_outlives_the_file(file):
    store = SqliteLimits(file)
    gate = SqlRateGate(store)
    await crowded(gate)
    calls = [asyncio.ensure_future(gate.admit(an_admission())) for _ in range(4)]
    await asyncio.sleep(0)
    calls[1].cancel()
    found = await asyncio.gather(*calls, return_exceptions=True)
    assert [isinstance(one, asyncio.CancelledError) for one in found] == [False, True, False, False]
    calls = [asyncio.ensure_future(gate.admit(an_admission())) for _ in range(4)]
    await asyncio.sleep(0)
    store.close()
    assert {type(one) for one in await asyncio.gather(*calls, return_exceptions=True)} == {Unavailable}


async def test_calls_that_come_together_to_a_spoiled_file_are_told_so(file):
    store = SqliteLimits(file)
    gate = SqlRateGate(store)
    await crowded(gate)
    store.opened().execute("DROP TABLE rate_cells")
    refused = await asyncio.gather(*(gate.admit(an_admission()) for _ in range(3)), return_exceptions=True)
    assert {type(one) for one in refused} == {Unavailable}
    store.close()


async def test_figures_name_a_bounded_number_of_subjects_and_lose_no_call(file):
    store = SqliteLimits(file)
    stats = SqlRateStats(store)
    for number in range(3_000):
        stats.count(f"address:{number}", True)
        if number % 150 == 0:
            await stats.flush()
    assert [figures.allowed for figures in await stats.figures()] == [3_000] * 3
    rows = await store.fetch("SELECT count(*) FROM rate_counts WHERE span = 'day'", {})
    assert rows[0][0] <= 2_201
    store.close()


async def test_a_value_that_cannot_be_bound_leaves_no_transaction_open_and_nobody_waiting(file):
    store = SqliteLimits(file)
    sql = "SELECT :value"
    await asyncio.gather(*(store.fetch(sql, {"value": 1}) for _ in range(2)))  # from here on calls come together
    ends = await asyncio.wait_for(
        asyncio.gather(*(store.fetch(sql, {"value": one}) for one in (1, "\ud800", 2)), return_exceptions=True), 5
    )
    assert any(isinstance(one, Unavailable) for one in ends)
    assert not store.opened().in_transaction
    assert (await store.fetch(sql, {"value": 3}))[0][0] == 3
    store.close()


class TestPostgresRateGate(RateGateContract):
    @pytest.fixture(autouse=True)
    def _gate(self, postgres_database):
        self.database = postgres_database
        self.gate = SqlRateGate(PostgresLimits(postgres_database, timeout_s=10))

    async def elapse(self, seconds: float) -> None:
        us = round(seconds * 1_000_000)
        for change in (
            "rate_cells SET anchor_us = anchor_us - CAST(:us AS bigint)",
            "rate_denials SET until_us = until_us - CAST(:us AS bigint)",
        ):
            await self.database.read.execute(f"UPDATE {change}", us=us)

    async def test_an_emptied_store_starts_anew(self) -> None:
        admission = an_admission(a_policy(1))
        assert await admitted(self.gate, admission, 2) == 1
        await self.database.read.execute("DELETE FROM rate_cells")
        assert await admitted(self.gate, admission, 2) == 1

    async def test_nothing_of_it_is_written_ahead(self) -> None:
        kinds = await self.database.read.fetch("SELECT relpersistence FROM pg_class WHERE relname LIKE 'rate%s'")
        assert {bytes(row[0]) for row in kinds} == {b"u"}


class TestPostgresThatIsLocked(SpareContract):
    @pytest.fixture(autouse=True)
    async def _gate(self, postgres_database):
        self.gate = GuardedRateGate(SqlRateGate(PostgresLimits(postgres_database, timeout_s=0.08)), instances=2)
        blocking = await postgres_database.begin()
        await blocking.connection.execute(f"LOCK TABLE {', '.join(TABLES)} IN ACCESS EXCLUSIVE MODE")
        yield
        await blocking.rollback()


class TestPostgresRateStats(RateStatsContract):
    @pytest.fixture(autouse=True)
    def _stats(self, postgres_database):
        self.stats, self.elsewhere = (SqlRateStats(PostgresLimits(postgres_database, timeout_s=10)) for _ in range(2))
