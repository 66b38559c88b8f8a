"""What is kept twice, counted anew: every query's rows are differences, each seen in one instant of the store."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from opora.adapters.sql.connection import Connection, Database
from opora.adapters.sql.schema.ledger_triggers import sqlite_names
from opora.adapters.sql.schema.number_triggers import PARENTS
from opora.adapters.sql.schema.tables import METADATA

SHOWN_MAX = 100
"""How many differences of a kind are read."""
NUMBERS = """
SELECT 'project ' || project_id || ', status ' || status AS name, CAST(sum(kept) AS bigint) AS kept,
 CAST(sum(counted) AS bigint) AS counted FROM (
 SELECT project_id, status, numbers AS kept, 0 AS counted FROM number_counts
 UNION ALL SELECT project_id, status, delta, 0 FROM number_deltas
 UNION ALL SELECT project_id, status, 0, count(*) FROM phone_numbers GROUP BY project_id, status) AS both_sides
GROUP BY project_id, status HAVING sum(kept) <> sum(counted)
"""
QUOTAS = """
SELECT 'person ' || u.person_id || ', ' || u.feature AS name, u.held AS kept, CAST(COALESCE(sum(h.units), 0) AS bigint)
 AS counted FROM quota_usage u LEFT JOIN quota_holds h ON h.person_id = u.person_id AND h.feature = u.feature
 AND h.period = u.period AND h.starts_at = u.starts_at
GROUP BY u.person_id, u.feature, u.period, u.starts_at, u.held HAVING u.held <> COALESCE(sum(h.units), 0)
"""
INBOXES = """
SELECT 'person ' || i.user_id AS name, COALESCE(max(h.last), 0) AS kept, max(i.number) AS counted
FROM inbox i LEFT JOIN inbox_heads h ON h.user_id = i.user_id
GROUP BY i.user_id HAVING max(i.number) > COALESCE(max(h.last), 0)
"""
STRAY = """
SELECT '{column} ' || p.{column} AS name, 1 AS kept, 0 AS counted FROM phone_numbers p
WHERE p.{column} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM {parent} WHERE id = p.{column}) GROUP BY p.{column}
"""
WITHOUT_JOB = """
SELECT CAST(t.id AS text) AS name, 1 AS kept, 0 AS counted FROM {table} t
WHERE t.status IN ({states}) AND t.job_id IS NOT NULL AND NOT EXISTS (
 SELECT 1 FROM jobs j WHERE j.id = t.job_id AND j.state IN ('queued', 'running'))
"""
RECOUNTS: Mapping[str, str] = {
    "numbers by status": NUMBERS,
    "held quotas": QUOTAS,
    "heads of inboxes": INBOXES,
    **{f"numbers without {parent}": STRAY.format(column=column, parent=parent) for column, parent in PARENTS.items()},
    "exports without a job": WITHOUT_JOB.format(table="exports", states="'queued', 'running'"),
    "transfers without a job": WITHOUT_JOB.format(table="transfers", states="'pending', 'running'"),
    "texts without a job": WITHOUT_JOB.format(table="generations", states="'queued'"),
}
COUNTED_ELSEWHERE = {"transfers": "number"}
"""Tables whose handed-out ids stand in another column than `id`."""


HANDED_OUT = {
    "sqlite": "SELECT name, value FROM id_sequences",
    "postgresql": "SELECT left(sequencename, -7) AS name, COALESCE(last_value, 0) AS value FROM pg_sequences"
    " WHERE schemaname = 'public' AND right(sequencename, 7) = '_id_seq'",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """What is kept is not what is counted."""

    what: str
    name: str
    kept: int
    counted: int


async def recount(database: Database) -> Sequence[Difference]:
    """Return every difference there is, at most SHOWN_MAX of a kind; reads only."""
    found = []
    async with database.scan() as connection:
        for what, sql in RECOUNTS.items():
            rows = await connection.fetch(f"{sql} LIMIT {SHOWN_MAX}")
            found += [Difference(what, str(row["name"]), int(row["kept"]), int(row["counted"])) for row in rows]
        found += await _ids(connection)
    return found


async def _ids(connection: Connection) -> list[Difference]:
    """Compare the last id handed out of each table with the greatest there is: one behind gives ids out twice.

    The counters are read last, so that what is added meanwhile is no difference.
    """
    names = sorted((await _handed_out(connection)).keys() & METADATA.tables.keys())
    greatest = {
        name: await connection.fetch_value(f"SELECT max({COUNTED_ELSEWHERE.get(name, 'id')}) FROM {name}") or 0
        for name in names
    }
    kept = await _handed_out(connection)
    return [Difference("ids", name, kept[name], greatest[name]) for name in names if greatest[name] > kept[name]]


async def _handed_out(connection: Connection) -> dict[str, int]:
    rows = await connection.fetch(HANDED_OUT[connection.dialect])
    return {row["name"]: row["value"] for row in rows}


async def stray_references(connection: Connection) -> Sequence[str]:
    """Say which references name rows that are not there, or are not watched by the store."""
    if connection.dialect == "sqlite":
        rows = await connection.fetch(
            'SELECT "table", parent, rowid FROM pragma_foreign_key_check LIMIT :limit', limit=SHOWN_MAX
        )
        return [f"row {row['rowid']} of {row['table']} names no row of {row['parent']}" for row in rows]
    rows = await connection.fetch(
        "SELECT conrelid::regclass::text AS held, conname AS name FROM pg_constraint"
        " WHERE connamespace = 'public'::regnamespace AND NOT convalidated"
    )
    return [f"{row['name']} of {row['held']} was never checked" for row in rows]


async def broken_pages(connection: Connection) -> Sequence[str]:
    """Say what SQLite finds wrong with its file; PostgreSQL has `pg_amcheck` for that."""
    if connection.dialect != "sqlite":
        return []
    try:
        told = [str(row[0]) for row in await connection.fetch("SELECT integrity_check FROM pragma_integrity_check(20)")]
    except sqlite3.DatabaseError as fault:
        return [str(fault)]
    return [] if told == ["ok"] else told


async def sleeping_triggers(connection: Connection) -> Sequence[str]:
    """Name the triggers that are switched off, or that the ledger lacks."""
    if connection.dialect == "postgresql":
        sql = """
SELECT t.tgname || ' on ' || t.tgrelid::regclass AS name FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE c.relnamespace = 'public'::regnamespace AND t.tgenabled = 'D' ORDER BY 1
"""
        return [str(row["name"]) for row in await connection.fetch(sql)]
    there = {row["name"] for row in await connection.fetch("SELECT name FROM sqlite_master WHERE type = 'trigger'")}
    return sorted(set(sqlite_names()) - there)
