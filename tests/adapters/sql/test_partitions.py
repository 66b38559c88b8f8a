"""The table of numbers in parts holds what it holds whole."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import asyncpg
import pytest

from opora.adapters.sql import migrations, partitions
from opora.adapters.sql.connection import Database
from opora.adapters.sql.numbers.views import SqlNumberViews
from opora.adapters.sql.partitions import Parting, PartingFailed, partition
from opora.adapters.sql.unit import SqlParts, SqlUnitOfWork
from opora.testing.numbers import NOON, NumberStoreContract, new_numbers, terms

pytestmark = pytest.mark.anyio


class Parted(NumberStoreContract):
    """Numbers on PostgreSQL, parted by project."""

    def __init__(self, database: Database, parts: SqlParts) -> None:
        self.database = database
        self.unit = SqlUnitOfWork(database, parts)
        self.views = SqlNumberViews(database.read)


@pytest.fixture
async def whole(postgres_database: Database, sql_parts: SqlParts) -> Parted:
    """A table that was not parted yet."""
    return Parted(postgres_database, sql_parts)


@pytest.fixture
async def parted(postgres_url: str, whole: Parted) -> Parted:
    assert await partition(postgres_url, 3)
    return whole


@pytest.mark.parametrize(
    "promise",
    [
        "test_many_adders_of_the_same_numbers_keep_each_once",
        "test_a_reference_to_nothing_is_refused",
        "test_what_numbers_refer_to_cannot_be_removed",
        "test_many_are_saved_at_once_as_one_by_one",
        "test_pages_cover_a_list_once_in_a_stable_order",
        "test_no_number_is_claimed_twice",
    ],
)
async def test_a_parted_table_keeps_the_promises_of_a_whole_one(parted: Parted, promise: str) -> None:
    await getattr(parted, promise)()


async def test_parting_and_joining_again_keep_every_number_and_the_schema(parted: Parted, postgres_url: str) -> None:
    project, other = await parted.project(), await parted.project()
    ids = [*await parted.add(project, new_numbers(5)), *await parted.add(other, new_numbers(4))]
    assert not await partition(postgres_url, 3)
    for parts in (8, 0, 2):
        assert await partition(postgres_url, parts)
        assert sorted(await parted.listed()) == sorted(ids)
        state = await asyncio.to_thread(migrations.state, postgres_url, with_drift=True)
        assert (state.up_to_date, state.drift) == (True, ())
    await asyncio.to_thread(migrations.downgrade, postgres_url, "0010")
    await asyncio.to_thread(migrations.upgrade, postgres_url)


RIGHTS = (
    "SELECT array_agg(g::text ORDER BY g::text) FROM pg_class c, unnest(c.relacl) AS g WHERE relname = 'phone_numbers'"
)


async def test_who_might_read_and_write_the_table_still_may(whole: Parted, postgres_url: str) -> None:
    read = whole.database.read
    owner = await read.fetch_value("SELECT current_user")
    await read.execute(f"GRANT SELECT ON phone_numbers TO PUBLIC; GRANT ALL ON phone_numbers TO {owner}")
    before = await read.fetch_value(RIGHTS)
    for parts in (2, 0):
        assert await partition(postgres_url, parts)
        assert await read.fetch_value(RIGHTS) == before


COLUMNS = "id, phone, status, attempts, cause, updated_at, lease_until, next_call_at, result_data"


class Traffic:
    """Writers of every kind at one table; `claimed` and `added` are what they were told is done."""

    def __init__(self, store: Parted, project: int) -> None:
        self.store = store
        self.project = project
        self.added: dict[int, int] = {}
        self.claimed: list[int] = []
        self.removed: set[int] = set()
        self.tried: set[int] = set()
        self.changed = 0
        self.is_over = False

    async def add(self) -> None:
        """Add numbers, some of them over and over."""
        first = 79170000000
        while not self.is_over:
            async with self.store.unit() as tx:
                added = await tx.numbers.add(self.project, new_numbers(20, first), NOON)
            self.added |= {id: first + place for place, id in added.ids.items()}
            first += 15
            await asyncio.sleep(0.002)

    async def claim(self) -> None:
        """Hand numbers out, and settle half of them."""
        while not self.is_over:
            async with self.store.unit() as tx:
                taken = await tx.numbers.claim(self.project, terms(), 10)
                for one in taken[::2]:
                    await tx.numbers.save(replace(one, result_data={"told": self.changed}), one)
                    self.changed += 1
            self.claimed += [one.id for one in taken]
            await asyncio.sleep(0.002)

    async def replaced(self) -> None:
        """Remove a number and add it anew at once: another row under the same unique key."""
        while not self.is_over:
            id = next((one for one in reversed(self.added) if one not in self.tried), 0)
            self.tried.add(id)
            sql = "DELETE FROM phone_numbers WHERE id = :id AND status = 0 RETURNING phone"
            phone = await self.store.database.read.fetch_value(sql, id=id)
            if phone is not None:  # nobody has claimed it
                self.removed.add(id)
                async with self.store.unit() as tx:
                    added = await tx.numbers.add(self.project, new_numbers(1, phone), NOON)
                self.added |= dict.fromkeys(added.ids.values(), phone)
            await asyncio.sleep(0.002)

    @asynccontextmanager
    async def going_on(self) -> AsyncIterator[None]:
        """Write for the length of a block."""
        async with asyncio.TaskGroup() as writers:
            for work in (self.add, self.claim, self.replaced):
                writers.create_task(work())
            try:
                yield
            finally:
                self.is_over = True


async def test_a_table_is_parted_and_joined_while_numbers_are_added_claimed_changed_and_removed(
    whole: Parted, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partitions, "COPY", partitions.COPY.replace("50000", "200"))
    project = await whole.project()
    first = await whole.add(project, new_numbers(5000))
    traffic = Traffic(whole, project)
    seen: list[tuple[int, int]] = []
    async with traffic.going_on():
        for parts in (4, 7, 0):
            before = (len(traffic.added), len(traffic.claimed))
            assert await partition(postgres_url, parts, lambda done, total: seen.append((done, total)))
            async with asyncio.timeout(30):
                while before[0] == len(traffic.added) or before[1] == len(traffic.claimed):  # noqa: ASYNC110
                    await asyncio.sleep(0.01)  # it goes on in the new table
    assert seen and all(done <= total for done, total in seen)
    rows = await whole.database.read.fetch(f"SELECT {COLUMNS} FROM phone_numbers ORDER BY id")
    assert {row["id"] for row in rows} == {*first, *traffic.added} - traffic.removed
    assert len({row["phone"] for row in rows}) == len(rows)
    assert len(traffic.claimed) == len(set(traffic.claimed)), "a number was handed out twice"
    claimed = {row["id"] for row in rows if row["status"] == 1}
    assert claimed == set(traffic.claimed)
    assert sum(row["result_data"] is not None for row in rows) == traffic.changed
    state = await asyncio.to_thread(migrations.state, postgres_url, with_drift=True)
    assert (state.up_to_date, state.drift) == (True, ())


async def refused(whole: Parted, url: str) -> PartingFailed:
    """Have the parting of a table fail, and see that the table is as it was."""
    ids = await whole.add(await whole.project(), new_numbers(3))
    with pytest.raises(PartingFailed) as caught:
        await partition(url, 4)
    assert sorted(await whole.listed()) == sorted(ids)
    state = await asyncio.to_thread(migrations.state, url, with_drift=True)
    assert (state.up_to_date, state.drift) == (True, ())
    return caught.value


async def test_a_new_table_that_differs_is_not_put_in_place(
    whole: Parted, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def forgetful(self: Parting) -> None:
        await usual(self)
        await self.connection.execute(
            "UPDATE phone_numbers_next SET attempts = 7 WHERE id = (SELECT min(id) FROM phone_numbers)"
        )

    usual = Parting._copy
    monkeypatch.setattr(Parting, "_copy", forgetful)
    assert "1 numbers differ" in str(await refused(whole, postgres_url))


async def test_a_table_that_is_never_free_is_left_alone(
    whole: Parted, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partitions, "LOCK_WITHIN", "20ms")
    monkeypatch.setattr(partitions, "TURNS_MAX", 2)
    holder = await whole.database.begin()
    await holder.connection.execute("LOCK TABLE phone_numbers IN ROW EXCLUSIVE MODE")
    try:
        assert "never free" in str(await refused(whole, postgres_url))
    finally:
        await holder.rollback()


async def test_one_command_parts_at_a_time_and_clears_up_after_one_that_was_killed(
    whole: Parted, postgres_url: str
) -> None:
    ids = await whole.add(await whole.project(), new_numbers(3))
    killed = await asyncpg.connect(postgres_url)
    parting = Parting(killed, 5, lambda _done, _total: None)
    await killed.execute("SELECT pg_advisory_lock($1)", partitions.LOCK_KEY)
    await parting._begin()
    await parting._copy()
    with pytest.raises(PartingFailed, match="another command"):
        await partition(postgres_url, 5)
    killed.terminate()
    async with asyncio.timeout(30):
        while not await parted_at_last(postgres_url, 5):  # noqa: ASYNC110
            await asyncio.sleep(0.05)  # it is the server that is asked
    assert sorted(await whole.listed()) == sorted(ids)
    state = await asyncio.to_thread(migrations.state, postgres_url, with_drift=True)
    assert (state.up_to_date, state.drift) == (True, ())


async def parted_at_last(url: str, parts: int) -> bool:
    """Part the table once the server has let go of a connection that was killed."""
    try:
        return await partition(url, parts)
    except PartingFailed:
        return False
