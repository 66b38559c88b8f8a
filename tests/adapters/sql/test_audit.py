"""The audit log on both stores: written with its cause, sealed into a chain, and telling when it was touched."""

from datetime import UTC, datetime

import pytest

from opora.adapters.sql.audit import seal, verify
from opora.adapters.sql.connection import Database
from opora.adapters.sql.repositories import SqlParts
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.core.kernel.model import Actor, Change, Origin

pytestmark = pytest.mark.anyio
WHO = Actor(user_id=3, key_id=7, origin=Origin("203.0.113.9", "curl/8", "req-1"))
WHEN = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


def a_change(number: int = 1) -> Change:
    """A change with everything an entry can hold."""
    return Change(
        actor=WHO,
        action="profile.deleted",
        entity_type="profile",
        entity_id=str(number),
        at=WHEN,
        old={"имя": "Анна"},
        new={"deleted": True},
    )


@pytest.fixture
async def sealed(unit: SqlUnitOfWork, database: Database, sql_parts: SqlParts) -> Database:
    """A log of five sealed entries."""
    for number in range(1, 6):
        async with unit() as tx:
            await tx.audit.record(a_change(number))
    assert await seal(database, sql_parts.audit_key) == 5
    return database


async def test_an_entry_says_who_did_what_to_which_thing_when_and_from_where(sealed: Database) -> None:
    row = await sealed.read.fetch_one("SELECT * FROM audit_log WHERE entity_id = '1'")
    assert row is not None
    assert (row["user_id"], row["key_id"], row["action"], row["entity_type"]) == (3, 7, "profile.deleted", "profile")
    assert (row["address"], row["user_agent"], row["request_id"]) == ("203.0.113.9", "curl/8", "req-1")
    assert "Анна" in str(row["old_values"])


async def test_a_change_that_rolls_back_leaves_no_entry(unit: SqlUnitOfWork, database: Database) -> None:
    with pytest.raises(RuntimeError, match="the change failed"):
        async with unit() as tx:
            await tx.audit.record(a_change())
            raise RuntimeError("the change failed")
    assert await database.read.fetch_value("SELECT count(*) FROM audit_log") == 0


async def test_a_log_that_nobody_touched_is_whole(sealed: Database, sql_parts: SqlParts) -> None:
    found = await verify(sealed, sql_parts.audit_key)
    assert (found.whole, found.checked, found.unsealed) == (True, 5, 0)


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE audit_log SET user_id = 4 WHERE entity_id = '3'",
        "UPDATE audit_log SET old_values = NULL WHERE entity_id = '3'",
        "DELETE FROM audit_log WHERE entity_id = '3'",
        "DELETE FROM audit_log WHERE entity_id = '5'",
        "UPDATE audit_log SET seal_number = seal_number + 10 WHERE entity_id = '5'",
    ],
)
async def test_whoever_writes_the_table_is_found_out(sealed: Database, sql_parts: SqlParts, tampering: str) -> None:
    assert await sealed.read.execute(tampering) == 1
    assert not (await verify(sealed, sql_parts.audit_key)).whole


async def test_the_indexes_that_readers_filter_by_are_there(database: Database) -> None:
    catalogue = {
        "sqlite": "SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'audit_log' AND sql IS NOT NULL",
        "postgresql": "SELECT indexdef FROM pg_indexes WHERE tablename = 'audit_log'",
    }
    indexes = " ".join(row[0] for row in await database.read.fetch(catalogue[database.dialect]))
    for column in ("user_id", "action", "entity_type", "created_at"):
        assert column in indexes
