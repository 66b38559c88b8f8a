"""Phone numbers as callers read them: pages by key, counts that cost the same at any size."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from opora.adapters.sql.connection import Connection
from opora.adapters.sql.numbers.conditions import Place, Statement, branched, by_prefix, scan, walked
from opora.adapters.sql.numbers.reach import visible
from opora.adapters.sql.numbers.rows import FIELDS, number_of, numbers_of
from opora.core.kernel.errors import Invalid
from opora.core.kernel.model import Page, PageRequest
from opora.core.numbers.model.numbers import STATUS_CODES, NumberFilter, PhoneNumber
from opora.core.numbers.model.projects import ProjectReach
from opora.core.numbers.ports.numbers import NumberViews

COUNTED_MAX = 10_000
"""How far rows are counted where no maintained count covers the filter."""
PROJECTS_MAX = 101
DIGITS_OF_INT64 = 19
EPOCH, MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
LATEST = (datetime(9999, 1, 1, tzinfo=UTC) - EPOCH) // MICROSECOND
MAINTAINED = """
SELECT COALESCE(CAST(sum(numbers) AS bigint), 0) FROM (
 SELECT project_id, status, numbers FROM number_counts
 UNION ALL SELECT project_id, status, delta FROM number_deltas) AS both_parts
WHERE project_id IN {projects}
"""


class SqlNumberViews(NumberViews):
    """Numbers by single statements."""

    def __init__(self, connection: Connection, counted_max: int = COUNTED_MAX) -> None:
        self._connection = connection
        self._counted_max = counted_max

    async def one(self, id: int, reach: ProjectReach) -> PhoneNumber | None:
        projects, parameters = visible(reach)
        sql = f"SELECT {FIELDS} FROM phone_numbers WHERE id = :id AND project_id IN ({projects})"
        row = await self._connection.fetch_one(sql, id=id, **parameters)
        return number_of(row) if row else None

    async def by_phone(self, phone: int, reach: ProjectReach, limit: int) -> Sequence[PhoneNumber]:
        projects, parameters = visible(reach)
        sql = f"""SELECT {FIELDS} FROM phone_numbers WHERE phone = :phone AND project_id IN ({projects})
 ORDER BY (last_call_at IS NULL), last_call_at DESC, id DESC LIMIT :limit"""
        return numbers_of(await self._connection.fetch(sql, phone=phone, limit=limit, **parameters))

    async def timezones(self, zone_set: int) -> Sequence[str]:
        told = await self._connection.fetch_value("SELECT zones FROM zone_sets WHERE id = :id", id=zone_set)
        return tuple(msgspec.json.decode(told or "[]"))

    async def page(self, reach: ProjectReach, wanted: NumberFilter, request: PageRequest) -> Page[PhoneNumber]:
        projects = await self._projects(reach, wanted)
        if not projects:
            return Page([], 0, more=False)
        skipped = 0 if request.cursor else request.offset
        statement = self._statement(reach, wanted, request, projects)
        found = numbers_of(await self._connection.fetch(statement.sql, **statement.parameters))[skipped:]
        shown, more = found[: request.limit], len(found) > request.limit
        count, exact = await self._count(reach, wanted, projects)
        return Page(shown, max(count, len(shown)), more, self._cursor(wanted, shown[-1]) if more else None, exact)

    async def _projects(self, reach: ProjectReach, wanted: NumberFilter) -> Sequence[int]:
        """Return the projects meant, up to one more than branches are made for."""
        sql, parameters = visible(reach)
        if wanted.project_id is not None:
            sql += " AND p.id = :project_id"
            parameters = {**parameters, "project_id": wanted.project_id}
        rows = await self._connection.fetch(f"{sql} ORDER BY p.id LIMIT {PROJECTS_MAX}", **parameters)
        return [row["id"] for row in rows]

    def _statement(
        self, reach: ProjectReach, wanted: NumberFilter, request: PageRequest, projects: Sequence[int]
    ) -> Statement:
        limit = request.limit + 1 + (0 if request.cursor else request.offset)
        if wanted.phone is not None:
            return by_prefix(wanted, reach, pair(request.cursor) if request.cursor else None, limit)
        after = place(request.cursor) if request.cursor else None
        found = branched(wanted, projects, after, limit)
        return found or walked(wanted, reach, after.id if after else None, limit)

    def _cursor(self, wanted: NumberFilter, last: PhoneNumber) -> str:
        if wanted.phone is not None:
            return f"{last.phone}.{last.project_id}"
        return f"{(last.created_at - EPOCH) // MICROSECOND}.{last.id}"

    async def _count(self, reach: ProjectReach, wanted: NumberFilter, projects: Sequence[int]) -> tuple[int, bool]:
        maintained = NumberFilter(project_id=wanted.project_id, status=wanted.status)
        if wanted == maintained:
            return await self._maintained(reach, wanted, projects), True
        where, parameters = scan(wanted, reach)
        counting = f"SELECT 1 FROM phone_numbers WHERE {where} LIMIT {self._counted_max + 1}"
        counted = await self._connection.fetch_value(f"SELECT count(*) FROM ({counting}) AS counted", **parameters)
        if counted <= self._counted_max:
            return counted, True
        return max(counted, await self._estimate(where, parameters)), False

    async def _maintained(self, reach: ProjectReach, wanted: NumberFilter, projects: Sequence[int]) -> int:
        sql, parameters = visible(reach)
        if wanted.project_id is not None:
            sql, parameters = ":project_id", {"project_id": projects[0]}
        sql = MAINTAINED.format(projects=f"({sql})")
        if wanted.status is not None:
            sql += " AND status = :status"
            parameters = {**parameters, "status": STATUS_CODES[wanted.status]}
        return int(await self._connection.fetch_value(sql, **parameters))

    async def _estimate(self, where: str, parameters: dict[str, object]) -> int:
        """Return what PostgreSQL's planner expects; SQLite's tells nothing."""
        if self._connection.dialect != "postgresql":
            return 0
        told = await self._connection.fetch_value(
            f"EXPLAIN (FORMAT JSON) SELECT 1 FROM phone_numbers WHERE {where}", **parameters
        )
        return int(msgspec.json.decode(told)[0]["Plan"]["Plan Rows"])


def position(cursor: str) -> int:
    """Read the id that a page ended with; raises Invalid for what no page gave out."""
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) <= DIGITS_OF_INT64):
        raise Invalid(errors={"cursor": ["was not given out by this list"]})
    return min(int(cursor), 2**63 - 1)


def place(cursor: str) -> Place:
    """Read the age and id that a page ended with; raises Invalid for what no page gave out."""
    microseconds, id = pair(cursor)
    return Place(EPOCH + min(microseconds, LATEST) * MICROSECOND, id)


def pair(cursor: str) -> tuple[int, int]:
    """Read the number and project that a page ended with; raises Invalid for what no page gave out."""
    phone, _, project_id = cursor.partition(".")
    return position(phone), position(project_id)
