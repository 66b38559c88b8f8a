"""A claim begins where its process came last, and still misses nothing that lies before."""

from dataclasses import replace
from datetime import timedelta

import pytest

from opora.adapters.sql.connection import Database
from opora.adapters.sql.numbers.claims import HEAD, ClaimMarks
from opora.adapters.sql.numbers.views import SqlNumberViews
from opora.adapters.sql.repositories import SqlParts
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.core.numbers.model.numbers import FIRST, NumberStatus, PhoneNumber
from opora.core.numbers.model.projects import EVERY_PROJECT
from opora.testing.numbers import NOON, NumberStoreContract, new_numbers, terms

pytestmark = pytest.mark.anyio


class Store(NumberStoreContract):
    """Numbers on PostgreSQL under marks that stay fresh."""

    def __init__(self, database: Database, parts: SqlParts) -> None:
        self.unit = SqlUnitOfWork(database, replace(parts, claim_marks=ClaimMarks(fresh_s=3600)))
        self.views = SqlNumberViews(database.read)

    async def claim(self, project: int, limit: int) -> list[int]:
        """Claim and return the ids."""
        async with self.unit() as tx:
            return [one.id for one in await tx.numbers.claim(project, terms(), limit)]


@pytest.fixture
async def store(postgres_database: Database, sql_parts: SqlParts) -> Store:
    return Store(postgres_database, sql_parts)


async def test_what_was_undone_or_given_back_behind_the_mark_is_found(store: Store) -> None:
    project = await store.project()
    ids = await store.add(project, new_numbers(6))
    assert sorted(await store.claim(project, 2)) == ids[:2]
    with pytest.raises(LookupError):
        async with store.unit() as tx:
            assert sorted(one.id for one in await tx.numbers.claim(project, terms(), 1)) == ids[2:3]
            raise LookupError
    async with store.unit() as tx:
        taken = await tx.numbers.claim(project, terms(), 1)
        assert [one.id for one in taken] == ids[3:4]
        (first,) = await tx.numbers.several(ids[:1], EVERY_PROJECT)
        given_back = replace(first, status=NumberStatus.NO_ANSWER, next_call_at=NOON)
        await tx.numbers.save(given_back, first)
    assert sorted(await store.claim(project, 10)) == [ids[0], ids[2], ids[4], ids[5]]
    assert await store.claim(project, 10) == []


def a_number(id: int, zone_set: int = 0) -> PhoneNumber:
    """Build a number that is due at first."""
    return PhoneNumber(id=id, project_id=1, phone=79160000000 + id, zone_set=zone_set, created_at=NOON, updated_at=NOON)


def test_a_mark_is_trusted_for_its_time_and_kept_apart_by_project_and_zones() -> None:
    now_s = 100.0
    marks = ClaimMarks(fresh_s=1.0, monotonic=lambda: now_s)
    marks.move(1, {0: HEAD, 5: HEAD}, [a_number(7), a_number(3), a_number(9, zone_set=5)])
    assert marks.of(1, [0, 5, 6]) == [(FIRST, 7), (FIRST, 9), HEAD]
    assert marks.of(2, [0]) == [HEAD]
    now_s += 0.9
    marks.move(1, {0: (FIRST, 7)}, [a_number(8)])
    assert marks.of(1, [0]) == [(FIRST, 8)]
    now_s += 0.2
    assert marks.of(1, [0]) == [HEAD], "going on does not make a mark fresh"
    marks.move(1, {0: HEAD}, [replace(a_number(2), next_call_at=FIRST + timedelta(seconds=1)), a_number(4)])
    assert marks.of(1, [0]) == [(FIRST + timedelta(seconds=1), 2)]


def test_marks_take_no_more_room_than_they_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opora.adapters.sql.numbers.claims.MARKS_MAX", 3)
    marks = ClaimMarks(fresh_s=3600)
    for project in range(20):
        marks.move(project, {0: HEAD}, [a_number(1)])
    assert sum(marks.of(project, [0]) != [HEAD] for project in range(20)) <= 4
