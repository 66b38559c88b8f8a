"""Roles of least privilege for PostgreSQL, as SQL: one works, one reports; whoever runs the SQL owns the schema.

The triggers refuse what must never happen whoever asks; the roles refuse it once more, before any trigger, and refuse
every change of the schema, triggers included.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import asyncpg

from opora.adapters.sql.schema.ledger_triggers import IMMUTABLE, KEPT
from opora.adapters.sql.schema.tables import METADATA

APPLIED_WITHIN_S = 60.0
APPEND_ONLY = frozenset({*IMMUTABLE, "plan_versions"})
"""Tables whose rows are never changed and never removed."""
NEVER_REMOVED = frozenset({*KEPT, "audit_seal"})
"""Tables whose rows change and are never removed, beside those above."""
CHANGED_IN = {"audit_log": ("seal_number", "seal_hash")}
"""Tables whose rows are never removed and change in these columns alone."""
READ_ONLY = frozenset({"schema_history"})
"""Tables that migrations alone write to, beside Alembic's own."""
SECRET_TABLES = frozenset(
    {
        "idempotency_keys",
        "known_devices",
        "one_time_tokens",
        "recovery_codes",
        "refresh_tokens",
        "revoked_tokens",
        "second_factors",
        "signing_keys",
        "stream_tickets",
    }
)
"""Tables that reports have no business in."""
SECRET_COLUMNS: Mapping[str, frozenset[str]] = {
    "api_keys": frozenset({"digest"}),
    "calendar_feeds": frozenset({"digest"}),
    "notices": frozenset({"secret_sealed"}),
    "push_subscriptions": frozenset({"p256dh", "auth"}),
    "users": frozenset({"password_hash"}),
    "webhook_endpoints": frozenset({"secret_sealed"}),
}
"""Columns that reports never see, of tables that they otherwise may read."""


@dataclass(frozen=True, slots=True)
class RoleNames:
    """The roles of one installation; roles belong to the whole server, so several installations name them apart."""

    app: str = "opora_app"
    reader: str = "opora_reader"


def script(names: RoleNames) -> str:
    """Write the SQL: one transaction that may be run again and again, by the owner of the schema.

    A role that is not there is made, without a password, if the owner may make roles. Tables that a later migration
    makes can be worked on at once; running the script after it narrows that and lets reports see them.
    """
    return "\n".join(["BEGIN;", *_made(names), *_cleared(names), *_granted(names), "COMMIT;", ""])


def _made(names: RoleNames) -> Iterator[str]:
    for name in (names.app, names.reader):
        yield (
            f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}') THEN"
            f' CREATE ROLE "{name}" LOGIN; END IF; END $$;'
        )


def _cleared(names: RoleNames) -> Iterator[str]:
    both = f'"{names.app}", "{names.reader}"'
    yield (
        "DO $$ BEGIN EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());"
        f" EXECUTE format('GRANT CONNECT ON DATABASE %I TO {both}', current_database()); END $$;"
    )
    yield f"REVOKE ALL ON SCHEMA public FROM PUBLIC, {both};"
    yield f"GRANT USAGE ON SCHEMA public TO {both};"
    yield f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, {both};"
    yield f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM PUBLIC, {both};"
    granted = "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT"
    yield f'{granted} SELECT, INSERT, UPDATE, DELETE ON TABLES TO "{names.app}";'
    yield f'{granted} USAGE ON SEQUENCES TO "{names.app}";'


def _granted(names: RoleNames) -> Iterator[str]:
    yield f'GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO "{names.app}";'
    yield f'GRANT SELECT ON alembic_version TO "{names.app}", "{names.reader}";'
    for table in sorted(METADATA.tables):
        yield f'GRANT {", ".join(work(table))} ON {table} TO "{names.app}";'
        if table not in SECRET_TABLES:
            yield f'GRANT SELECT{_seen(table)} ON {table} TO "{names.reader}";'


def work(table: str) -> tuple[str, ...]:
    """Name what the working role may do with a table."""
    if table in READ_ONLY:
        return ("SELECT",)
    if table in APPEND_ONLY:
        return "SELECT", "INSERT"
    if table in CHANGED_IN:
        return "SELECT", "INSERT", f"UPDATE ({', '.join(CHANGED_IN[table])})"
    if table in NEVER_REMOVED:
        return "SELECT", "INSERT", "UPDATE"
    return "SELECT", "INSERT", "UPDATE", "DELETE"


def _seen(table: str) -> str:
    """Name the columns that reports see, where it is not all of them."""
    hidden = SECRET_COLUMNS.get(table)
    if not hidden:
        return ""
    return f" ({', '.join(column.name for column in METADATA.tables[table].columns if column.name not in hidden)})"


async def apply(url: str, sql: str) -> None:
    """Run the SQL as the owner of the schema, all or none."""
    connection = await asyncpg.connect(url, timeout=APPLIED_WITHIN_S, command_timeout=APPLIED_WITHIN_S)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()
