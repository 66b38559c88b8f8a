"""The audit log is read by filter and by page, on both relational stores."""

from datetime import UTC, datetime, timedelta

import pytest

from opora.adapters.sql.audit_log import SqlAuditLog
from opora.adapters.sql.connection import Database
from opora.adapters.sql.repositories import SqlParts
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.core.audit.model import AuditEntry, AuditFilter
from opora.core.kernel.errors import Invalid
from opora.core.kernel.model import Actor, Change, Origin, PageRequest

AS_OWNER = {
    "test_the_log_tells_whether_it_is_whole",
}
"""Tests that play an owner who tampers."""


pytestmark = pytest.mark.anyio
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def a_change(number: int, user_id: int = 1) -> Change:
    origin = Origin("203.0.113.9", "curl/8", f"request-{number}")
    return Change(
        actor=Actor(user_id=user_id, key_id=7, origin=origin),
        action="thing.renamed" if number % 2 else "thing.made",
        entity_type="thing",
        entity_id=str(number),
        at=NOON + timedelta(minutes=number),
        old={"name": "Анна"},
        new={"name": f"№ {number}"},
    )


@pytest.fixture
def log(database: Database, sql_parts: SqlParts) -> SqlAuditLog:
    return SqlAuditLog(database, sql_parts.audit_key)


async def recorded(unit: SqlUnitOfWork, count: int) -> None:
    for number in range(1, count + 1):
        async with unit() as tx:
            await tx.audit.record(a_change(number, user_id=1 + number % 3))


def numbers(entries: object) -> list[str]:
    assert isinstance(entries, list)
    return [entry.entity_id for entry in entries if isinstance(entry, AuditEntry)]


async def test_an_entry_says_who_did_what_to_what_when_and_from_where(unit: SqlUnitOfWork, log: SqlAuditLog) -> None:
    async with unit() as tx:
        await tx.audit.record(a_change(1))
    [entry] = (await log.page(AuditFilter(), PageRequest())).items
    assert entry == AuditEntry(
        id=1,
        created_at=NOON + timedelta(minutes=1),
        user_id=1,
        key_id=7,
        action="thing.renamed",
        entity_type="thing",
        entity_id="1",
        old_values={"name": "Анна"},
        new_values={"name": "№ 1"},
        ip_address="203.0.113.9",
        user_agent="curl/8",
        request_id="request-1",
        seal_number=None,
    )


async def test_pages_by_number_and_by_cursor_show_every_entry_once_the_newest_first(
    unit: SqlUnitOfWork, log: SqlAuditLog
) -> None:
    await recorded(unit, 7)
    by_number = [await log.page(AuditFilter(), PageRequest(3, number)) for number in (1, 2, 3)]
    assert [numbers(page.items) for page in by_number] == [["7", "6", "5"], ["4", "3", "2"], ["1"]]
    assert [page.more for page in by_number] == [True, True, False]
    assert {(page.count, page.count_exact) for page in by_number} == {(7, True)}
    second = await log.page(AuditFilter(), PageRequest(3, cursor=by_number[0].cursor))
    assert numbers(second.items) == ["4", "3", "2"]


async def test_filters_narrow_the_list(unit: SqlUnitOfWork, log: SqlAuditLog) -> None:
    await recorded(unit, 6)

    async def found(wanted: AuditFilter) -> list[str]:
        return numbers((await log.page(wanted, PageRequest())).items)

    assert await found(AuditFilter(user_id=1)) == ["6", "3"]
    assert await found(AuditFilter(action="thing.made", entity_type="thing")) == ["6", "4", "2"]
    assert await found(AuditFilter(entity_id="5")) == ["5"]
    within = AuditFilter(created_after=NOON + timedelta(minutes=2), created_before=NOON + timedelta(minutes=4))
    assert await found(within) == ["3", "2"]
    assert await found(AuditFilter(entity_type="nothing")) == []


async def test_a_made_up_cursor_is_refused(log: SqlAuditLog) -> None:
    with pytest.raises(Invalid):
        await log.page(AuditFilter(), PageRequest(cursor="1 OR 1=1"))


async def test_the_log_tells_whether_it_is_whole(unit: SqlUnitOfWork, log: SqlAuditLog, database: Database) -> None:
    await recorded(unit, 2)
    assert (await log.verify()).whole
    await database.read.execute("UPDATE audit_log SET entity_id = '9' WHERE entity_id = '2'")
    found = await log.verify()
    assert (found.whole, found.broken_at) == (False, 2)
