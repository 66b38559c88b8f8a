"""The roles of PostgreSQL: what works may work and no more, what reads sees no secret, and no table is forgotten."""

import asyncio
import re
from pathlib import Path

import asyncpg
import pytest

from opora.adapters.sql import roles
from opora.adapters.sql.connection import Database
from opora.adapters.sql.schema.tables import METADATA
from servers.plugin import APP_ROLE, READER_ROLE

SECRET = re.compile(r"password|secret|sealed|digest|token|private")
NO_SECRET = {
    ("api_keys", "digest_scheme"),
    ("audit_log", "row_hash"),
    ("audit_log", "seal_hash"),
    ("audit_seal", "seal_hash"),
    ("notification_preferences", "digest"),
    ("prompt_versions", "max_tokens"),
}
"""Columns that look like secrets and are none: the audit chain, the name of an algorithm, a preference, a length."""
FORBIDDEN_TO_THE_APP = (
    "CREATE TABLE intruder (id int)",
    "ALTER TABLE users ADD COLUMN intruder int",
    "DROP TABLE profiles",
    "TRUNCATE jobs",
    "ALTER TABLE ledger_entries DISABLE TRIGGER ALL",
    "SET session_replication_role = replica",
    "UPDATE ledger_entries SET amount_minor = 0",
    "DELETE FROM ledger_transfers",
    "DELETE FROM ledger_balances",
    "DELETE FROM ledger_holds",
    "UPDATE plan_versions SET version = 9",
    "DELETE FROM audit_log",
    "UPDATE audit_log SET action = 'nothing.happened'",
    "UPDATE audit_log SET row_hash = NULL",
    "DELETE FROM audit_seal",
    "UPDATE alembic_version SET version_num = '0001'",
    "DELETE FROM schema_history",
    "CREATE ROLE intruder",
)


@pytest.fixture
def lent(postgres_url: str, app_postgres_url: str) -> str:
    """The database for the app's role; skipped on a server that lets the tests make no roles."""
    if app_postgres_url == postgres_url:
        pytest.skip("this PostgreSQL lets the tests make no roles")
    return app_postgres_url


async def ran(url: str, statement: str) -> object:
    """Run one statement and return the first value of its answer."""
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


@pytest.mark.anyio
@pytest.mark.parametrize("statement", FORBIDDEN_TO_THE_APP)
async def test_the_app_is_refused_before_any_trigger(lent: str, anyio_backend: str, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await ran(lent, statement)


@pytest.mark.anyio
async def test_the_contracts_here_run_as_the_app(lent: str, postgres_database: Database) -> None:
    assert await postgres_database.read.fetch_value("SELECT current_user") == APP_ROLE


@pytest.mark.anyio
@pytest.mark.parametrize(
    "statement",
    ["INSERT INTO zone_sets (id, zones) VALUES (7, '[]')", "UPDATE users SET email = 'x'", "DELETE FROM jobs",
     "SELECT password_hash FROM users", "SELECT * FROM users", "SELECT digest FROM api_keys",
     "SELECT count(*) FROM signing_keys", "SELECT count(*) FROM refresh_tokens", "SELECT nextval('users_id_seq')"],
)  # fmt: skip
async def test_a_report_changes_nothing_and_sees_no_secret(
    lent: str, reader_postgres_url: str, anyio_backend: str, statement: str
) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await ran(reader_postgres_url, statement)


@pytest.mark.anyio
async def test_a_report_reads_what_is_no_secret(lent: str, reader_postgres_url: str, anyio_backend: str) -> None:
    assert await ran(reader_postgres_url, "SELECT count(email) FROM users") == 0
    assert await ran(reader_postgres_url, "SELECT count(*) FROM audit_log") == 0


@pytest.mark.anyio
async def test_tables_of_a_later_migration_can_be_worked_on_at_once(
    lent: str, postgres_url: str, anyio_backend: str
) -> None:
    await ran(postgres_url, "CREATE TABLE later_on (id bigint)")
    await ran(lent, "INSERT INTO later_on VALUES (1)")
    assert await ran(lent, "SELECT id FROM later_on") == 1


@pytest.mark.anyio
async def test_the_script_may_be_run_again_and_again(lent: str, postgres_url: str, anyio_backend: str) -> None:
    script = roles.script(roles.RoleNames(APP_ROLE, READER_ROLE))
    await asyncio.gather(*(roles.apply(postgres_url, script) for _ in range(2)), return_exceptions=True)
    await roles.apply(postgres_url, script)
    assert await ran(lent, "SELECT count(*) FROM jobs") == 0


def test_every_column_that_looks_like_a_secret_is_hidden_or_said_to_be_none() -> None:
    suspicious = {
        (table.name, column.name)
        for table in METADATA.tables.values()
        for column in table.columns
        if SECRET.search(column.name) or type(column.type).__name__ == "LargeBinary"
    }
    hidden = {(table, column) for table, columns in roles.SECRET_COLUMNS.items() for column in columns}
    seen = {one for one in suspicious - hidden - NO_SECRET if one[0] not in roles.SECRET_TABLES}
    assert seen == set(), "name them in opora.adapters.sql.roles, or here"


def test_every_table_that_is_named_exists() -> None:
    named = roles.APPEND_ONLY | roles.NEVER_REMOVED | roles.READ_ONLY | roles.SECRET_TABLES
    assert {*named, *roles.CHANGED_IN, *roles.SECRET_COLUMNS} <= set(METADATA.tables)


def test_the_module_tells_of_no_password(tmp_path: Path) -> None:
    assert "PASSWORD" not in roles.script(roles.RoleNames())
