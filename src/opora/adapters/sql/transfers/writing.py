"""Numbers as CSV: by COPY on PostgreSQL, by pages of one snapshot on SQLite."""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Any

from opora.adapters.sql import postgres
from opora.adapters.sql.connection import Connection, Database, numbered
from opora.adapters.sql.numbers.conditions import scan
from opora.adapters.sql.numbers.rows import STATUSES
from opora.core.kernel.errors import DatabaseUnavailable
from opora.core.numbers.model.numbers import NumberFilter
from opora.core.numbers.model.projects import EVERY_PROJECT
from opora.core.numbers.ports.transfers import NumberTables
from opora.core.numbers.rules.tables import FORMULA_STARTS

HEADING = "phone_number,status,provider_id,provider,geo_id,call_attempts,last_call_at,result_data,created_at\n"
WAITING_MAX = 8
"""Pieces that the database may be ahead of the reader."""
LONGEST_S = 86_400.0
PAGE_ROWS = 5000
COUNT_MAX = 1_000_000

STARTS = ", ".join(f"'{start}'" for start in FORMULA_STARTS)
SAFE_PROVIDERS = f"""
SELECT id, CASE WHEN substr(name, 1, 1) IN ({STARTS}) THEN '''' || name ELSE name END AS name FROM providers
"""
WORDS = " ".join(f"WHEN {code} THEN '{status}'" for code, status in STATUSES.items())
STATUS = f"CASE n.status {WORDS} END"
COPIED = f"""
SELECT n.phone, {STATUS}, n.provider_id, p.name, n.geo_id, n.attempts,
 to_char(n.last_call_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), n.result_data,
 to_char(n.created_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
FROM (SELECT * FROM phone_numbers WHERE {{where}}) AS n LEFT JOIN ({SAFE_PROVIDERS}) AS p ON p.id = n.provider_id
"""
LINES = f"""
SELECT n.id AS id, n.phone || ',' || {STATUS} || ',' || COALESCE(n.provider_id, '') || ',' || {{name}} || ','
 || COALESCE(n.geo_id, '') || ',' || n.attempts || ',' || COALESCE(substr(n.last_call_at, 1, 19) || 'Z', '') || ','
 || {{result}} || ',' || substr(n.created_at, 1, 19) || 'Z' AS line
FROM (SELECT * FROM phone_numbers WHERE {{where}} AND id > :after ORDER BY id LIMIT :limit) AS n
LEFT JOIN ({SAFE_PROVIDERS}) AS p ON p.id = n.provider_id ORDER BY n.id
"""


def quoted(column: str) -> str:
    """Return SQL for a text as a CSV cell."""
    return f"""COALESCE('"' || replace({column}, '"', '""') || '"', '')"""


class SqlNumberTables(NumberTables):
    """Tables of numbers out of either store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def csv(self, wanted: NumberFilter) -> AsyncGenerator[tuple[bytes, int]]:
        return self._copied(wanted) if self._database.dialect == "postgresql" else self._paged(wanted)

    async def count(self, wanted: NumberFilter) -> int:
        where, parameters = scan(wanted, EVERY_PROJECT)
        sql = f"SELECT count(*) FROM (SELECT 1 FROM phone_numbers WHERE {where} LIMIT {COUNT_MAX}) AS counted"
        async with self._database.report() as connection:
            rows = await connection.fetch(sql, **parameters)
        return int(rows[0][0])

    async def _copied(self, wanted: NumberFilter) -> AsyncGenerator[tuple[bytes, int]]:
        where, parameters = scan(wanted, EVERY_PROJECT)
        async with self._database.report() as connection, snapshot(connection):
            await connection.execute("SET LOCAL jit = off")  # compiling the query would hold the first byte up
            pieces: asyncio.Queue[bytes | None] = asyncio.Queue(WAITING_MAX)
            copying = asyncio.create_task(copy(connection, COPIED.format(where=where), parameters, pieces))
            try:
                yield HEADING.encode(), 0
                is_over = False
                while not is_over:
                    waiting = [await pieces.get()]
                    while not pieces.empty():
                        waiting.append(pieces.get_nowait())
                    is_over = waiting[-1] is None
                    piece = b"".join(filter(None, waiting))
                    yield piece, piece.count(b"\n")
                await copying
            finally:
                copying.cancel()
                with suppress(asyncio.CancelledError, Exception):
                    await copying

    async def _paged(self, wanted: NumberFilter) -> AsyncGenerator[tuple[bytes, int]]:
        where, parameters = scan(wanted, EVERY_PROJECT)
        sql = LINES.format(where=where, name=quoted("p.name"), result=quoted("n.result_data"))
        yield HEADING.encode(), 0
        after = 0
        async with self._database.report() as connection, snapshot(connection):
            while rows := await connection.fetch(sql, **parameters, after=after, limit=PAGE_ROWS):
                after = rows[-1]["id"]
                lines = [row["line"] for row in rows]
                lines.append("")
                yield "\n".join(lines).encode(), len(rows)


async def copy(
    connection: Connection, sql: str, parameters: dict[str, object], pieces: "asyncio.Queue[bytes | None]"
) -> None:
    """Put what COPY gives into the queue, and at the end None; a reader that is slow holds the database back."""
    text, names = numbered(sql)
    driver: Any = connection.driver  # type: ignore[attr-defined]  # asked of PostgreSQL alone
    try:
        await driver.copy_from_query(
            text, *[parameters[name] for name in names], output=pieces.put, format="csv", timeout=LONGEST_S
        )
    except Exception as error:
        raise postgres.translated(error) from error
    finally:
        await pieces.put(None)


@asynccontextmanager
async def snapshot(connection: Connection) -> AsyncGenerator[None]:
    """Hold one state of the database for the block: of a read-only connection, so there is nothing to undo."""
    await connection.fetch("BEGIN")
    try:
        yield
    finally:
        with suppress(sqlite3.Error, DatabaseUnavailable):  # a lost connection holds no state any more
            await connection.fetch("ROLLBACK")
