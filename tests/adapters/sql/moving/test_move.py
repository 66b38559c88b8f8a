"""A whole installation moves between the stores, triggers and counters with it, and no difference passes."""

import asyncio
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import asyncpg
import pytest

from opora.adapters.sql.moving.ends import MoveRefused
from opora.adapters.sql.moving.move import Comparison, compare, copy
from opora.adapters.sql.moving.rows import OF_THE_DATABASE, SEEDED, shapes
from opora.adapters.sql.postgres import PostgresDatabase
from opora.adapters.sql.schema.tables import METADATA
from servers.full import fill

TRIGGERS = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"


@pytest.fixture(scope="module")
def full(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with rows in every table; tests that change it take a copy."""
    file = Path(shutil.copy(migrated_sqlite, tmp_path_factory.mktemp("full") / "opora.db"))
    fill(file)
    return file


def url_of(file: Path) -> str:
    return f"sqlite:///{file}"


def moved(url: str, to: str) -> Comparison:
    return asyncio.run(copy(url, to, lambda _done, _total: None))


def beside(url: str, to: str) -> Comparison:
    return asyncio.run(compare(url, to, lambda _done, _total: None))


def on_postgres(url: str, *statements: str) -> list[asyncpg.Record]:
    async def run() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(url)
        try:
            return [row for one in statements for row in await connection.fetch(one)]
        finally:
            await connection.close()

    return asyncio.run(run())


@pytest.fixture
def on_both(full: Path, postgres_url: str) -> Iterator[tuple[str, str]]:
    """The installation on SQLite, and its copy on PostgreSQL."""
    moved(url_of(full), postgres_url)
    yield url_of(full), postgres_url


def test_every_table_arrives_on_the_other_store_and_comes_back_the_same(
    full: Path, postgres_url: str, sqlite_file: Path
) -> None:
    steps: list[tuple[int, int]] = []
    there = asyncio.run(copy(url_of(full), postgres_url, lambda done, total: steps.append((done, total))))
    back = moved(postgres_url, url_of(sqlite_file))
    assert {one.table for one in there.tables} == set(METADATA.tables) - OF_THE_DATABASE
    assert [one.table for one in there.tables if not one.rows] == []
    assert [(one.rows, one.hash) for one in there.tables] == [(one.rows, one.hash) for one in back.tables]
    assert steps[-1] == (2 * there.rows, 2 * there.rows)
    with closing(sqlite3.connect(full)) as before, closing(sqlite3.connect(sqlite_file)) as after:
        assert before.execute(TRIGGERS).fetchall() == after.execute(TRIGGERS).fetchall()
        counters = "SELECT name, value FROM id_sequences ORDER BY name"
        assert before.execute(counters).fetchall() == after.execute(counters).fetchall()


def test_what_watches_the_ledger_and_the_references_watches_on_the_other_side(on_both: tuple[str, str]) -> None:
    _, there = on_both
    refused = asyncpg.IntegrityConstraintViolationError
    for statement in (
        "UPDATE ledger_entries SET amount_minor = 1",
        "UPDATE ledger_balances SET posted_minor = 1",
        "UPDATE plan_versions SET price_minor = 1",
        "DELETE FROM projects WHERE id = 1001",
        "DELETE FROM users WHERE id = 1001",
    ):
        with pytest.raises(refused):
            on_postgres(there, statement)
    asleep = on_postgres(there, "SELECT tgname FROM pg_trigger WHERE tgenabled = 'D'")
    assert asleep == []


def test_no_id_is_given_out_twice(on_both: tuple[str, str], full: Path) -> None:
    _, there = on_both
    with closing(sqlite3.connect(full)) as base:
        last = dict(base.execute("SELECT name, value FROM id_sequences"))

    async def next_ids() -> dict[str, int]:
        database = PostgresDatabase(there)
        await database.open()
        found = {name: await database.read.next_id(name) for name in last}
        await database.close()
        return found

    assert asyncio.run(next_ids()) == {name: value + 1 for name, value in last.items()}
    entered = "INSERT INTO number_deltas (project_id, status, delta) VALUES (1001, 1, 1) RETURNING id"
    assert on_postgres(there, entered)[0]["id"] == 1004


PLANTED = {
    "documents": "UPDATE documents SET description = description || ' ' WHERE id = 1002",
    "jobs": "UPDATE jobs SET run_at = run_at + interval '1 microsecond' WHERE attempt = 1001",
    "api_keys": "UPDATE api_keys SET digest = '\\x00' WHERE id = 1001",
    "push_subscriptions": "UPDATE push_subscriptions SET p256dh = '' WHERE id = 1001",
    "user_roles": "DELETE FROM user_roles WHERE user_id = 1003",
    "revoked_tokens": "INSERT INTO revoked_tokens (token_id, expires_at) VALUES ('more', now())",
    "suppressions": "UPDATE suppressions SET phone = 3003 - (phone - 1001) WHERE id IN (1001, 1002)",
    "transfers": "UPDATE transfers SET error = '' WHERE error IS NULL",
}
"""One difference a table: altered, moved by a microsecond, emptied, removed, added, exchanged, NULL made empty."""


def test_every_difference_is_named_and_nothing_else(on_both: tuple[str, str]) -> None:
    here, there = on_both
    assert beside(here, there).is_equal
    on_postgres(there, *PLANTED.values())
    found = beside(here, there)
    assert {one.table for one in found.different} == PLANTED.keys()
    assert not found.is_equal


def test_a_counter_that_is_behind_is_a_difference(on_both: tuple[str, str]) -> None:
    here, there = on_both
    on_postgres(there, "SELECT setval('users_id_seq', 3)")
    found = beside(here, there)
    assert (list(found.counters_behind), found.different, found.is_equal) == (["users"], [], False)


def test_a_target_that_is_not_empty_is_refused_and_left_alone(full: Path, postgres_url: str) -> None:
    on_postgres(postgres_url, "INSERT INTO revoked_tokens (token_id, expires_at) VALUES ('here', now())")
    with pytest.raises(MoveRefused, match="not empty: there are rows in revoked_tokens"):
        moved(url_of(full), postgres_url)
    assert on_postgres(postgres_url, "SELECT (SELECT count(*) FROM users) AS a, (SELECT count(*) FROM projects) AS b")[
        0
    ] == (0, 1)


def test_schemas_of_two_releases_are_refused(full: Path, postgres_url: str, empty_postgres_url: str) -> None:
    on_postgres(postgres_url, "UPDATE alembic_version SET version_num = '0019'")
    with pytest.raises(MoveRefused, match=r"stands at .*, .* at 0019"):
        moved(url_of(full), postgres_url)
    with pytest.raises(MoveRefused, match="at nothing"):
        moved(url_of(full), empty_postgres_url)


def test_a_side_that_is_in_use_is_refused(full: Path, postgres_url: str, sqlite_file: Path) -> None:
    with closing(sqlite3.connect(full)) as serving:
        serving.execute("PRAGMA journal_mode=WAL")
        serving.execute("SELECT count(*) FROM users").fetchone()
        with pytest.raises(MoveRefused, match="is in use"):
            moved(url_of(full), postgres_url)

    async def while_served() -> None:
        database = PostgresDatabase(postgres_url)
        await database.open()
        try:
            await copy(postgres_url, url_of(sqlite_file), lambda _done, _total: None)
        finally:
            await database.close()

    with pytest.raises(MoveRefused, match="is in use"):
        asyncio.run(while_served())


def test_what_the_other_store_refuses_leaves_it_empty(full: Path, postgres_url: str, tmp_path: Path) -> None:
    file = Path(shutil.copy(full, tmp_path / "long.db"))
    with closing(sqlite3.connect(file, isolation_level=None)) as base:
        base.execute("UPDATE users SET locale = ? WHERE id = 1002", ("r" * 99,))
    with pytest.raises(MoveRefused, match="users holds what PostgreSQL refuses"):
        moved(url_of(file), postgres_url)
    assert on_postgres(postgres_url, "SELECT count(*) AS a FROM user_types")[0]["a"] == 5
    assert moved(url_of(full), postgres_url).is_equal, "and it can be filled after"


def test_a_stray_reference_does_not_pass_into_sqlite(on_both: tuple[str, str], sqlite_file: Path) -> None:
    _, there = on_both
    on_postgres(
        there,
        "ALTER TABLE project_geo DROP CONSTRAINT fk_project_geo_geo_id_geo",
        "UPDATE project_geo SET geo_id = 5 WHERE project_id = 1001",
    )
    with pytest.raises(MoveRefused, match="1 rows name rows that are not there, in project_geo"):
        moved(there, url_of(sqlite_file))


def test_a_new_database_holds_rows_in_the_seeded_tables_alone(migrated_sqlite: Path) -> None:
    with closing(sqlite3.connect(migrated_sqlite)) as base:
        held = {one.name for one in shapes() if base.execute(f'SELECT 1 FROM "{one.name}" LIMIT 1').fetchone()}
    assert held == SEEDED
