"""Projects, their week, links and grants, inside one transaction."""

from collections.abc import Sequence, Set
from dataclasses import fields
from datetime import datetime
from typing import Any

from opora.adapters.sql.connection import Connection
from opora.adapters.sql.mapping import columns, insertion, load, to_json
from opora.adapters.sql.numbers.reach import visible, within
from opora.core.kernel.errors import Stale
from opora.core.kernel.rules import folded
from opora.core.numbers.errors.projects import NoSuchGeo, NoSuchProvider
from opora.core.numbers.model.projects import Grant, Project, ProjectReach
from opora.core.numbers.model.schedules import CallingWindow
from opora.core.numbers.ports.projects import ProjectRepository

PROJECT = tuple(field.name for field in fields(Project))
KEPT = tuple(name for name in PROJECT if name not in {"id", "created_by", "created_at", "version"})
WINDOW = tuple(field.name for field in fields(CallingWindow))
ADD = insertion("projects", (*PROJECT, "search"))
SAVE = f"""
UPDATE projects SET {", ".join(f"{name} = :{name}" for name in KEPT)}, version = :version, search = :search
WHERE id = :id AND version = :version - 1
"""
ADD_WINDOW = insertion("project_schedules", ("project_id", "position", *WINDOW))
WINDOWS = f"SELECT {', '.join(WINDOW)} FROM project_schedules WHERE project_id = :id ORDER BY position"
LINK = """
INSERT INTO {table} (project_id, {column}, created_at) VALUES (:id, :other, :now)
ON CONFLICT (project_id, {column}) DO NOTHING
"""
GRANT = """
INSERT INTO project_managers (project_id, user_id, granted_by, created_at)
VALUES (:project_id, :user_id, :granted_by, :created_at) ON CONFLICT (project_id, user_id) DO NOTHING
"""


def searchable(project: Project) -> str:
    """Return the text that a project is searched by."""
    return folded(f"{project.name} {project.description}")


class SqlProjectRepository(ProjectRepository):
    """Project rows inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = " FOR UPDATE" if connection.dialect == "postgresql" else ""

    async def next_id(self) -> int:
        return await self._connection.next_id("projects")

    async def add(self, project: Project) -> None:
        await self._connection.execute(ADD, **columns(project), search=searchable(project))

    async def get(self, id: int, reach: ProjectReach, *, deleted: bool = False) -> Project | None:
        condition, parameters = within("id", reach)
        state = "NOT NULL" if deleted else "NULL"
        sql = f"SELECT {', '.join(PROJECT)} FROM projects WHERE id = :id AND deleted_at IS {state} AND {condition}"
        row = await self._connection.fetch_one(sql + self._lock, id=id, **parameters)
        return load(Project, row) if row else None

    async def read(self, id: int, reach: ProjectReach) -> Project | None:
        projects, parameters = visible(reach)
        sql = f"SELECT {', '.join(PROJECT)} FROM projects WHERE id = :id AND id IN ({projects})"
        row = await self._connection.fetch_one(sql, id=id, **parameters)
        return load(Project, row) if row else None

    async def present(self, ids: Set[int], reach: ProjectReach) -> frozenset[int]:
        projects, parameters = visible(reach)
        sql = f"{projects} AND p.id IN {self._connection.listed('ids')}"
        rows = await self._connection.fetch(sql, ids=to_json(sorted(ids)), **parameters)
        return frozenset(row["id"] for row in rows)

    async def save(self, project: Project) -> None:
        values = columns(project)
        parameters: dict[str, Any] = {name: values[name] for name in ("id", "version", *KEPT)}
        if not await self._connection.execute(SAVE, **parameters, search=searchable(project)):
            raise Stale(project_id=project.id)

    async def granted(self, reach: ProjectReach) -> frozenset[int]:
        sql, parameters = visible(reach)
        return frozenset(row["id"] for row in await self._connection.fetch(sql, **parameters))

    async def windows(self, id: int) -> Sequence[CallingWindow]:
        return [load(CallingWindow, row) for row in await self._connection.fetch(WINDOWS, id=id)]

    async def set_windows(self, id: int, windows: Sequence[CallingWindow]) -> None:
        await self._connection.execute("DELETE FROM project_schedules WHERE project_id = :id", id=id)
        rows = [{"project_id": id, "position": place, **columns(one)} for place, one in enumerate(windows)]
        if rows:
            await self._connection.execute_many(ADD_WINDOW, rows)

    async def link_provider(self, id: int, provider_id: int, now: datetime) -> bool:
        return await self._link("project_providers", "provider_id", id, provider_id, now, NoSuchProvider)

    async def link_geo(self, id: int, geo_id: int, now: datetime) -> bool:
        return await self._link("project_geo", "geo_id", id, geo_id, now, NoSuchGeo)

    async def _link(
        self, table: str, column: str, id: int, other: int, now: datetime, missing: type[Exception]
    ) -> bool:
        parent = {"provider_id": "providers", "geo_id": "geo"}[column]
        lock = " FOR KEY SHARE" if self._lock else ""
        if await self._connection.fetch_one(f"SELECT id FROM {parent} WHERE id = :other{lock}", other=other) is None:
            raise missing
        sql = LINK.format(table=table, column=column)
        return await self._connection.execute(sql, id=id, other=other, now=now) == 1

    async def unlink_provider(self, id: int, provider_id: int) -> bool:
        sql = "DELETE FROM project_providers WHERE project_id = :id AND provider_id = :provider_id"
        return await self._connection.execute(sql, id=id, provider_id=provider_id) == 1

    async def unlink_geo(self, id: int, geo_id: int) -> bool:
        sql = "DELETE FROM project_geo WHERE project_id = :id AND geo_id = :geo_id"
        return await self._connection.execute(sql, id=id, geo_id=geo_id) == 1

    async def grant(self, grant: Grant) -> bool:
        return await self._connection.execute(GRANT, **columns(grant)) == 1

    async def withdraw(self, id: int, user_id: int) -> bool:
        sql = "DELETE FROM project_managers WHERE project_id = :id AND user_id = :user_id"
        return await self._connection.execute(sql, id=id, user_id=user_id) == 1
