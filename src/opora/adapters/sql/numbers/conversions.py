"""The figures of campaigns, moment by moment."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime

from opora.adapters.sql.connection import Connection
from opora.adapters.sql.mapping import columns, insertion, load
from opora.adapters.sql.numbers.reach import visible
from opora.adapters.sql.numbers.tally import SqlNumberTally
from opora.core.kernel.model import Page, PageRequest
from opora.core.numbers.model.conversion import Conversion
from opora.core.numbers.model.numbers import NumberStatus
from opora.core.numbers.model.projects import ProjectReach
from opora.core.numbers.ports.calls import ConversionRepository, ConversionViews

CONVERSION = tuple(field.name for field in fields(Conversion))
LISTED = ", ".join(CONVERSION)
ADD = insertion("project_conversions", CONVERSION, "ON CONFLICT (project_id, calculated_at) DO NOTHING")
DUE = """
SELECT p.id FROM projects p WHERE p.deleted_at IS NULL AND p.id > :after_project AND NOT EXISTS (
 SELECT 1 FROM project_conversions c WHERE c.project_id = p.id AND c.calculated_at >= :before)
ORDER BY p.id LIMIT :limit
"""
LATEST = f"SELECT {LISTED} FROM project_conversions WHERE project_id = :project_id ORDER BY calculated_at DESC LIMIT 1"
THIN = """
DELETE FROM project_conversions WHERE id IN (
 SELECT c.id FROM project_conversions c WHERE c.calculated_at < :before AND EXISTS (
  SELECT 1 FROM project_conversions later WHERE later.project_id = c.project_id
   AND later.calculated_at > c.calculated_at AND {day_of_later} = {day_of_c})
 ORDER BY c.id LIMIT :limit)
"""
DAYS = {"postgresql": "CAST({}.calculated_at AT TIME ZONE 'UTC' AS date)", "sqlite": "substr({}.calculated_at, 1, 10)"}


class SqlConversionRepository(ConversionRepository):
    """Figures inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def next_id(self) -> int:
        return await self._connection.next_id("project_conversions")

    async def add(self, conversion: Conversion) -> None:
        await self._connection.execute(ADD, **columns(conversion))

    async def due(self, before: datetime, after_project: int, limit: int) -> Sequence[int]:
        rows = await self._connection.fetch(DUE, before=before, after_project=after_project, limit=limit)
        return [row["id"] for row in rows]

    async def latest(self, project_id: int) -> Conversion | None:
        row = await self._connection.fetch_one(LATEST, project_id=project_id)
        return load(Conversion, row) if row else None

    async def thin(self, before: datetime, limit: int) -> int:
        day = DAYS[self._connection.dialect]
        sql = THIN.format(day_of_later=day.format("later"), day_of_c=day.format("c"))
        return await self._connection.execute(sql, before=before, limit=limit)


class SqlConversionViews(ConversionViews):
    """Figures by single statements."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def history(self, project_id: int, reach: ProjectReach, request: PageRequest) -> Page[Conversion]:
        projects, parameters = visible(reach)
        where = f"project_id = :project_id AND project_id IN ({projects})"
        parameters = {**parameters, "project_id": project_id}
        count = await self._connection.fetch_value(
            f"SELECT count(*) FROM project_conversions WHERE {where}", **parameters
        )
        rows = await self._connection.fetch(
            f"SELECT {LISTED} FROM project_conversions WHERE {where}"
            " ORDER BY calculated_at DESC LIMIT :limit OFFSET :offset",
            **parameters,
            limit=request.limit,
            offset=request.offset,
        )
        return Page([load(Conversion, row) for row in rows], count, request.offset + len(rows) < count)

    async def counts(self, project_id: int, reach: ProjectReach) -> Mapping[NumberStatus, int]:
        projects, parameters = visible(reach)
        sql = f"SELECT id FROM projects WHERE id = :project_id AND id IN ({projects})"
        if await self._connection.fetch_one(sql, project_id=project_id, **parameters) is None:
            return dict.fromkeys(NumberStatus, 0)
        return await SqlNumberTally(self._connection).of(project_id)
