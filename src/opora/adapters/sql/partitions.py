"""Parting the table of numbers by project, on PostgreSQL, while it is read and written.

Every statement of Opora works on either form: the unique keys hold the project, and numbers are found by project or by
a look into each part. The new table is filled beside the old one; triggers on the old one note every number that
changes meanwhile, and those are taken over again until so few are left that the last of them, and the exchange of the
two tables, take a moment.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import asyncpg

from opora.adapters.sql.schema.number_triggers import postgres_table_triggers

PARTS_MAX = 64
"""A look-up by number alone looks into every part."""
COPIED_AT_ONCE = 50_000
FEW = 2_000
"""So few noted changes are taken over while writers wait."""
TURNS_MAX = 200
LOCK_WITHIN = "2s"
"""How long writers may queue behind us while we wait for the table; then they go first and we ask again."""
LOCK_KEY = 0x6F706E70
"""A number of PostgreSQL's advisory locks: one parts the table at a time."""
NEXT, NOTED = "phone_numbers_next", "phone_numbers_noted"
KEYS = {True: "id, project_id", False: "id"}
PARTS = """
SELECT c.relkind = 'p' AS is_parted,
 (SELECT count(*) FROM pg_inherits i WHERE i.inhparent = c.oid) AS parts
FROM pg_class c WHERE c.oid = 'phone_numbers'::regclass
"""
INDEXES = """
SELECT c.relname AS name, pg_get_indexdef(i.indexrelid) AS definition
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = 'phone_numbers'::regclass AND NOT i.indisunique
"""
ABOUT = """
SELECT COALESCE(sum(GREATEST(reltuples, 0)), 0)::bigint FROM pg_class
WHERE relkind = 'r' AND (oid = 'phone_numbers'::regclass
 OR oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'phone_numbers'::regclass))
"""
NOTE = f"""
CREATE OR REPLACE FUNCTION {NOTED}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO {NOTED} (number_id) SELECT id FROM touched;
  RETURN NULL;
END $$
"""
NOTING = {"INSERT": "NEW", "UPDATE": "NEW", "DELETE": "OLD"}
COPY = f"""
WITH chunk AS (SELECT * FROM phone_numbers WHERE id > $1 ORDER BY id LIMIT {COPIED_AT_ONCE}),
 put AS (INSERT INTO {NEXT} SELECT * FROM chunk)
SELECT max(id) AS last, count(*) AS count FROM chunk
"""
TAKE = f"""
WITH taken AS (DELETE FROM {NOTED} RETURNING number_id) SELECT DISTINCT number_id FROM taken
"""
UNLIKE = f"""
SELECT count(*) FROM (SELECT o.id FROM phone_numbers o) AS old FULL JOIN (SELECT id FROM {NEXT}) AS new USING (id)
WHERE (old.id IS NULL OR new.id IS NULL) AND id NOT IN (SELECT number_id FROM {NOTED})
"""
CHANGED = f"""
SELECT count(*) FROM phone_numbers AS old JOIN {NEXT} AS new USING (id, project_id)
WHERE old IS DISTINCT FROM new AND id NOT IN (SELECT number_id FROM {NOTED})
"""

type Progress = Callable[[int, int], None]
"""Told how many numbers were taken over, of about how many."""


GRANTS = f"""
SELECT format('GRANT %s ON {NEXT} TO %s%s', g.privilege_type,
 CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END,
 CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END) AS grant
FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) AS g
WHERE c.oid = 'phone_numbers'::regclass AND g.grantee <> c.relowner
"""
"""What other roles may do with the old table."""


class PartingFailed(Exception):
    """The table could not be parted and is as it was; the text says why."""


@dataclass(slots=True)
class Parting:
    """One rebuilding of the table into that many parts, or whole for 0."""

    connection: asyncpg.Connection
    parts: int
    progress: Progress

    async def run(self) -> None:
        """Rebuild the table; whatever fails, the old one stays in use and nothing is left of the new one."""
        indexes = await self.connection.fetch(INDEXES)
        await abandon(self.connection)
        try:
            await self._begin()
            await self._copy()
            await self._catch_up()
            await self._finish_indexes(indexes)
            await self._check()
            await self._exchange(indexes)
        except BaseException:
            with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):  # the next run clears up as well
                await abandon(self.connection)
            raise

    async def _begin(self) -> None:
        """Make the new table, and have every change of the old one noted from here on."""
        how = " PARTITION BY HASH (project_id)" if self.parts else ""
        await self.connection.execute(f"CREATE TABLE {NEXT} (LIKE phone_numbers INCLUDING DEFAULTS){how}")
        for part in range(self.parts):
            await self.connection.execute(
                f"CREATE TABLE phone_numbers_part_{part}_of_{self.parts} PARTITION OF {NEXT}"
                f" FOR VALUES WITH (MODULUS {self.parts}, REMAINDER {part})"
            )
        key = KEYS[self.parts > 0]
        await self.connection.execute(f"ALTER TABLE {NEXT} ADD CONSTRAINT pk_{NEXT} PRIMARY KEY ({key})")
        await self.connection.execute(f"CREATE TABLE {NOTED} (number_id bigint NOT NULL)")
        await self.connection.execute(NOTE)
        await self._locked("SHARE ROW EXCLUSIVE", self._note)

    async def _note(self) -> None:
        for event, table in NOTING.items():
            await self.connection.execute(
                f"CREATE TRIGGER noted_{event.lower()} AFTER {event} ON phone_numbers"
                f" REFERENCING {table} TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION {NOTED}()"
            )

    async def _copy(self) -> None:
        """Copy what there is, some thousands by some thousands, each seen as it stands by then."""
        last, done, total = -1, 0, await self.connection.fetchval(ABOUT)
        while (row := await self.connection.fetchrow(COPY, last))["count"]:
            last, done = row["last"], done + row["count"]
            self.progress(done, max(total, done))

    async def _take_over(self) -> int:
        """Bring noted numbers to where they stand; what changes meanwhile is noted again. Returns how many."""
        async with self.connection.transaction():
            ids = [row["number_id"] for row in await self.connection.fetch(TAKE)]
            await self.connection.execute(f"DELETE FROM {NEXT} WHERE id = ANY($1)", ids)
            await self.connection.execute(f"INSERT INTO {NEXT} SELECT * FROM phone_numbers WHERE id = ANY($1)", ids)
        return len(ids)

    async def _catch_up(self) -> None:
        for _ in range(TURNS_MAX):
            if await self._take_over() <= FEW:
                return
        raise PartingFailed("numbers change faster than they can be taken over; try when there is less to do")

    async def _finish_indexes(self, indexes: Sequence[asyncpg.Record]) -> None:
        """Make the other indexes once the table is full, which is faster than filling them with it."""
        await self.connection.execute(f"ALTER TABLE {NEXT} ADD CONSTRAINT uq_{NEXT} UNIQUE (phone, project_id)")
        for row in indexes:
            heading = re.compile(rf"INDEX {row['name']} ON (ONLY )?\S+ ")
            await self.connection.execute(heading.sub(f"INDEX {row['name']}_next ON {NEXT} ", row["definition"], 1))
        await self.connection.execute(f"ANALYZE {NEXT}")
        await self._catch_up()

    async def _check(self) -> None:
        """Compare the tables in one state of the database: they differ in nothing but numbers that are noted."""
        async with self.connection.transaction(isolation="repeatable_read", readonly=True):
            for sql in (UNLIKE, CHANGED):
                if unlike := await self.connection.fetchval(sql):
                    raise PartingFailed(f"{unlike} numbers differ in the new table")

    async def _exchange(self, indexes: Sequence[asyncpg.Record]) -> None:
        """Take the last changes over and put the new table in the old one's place, in one transaction."""

        async def exchange() -> None:
            await self._take_over()
            await drop_notes(self.connection)
            for statement in await self.connection.fetch(GRANTS):
                await self.connection.execute(statement["grant"])
            await self.connection.execute("DROP TABLE phone_numbers")
            await self.connection.execute(f"ALTER TABLE {NEXT} RENAME TO phone_numbers")
            names = {row["name"]: f"{row['name']}_next" for row in indexes}
            names |= {"pk_phone_numbers": f"pk_{NEXT}", "uq_phone_numbers_phone_project_id": f"uq_{NEXT}"}
            for name, was in names.items():
                await self.connection.execute(f"ALTER INDEX {was} RENAME TO {name}")
            for statement in postgres_table_triggers():
                await self.connection.execute(statement)

        await self._locked("ACCESS EXCLUSIVE", exchange)

    async def _locked(self, mode: str, work: Callable[[], Awaitable[None]]) -> None:
        """Do work under a lock of the old table, without holding writers up for long while the lock is waited for."""
        for _ in range(TURNS_MAX):
            try:
                async with self.connection.transaction():
                    await self.connection.execute(f"SET LOCAL lock_timeout = '{LOCK_WITHIN}'")
                    await self.connection.execute(f"LOCK TABLE phone_numbers IN {mode} MODE")
                    await self.connection.execute("SET LOCAL lock_timeout = 0")
                    await work()
            except asyncpg.LockNotAvailableError:
                continue
            return
        raise PartingFailed("the table is never free: a long transaction holds it")


async def parts_of(connection: asyncpg.Connection) -> int:
    """Return into how many parts the table is parted; 0 where it is whole."""
    row = await connection.fetchrow(PARTS)
    return row["parts"] if row["is_parted"] else 0


async def drop_notes(connection: asyncpg.Connection) -> None:
    """Stop noting changes."""
    for event in NOTING:
        await connection.execute(f"DROP TRIGGER IF EXISTS noted_{event.lower()} ON phone_numbers")
    await connection.execute(f"DROP FUNCTION IF EXISTS {NOTED}()")
    await connection.execute(f"DROP TABLE IF EXISTS {NOTED}")


async def abandon(connection: asyncpg.Connection) -> None:
    """Leave nothing of a rebuilding that failed, or that was killed earlier."""
    if await connection.fetchval("SELECT to_regclass($1) IS NOT NULL OR to_regclass($2) IS NOT NULL", NOTED, NEXT):
        async with connection.transaction():
            await drop_notes(connection)
            await connection.execute(f"DROP TABLE IF EXISTS {NEXT}")


async def partition(url: str, parts: int, progress: Progress = lambda _done, _total: None) -> bool:
    """Rebuild the table in that many parts, or whole for 0; tell whether anything was to be done.

    Raises PartingFailed. Numbers are read and written meanwhile; it needs as much room again as the table has.
    """
    connection = await asyncpg.connect(url)
    try:
        if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", LOCK_KEY):
            raise PartingFailed("another command is parting the table")
        await connection.execute("SET statement_timeout = 0")
        if await parts_of(connection) == parts:
            await abandon(connection)
            return False
        await Parting(connection, parts, progress).run()
        await connection.execute("ANALYZE phone_numbers")
    finally:
        await connection.close()
    return True
