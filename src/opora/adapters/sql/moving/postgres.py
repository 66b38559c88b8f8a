"""PostgreSQL as an end of a move: rows by COPY, one transaction, nobody else writing."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

import asyncpg

from opora.adapters.sql.moving.ends import BATCH, Batch, MoveRefused, Target
from opora.adapters.sql.moving.rows import Shape, shapes

LOCK_WITHIN = "5s"
IN_USE = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'opora' AND pid <> pg_backend_pid()
"""
HANDED_OUT = """
SELECT s.relname AS sequence, left(s.relname, -length('_id_seq')) AS name FROM pg_class s
WHERE s.relkind = 'S' AND s.relname LIKE '%\\_id\\_seq' AND s.relnamespace = 'public'::regnamespace
"""
COUNTED_BY_STORE = """
SELECT table_name AS "table", column_name AS "column" FROM information_schema.columns
WHERE table_schema = 'public' AND is_identity = 'YES'
"""


class PostgresEnd(Target):
    """One database in one transaction; its tables are locked against writers."""

    def __init__(self, connection: asyncpg.Connection, about: str) -> None:
        self._connection = connection
        self.about = about

    async def revision(self) -> str | None:
        if await self._connection.fetchval("SELECT to_regclass('alembic_version')") is None:
            return None
        found = await self._connection.fetchval("SELECT version_num FROM alembic_version")
        return None if found is None else str(found)

    async def count(self, table: str) -> int:
        return int(await self._connection.fetchval(f'SELECT count(*) FROM "{table}"'))

    async def rows(self, shape: Shape) -> AsyncIterator[Batch]:
        cursor = await self._connection.cursor(f'SELECT {shape.listed} FROM "{shape.name}"')
        while batch := await cursor.fetch(BATCH):
            yield [tuple(row) for row in batch]

    async def counters(self) -> Mapping[str, int]:
        found = {}
        for row in await self._connection.fetch(HANDED_OUT):
            last = f'SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM "{row["sequence"]}"'
            found[row["name"]] = int(await self._connection.fetchval(last))
        return found

    async def clear(self, tables: Sequence[str]) -> None:
        for shape in shapes():
            await self._connection.execute(f'ALTER TABLE "{shape.name}" DISABLE TRIGGER USER')
        for table in tables:
            await self._connection.execute(f'DELETE FROM "{table}"')

    async def put(self, shape: Shape, batches: AsyncIterator[Batch]) -> None:
        try:
            await self._connection.copy_records_to_table(
                shape.name, columns=list(shape.columns), records=(row async for batch in batches for row in batch)
            )
        except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, OverflowError) as fault:
            raise MoveRefused(f"{shape.name} holds what PostgreSQL refuses: {fault}", "`opora check` there") from fault

    async def set_counters(self, counters: Mapping[str, int]) -> None:
        for row in await self._connection.fetch(HANDED_OUT):
            if counters.get(row["name"], 0) > 0:
                await self._connection.execute(f"SELECT setval('{row['sequence']}', {counters[row['name']]})")
        for row in await self._connection.fetch(COUNTED_BY_STORE):
            table, column = row["table"], row["column"]
            await self._connection.execute(
                f"""SELECT setval(pg_get_serial_sequence('{table}', '{column}'), max("{column}")) FROM "{table}" """
            )

    async def watch(self) -> None:
        await self._connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for shape in shapes():
            await self._connection.execute(f'ALTER TABLE "{shape.name}" ENABLE TRIGGER USER')

    async def commit(self) -> None:
        await self._connection.execute("COMMIT")
        await self._connection.execute("ANALYZE")


@asynccontextmanager
async def postgres_end(url: str) -> AsyncIterator[PostgresEnd]:
    """Hold a database; what was not committed is undone at the end. Raises MoveRefused where Opora is at work in it."""
    parts = urlsplit(url)
    connection = await asyncpg.connect(url, timeout=10, server_settings={"timezone": "UTC", "statement_timeout": "0"})
    try:
        if await connection.fetchval(IN_USE):
            raise MoveRefused(
                f"{parts.hostname}{parts.path} is in use", "Stop every `opora serve` and `opora worker` first"
            )
        await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        await lock(connection)
        yield PostgresEnd(connection, f"{parts.hostname}{parts.path}")
    finally:
        with suppress(OSError, asyncpg.InterfaceError):
            await connection.close()


async def lock(connection: asyncpg.Connection) -> None:
    """Keep writers away from the tables that are there; raises MoveRefused where one does not end."""
    there = [row["tablename"] for row in await connection.fetch("SELECT tablename FROM pg_tables")]
    listed = ", ".join(f'"{shape.name}"' for shape in shapes() if shape.name in there)
    if not listed:
        return
    await connection.execute(f"SET LOCAL lock_timeout = '{LOCK_WITHIN}'")
    try:
        await connection.execute(f"LOCK TABLE {listed} IN SHARE ROW EXCLUSIVE MODE")
    except asyncpg.LockNotAvailableError as fault:
        raise MoveRefused("somebody writes to the database", "Stop what writes to it, then try again") from fault
