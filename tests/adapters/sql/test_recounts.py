"""What is kept twice is counted anew on both stores, and each planted difference is found."""

import pytest

from opora.adapters.sql.connection import Database
from opora.adapters.sql.recounts import Difference, broken_pages, recount, sleeping_triggers, stray_references
from opora.adapters.sql.sqlite import SqliteDatabase

pytestmark = pytest.mark.anyio
PLANTED = (
    "INSERT INTO number_counts (project_id, status, numbers) VALUES (0, 1, 7)",
    "INSERT INTO number_deltas (project_id, status, delta) VALUES (0, 1, -2)",
    "INSERT INTO quota_usage (person_id, feature, period, starts_at, ends_at, units, used, held, overage)"
    " VALUES (4, 'texts', 'day', now(), later(60), 10, 1, 3, 0)",
    "INSERT INTO quota_holds (hold_id, feature, period, person_id, starts_at, units, created_at)"
    " SELECT 'h', feature, period, person_id, starts_at, 2, now() FROM quota_usage",
    "INSERT INTO inbox_heads (user_id, last) VALUES (4, 1)",
    "INSERT INTO inbox (user_id, number, notice_id, kind, title, text, data, created_at)"
    " VALUES (4, 2, '018f0000-0000-7000-8000-000000000001', 'k', 't', 't', '{}', now())",
    "INSERT INTO prompts (id, name, description, versions, created_at) VALUES (99, 'late', '', 0, now())",
    "INSERT INTO exports (id, job_id, owner, profile_ids, format, status, requested_at, is_file_removed) VALUES"
    " ('018f0000-0000-7000-8000-000000000002', '018f0000-0000-7000-8000-000000000003', 'key:1', '[]', 'json',"
    " 'queued', now(), false)",
)


async def test_a_new_store_counts_right(database: Database) -> None:
    assert await recount(database) == []


async def test_every_planted_difference_is_found(database: Database) -> None:
    for statement in PLANTED:
        await database.read.execute(statement)
    assert set(await recount(database)) == {
        Difference("numbers by status", "project 0, status 1", 5, 0),
        Difference("held quotas", "person 4, texts", 3, 2),
        Difference("heads of inboxes", "person 4", 1, 2),
        Difference("ids", "prompts", 3, 99),
        Difference("exports without a job", "018f0000-0000-7000-8000-000000000002", 1, 0),
    }


async def test_references_pages_and_triggers_of_a_new_store_are_sound(database: Database) -> None:
    async with database.scan() as connection:
        assert list(await stray_references(connection)) == []
        assert list(await broken_pages(connection)) == []
        assert list(await sleeping_triggers(connection)) == []


async def test_a_trigger_that_was_switched_off_or_dropped_is_named(database: Database) -> None:
    sqlite = isinstance(database, SqliteDatabase)
    await database.read.execute(
        "DROP TRIGGER ledger_entries_never_deleted" if sqlite else "ALTER TABLE ledger_entries DISABLE TRIGGER never"
    )
    async with database.scan() as connection:
        found = list(await sleeping_triggers(connection))
    assert found == (["ledger_entries_never_deleted"] if sqlite else ["never on ledger_entries"])


@pytest.mark.parametrize("part", ["numbers without projects", "numbers without geo"])
async def test_a_number_whose_record_is_gone_is_found(sqlite_database: Database, part: str) -> None:
    parent = part.rpartition(" ")[2]
    column = {"projects": "project_id", "geo": "geo_id"}[parent]
    for event in ("added", "changed"):
        await sqlite_database.read.execute(f"DROP TRIGGER fk_phone_numbers_{column}_{event}")
    values = "0, 5" if column == "geo_id" else "5, NULL"
    await sqlite_database.read.execute(
        "INSERT INTO phone_numbers (id, phone, created_at, updated_at, next_call_at,"
        " status, zone_set, attempts, project_id, geo_id)"
        f" VALUES (0, 79990000001, now(), now(), now(), 1, 0, 0, {values})"
    )
    found = {(one.what, one.name) for one in await recount(sqlite_database)}
    assert (part, f"{column} 5") in found
