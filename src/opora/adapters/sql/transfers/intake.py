"""Numbers in bulk: by binary COPY on PostgreSQL, by one statement over a list on SQLite."""

import asyncio
import sqlite3
from array import array
from collections.abc import Iterator, Mapping, Sequence
from itertools import compress
from typing import Any

from opora.adapters.sql import postgres, sqlite
from opora.adapters.sql.connection import Connection
from opora.adapters.sql.errors import ConstraintBroken
from opora.adapters.sql.postgres import TransactionConnection
from opora.adapters.sql.sqlite import SqliteConnection, bound
from opora.adapters.sql.transfers import copying
from opora.adapters.sql.transfers.copying import Column
from opora.core.kernel.errors import Stale
from opora.core.numbers.errors.projects import NoSuchGeo, NoSuchProject, NoSuchProvider
from opora.core.numbers.model.numbers import FIRST, STATUS_CODES, NumberStatus
from opora.core.numbers.ports.intake import BroughtIn, NumberIntake, Sheaf

NEW = STATUS_CODES[NumberStatus.NEW]
COLUMNS = (
    "id", "phone", "created_at", "updated_at", "next_call_at", "project_id", "status", "zone_set", "attempts",
    "provider_id", "geo_id", "import_number",
)  # fmt: skip
MISSING = {"provider_id": NoSuchProvider, "geo_id": NoSuchGeo, "project_id": NoSuchProject}
SPAN = "phone BETWEEN :first AND :last AND +project_id = :project_id"
"""A plus keeps SQLite's planner off the indexes that begin with the project, whose every row it would read."""
ANY_PRESENT = f"SELECT EXISTS (SELECT 1 FROM phone_numbers WHERE {SPAN})"
ANY_SUPPRESSED = """
SELECT EXISTS (SELECT 1 FROM suppressions WHERE phone BETWEEN :first AND :last AND +project_id IN (0, :project_id))
"""
PRESENT = """
SELECT p.phone FROM {given} JOIN phone_numbers p ON p.phone = given.phone AND +p.project_id = :project_id
 AND p.phone BETWEEN :first AND :last
"""
SUPPRESSED = """
SELECT DISTINCT s.phone FROM {given} JOIN suppressions s ON s.phone = given.phone
 AND +s.project_id IN (0, :project_id) AND s.phone BETWEEN :first AND :last
"""
TAKE_BACK = """
DELETE FROM phone_numbers WHERE id IN (SELECT id FROM phone_numbers
 WHERE id BETWEEN :first_id AND :last_id AND import_number = :import_number
  AND status = 0 AND attempts = 0 AND updated_at = created_at ORDER BY id LIMIT :limit {lock})
"""


class SqlNumberIntake(NumberIntake):
    """What both stores share: looking for what is there already, and taking back."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def bring_in(self, sheaf: Sheaf) -> BroughtIn:
        span: dict[str, Any] = {
            "project_id": sheaf.project_id, "first": sheaf.numbers[0], "last": sheaf.numbers[-1],
        }  # fmt: skip
        present = suppressed = frozenset[int]()
        if await self._connection.fetch_value(ANY_PRESENT, **span):
            present = await self._matching(PRESENT, sheaf.numbers, span)
        if await self._connection.fetch_value(ANY_SUPPRESSED, **span):
            suppressed = await self._matching(SUPPRESSED, sheaf.numbers, span) - present
        kept = without(sheaf, present | suppressed)
        count = len(kept.numbers)
        if not count:
            return BroughtIn(0, present=present, suppressed=suppressed)
        ids = await self._connection.next_ids("phone_numbers", count)
        try:
            await self._add(kept, ids)
        except ConstraintBroken as error:
            raise told(error) from error
        return BroughtIn(count, min(ids[0], ids[-1]), max(ids[0], ids[-1]), present, suppressed, ids)

    async def _matching(self, sql: str, numbers: "array[int]", span: Mapping[str, Any]) -> frozenset[int]:
        raise NotImplementedError

    async def _add(self, sheaf: Sheaf, ids: Sequence[int]) -> None:
        raise NotImplementedError

    async def take_back(self, import_number: int, first_id: int, last_id: int, limit: int) -> int:
        lock = "FOR UPDATE SKIP LOCKED" if self._connection.dialect == "postgresql" else ""
        return await self._connection.execute(
            TAKE_BACK.format(lock=lock),
            import_number=import_number,
            first_id=first_id,
            last_id=last_id,
            limit=limit,
        )

    async def references(self) -> tuple[Sequence[int], Mapping[int, str | None]]:
        providers = await self._connection.fetch("SELECT id FROM providers ORDER BY id")
        geo = await self._connection.fetch("SELECT id, timezone FROM geo ORDER BY id")
        return [row["id"] for row in providers], {row["id"]: row["timezone"] for row in geo}


class PostgresNumberIntake(SqlNumberIntake):
    """By COPY, whose rows are made without touching them one by one."""

    rows_at_once = 20_000
    lanes = 2

    def __init__(self, connection: TransactionConnection) -> None:
        super().__init__(connection)
        self._transaction = connection

    async def _matching(self, sql: str, numbers: "array[int]", span: Mapping[str, Any]) -> frozenset[int]:
        given = "unnest(CAST(:numbers AS bigint[])) AS given(phone)"
        rows = await self._connection.fetch(sql.format(given=given), numbers=numbers.tolist(), **span)
        return frozenset(row[0] for row in rows)

    async def _add(self, sheaf: Sheaf, ids: Sequence[int]) -> None:
        await self._transaction.ready()
        try:
            await self._transaction.driver.copy_to_table(
                "phone_numbers", source=chunks(sheaf, ids), columns=COLUMNS, format="binary"
            )
        except Exception as error:
            raise postgres.translated(error) from error


async def chunks(sheaf: Sheaf, ids: Sequence[int]) -> Any:
    """Yield a sheaf as binary COPY: rows that name a provider or an area, and those that do not, apart."""
    yield copying.SIGNATURE
    now, everything = copying.instant(sheaf.now), [True] * len(ids)
    further = [sheaf.providers, sheaf.geo]
    for pattern, which in copying.grouped(further) if any(map(any, further)) else [((False, False), everything)]:
        given = [copying.picked(column, which) if has else None for column, has in zip(further, pattern, strict=True)]
        yield copying.rows(
            sum(which),
            [
                Column(8, copying.picked(ids, which)),
                Column(8, copying.picked(sheaf.numbers, which)),
                Column(8, now),
                Column(8, now),
                Column(8, copying.instant(FIRST)),
                Column(4, sheaf.project_id),
                Column(2, NEW),
                Column(2, copying.picked(sheaf.zone_sets, which)),
                Column(2, 0),
                Column(4, given[0]),
                Column(4, given[1]),
                Column(4, sheaf.import_number),
            ],
        )
    yield copying.TRAILER


ADD = f"""
INSERT INTO phone_numbers ({", ".join(COLUMNS)})
SELECT :first_id + key, {{phone}}, :now, :now, :due, :project_id, {NEW}, {{zone_set}}, 0,
 nullif({{provider_id}}, 0), nullif({{geo_id}}, 0), :import_number
FROM json_each(:rows)
"""
ALIKE = ADD.format(phone="value", zone_set=":zone_set", provider_id=":provider_id", geo_id=":geo_id")
MIXED = ADD.format(phone="value ->> 0", zone_set="value ->> 1", provider_id="value ->> 2", geo_id="value ->> 3")
KINDS_MAX = 20
"""So many kinds of rows are added kind by kind; more are added at once, at twice the price."""


class SqliteNumberIntake(SqlNumberIntake):
    """By one statement over a list of many rows, off the event loop; the transaction holds the writer meanwhile."""

    rows_at_once = 20_000
    lanes = 1

    def __init__(self, connection: SqliteConnection) -> None:
        super().__init__(connection)
        self._driver = connection.driver

    async def _matching(self, sql: str, numbers: "array[int]", span: Mapping[str, Any]) -> frozenset[int]:
        given = "(SELECT value AS phone FROM json_each(:numbers)) AS given"
        text = f"[{','.join(map(str, numbers))}]"
        rows = await self._connection.fetch(sql.format(given=given), numbers=text, **span)
        return frozenset(row[0] for row in rows)

    async def _add(self, sheaf: Sheaf, ids: Sequence[int]) -> None:
        try:
            await asyncio.to_thread(self._insert, sheaf, ids)
        except sqlite3.Error as error:
            raise sqlite.translated(error) from error

    def _insert(self, sheaf: Sheaf, ids: Sequence[int]) -> None:
        same = {
            "now": bound(sheaf.now),
            "due": bound(FIRST),
            "project_id": sheaf.project_id,
            "import_number": sheaf.import_number,
        }
        for sql, parameters, count in statements(sheaf):
            self._driver.execute(sql, {**same, **parameters, "first_id": ids[0]})
            ids = ids[count:]


def statements(sheaf: Sheaf) -> Iterator[tuple[str, dict[str, object], int]]:
    """Yield what adds a sheaf: a statement for each kind of rows that differ in nothing but the number, if few."""
    columns = (sheaf.zone_sets, sheaf.providers, sheaf.geo)
    kinds = list(zip(*columns, strict=True))
    distinct = set(kinds)
    if len(distinct) > KINDS_MAX:
        rows = map("[%d,%d,%d,%d]".__mod__, zip(sheaf.numbers, *columns, strict=True))
        yield MIXED, {"rows": f"[{','.join(rows)}]"}, len(kinds)
        return
    parts: dict[tuple[int, int, int], Sequence[int]] = {one: [] for one in distinct}
    if len(distinct) == 1:
        parts[kinds[0]] = sheaf.numbers
    else:
        for kind, number in zip(kinds, sheaf.numbers, strict=True):
            parts[kind].append(number)  # type: ignore[attr-defined]  # lists where there are several
    for (zone_set, provider_id, geo_id), numbers in parts.items():
        given = {"zone_set": zone_set, "provider_id": provider_id, "geo_id": geo_id}
        yield ALIKE, {**given, "rows": f"[{','.join(map(str, numbers))}]"}, len(numbers)


def without(sheaf: Sheaf, out: frozenset[int]) -> Sheaf:
    """Return the sheaf without these numbers."""
    if not out:
        return sheaf
    which = [number not in out for number in sheaf.numbers]
    columns = (sheaf.numbers, sheaf.zone_sets, sheaf.providers, sheaf.geo)
    numbers, zone_sets, providers, geo = (array("q", compress(column, which)) for column in columns)
    return Sheaf(
        project_id=sheaf.project_id,
        import_number=sheaf.import_number,
        numbers=numbers,
        zone_sets=zone_sets,
        providers=providers,
        geo=geo,
        now=sheaf.now,
    )


def told(error: ConstraintBroken) -> Exception:
    """Name a broken constraint: a parent that went, or a number that somebody else added meanwhile."""
    for column, kind in MISSING.items():
        if column in error.constraint and "fk" in error.constraint:
            return kind()
    return Stale("A number was added by somebody else meanwhile.")


def intake_of(connection: Connection) -> NumberIntake:
    """Choose the intake of a store."""
    if isinstance(connection, TransactionConnection):
        return PostgresNumberIntake(connection)
    if isinstance(connection, SqliteConnection):
        return SqliteNumberIntake(connection)
    raise TypeError(connection.dialect)
