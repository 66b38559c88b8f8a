"""Projects, providers and areas as callers read them: single statements."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from opora.adapters.sql.connection import Connection
from opora.adapters.sql.mapping import load, to_json
from opora.adapters.sql.numbers.directories import GEO, PROVIDER
from opora.adapters.sql.numbers.projects import PROJECT, WINDOWS
from opora.adapters.sql.numbers.reach import visible, within
from opora.adapters.sql.pages import page_of
from opora.adapters.sql.people import like
from opora.core.kernel.model import Page, PageRequest
from opora.core.numbers.model.projects import Geo, Grant, Project, ProjectFilter, ProjectReach, Provider
from opora.core.numbers.model.schedules import CallingWindow
from opora.core.numbers.ports.projects import GeoViews, ProjectViews, ProviderViews

ANY = "id > 0"
"""Every project but the one that holds the numbers of none."""


async def listed[T](
    connection: Connection,
    kind: type[T],
    text: tuple[str, str, str],
    request: PageRequest,
    parameters: Mapping[str, Any],
) -> Page[T]:
    """Return a page by number; `text` is the columns, the tables with their condition, and the order."""
    columns, source, order = text
    selected = f"SELECT {columns} FROM {source} ORDER BY {order}"
    return await page_of(connection, partial(load, kind), source, selected, request, parameters)


class SqlProjectViews(ProjectViews):
    """Projects within a reach."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def one(self, id: int, reach: ProjectReach) -> Project | None:
        return (await self.several([id], reach)).get(id)

    async def several(self, ids: Sequence[int], reach: ProjectReach) -> Mapping[int, Project]:
        projects, parameters = visible(reach)
        sql = f"""SELECT {", ".join(PROJECT)} FROM projects
 WHERE id IN ({projects}) AND id IN {self._connection.listed("ids")}"""
        rows = await self._connection.fetch(sql, ids=to_json(list(ids)), **parameters)
        return {row["id"]: load(Project, row) for row in rows}

    async def page(self, reach: ProjectReach, wanted: ProjectFilter, request: PageRequest) -> Page[Project]:
        condition, found = within("id", reach)
        parts, parameters = [ANY, condition], dict(found)
        parts.append("deleted_at IS NOT NULL" if wanted.deleted else "deleted_at IS NULL")
        if wanted.status is not None:
            parts.append("status = :status")
            parameters["status"] = str(wanted.status)
        if wanted.text is not None:
            parts.append("search LIKE :text ESCAPE '\\'")
            parameters["text"] = like(wanted.text)
        text = (", ".join(PROJECT), f"projects WHERE {' AND '.join(parts)}", "id DESC")
        return await listed(self._connection, Project, text, request, parameters)

    async def windows(self, id: int) -> Sequence[CallingWindow]:
        return [load(CallingWindow, row) for row in await self._connection.fetch(WINDOWS, id=id)]

    async def providers(self, id: int, request: PageRequest) -> Page[Provider]:
        source = "providers WHERE id IN (SELECT provider_id FROM project_providers WHERE project_id = :id)"
        return await listed(self._connection, Provider, (", ".join(PROVIDER), source, "id"), request, {"id": id})

    async def geo(self, id: int, request: PageRequest) -> Page[Geo]:
        source = "geo WHERE id IN (SELECT geo_id FROM project_geo WHERE project_id = :id)"
        return await listed(self._connection, Geo, (", ".join(GEO), source, "id"), request, {"id": id})

    async def managers(self, id: int, request: PageRequest) -> Page[Grant]:
        columns = "project_id, user_id, granted_by, created_at"
        source = "project_managers WHERE project_id = :id"
        return await listed(self._connection, Grant, (columns, source, "user_id"), request, {"id": id})


class SqlProviderViews(ProviderViews):
    """Every provider."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def one(self, id: int) -> Provider | None:
        row = await self._connection.fetch_one(f"SELECT {', '.join(PROVIDER)} FROM providers WHERE id = :id", id=id)
        return load(Provider, row) if row else None

    async def page(self, text: str | None, status: str | None, request: PageRequest) -> Page[Provider]:
        parts, parameters = ["true"], dict[str, Any]()
        if status is not None:
            parts.append("status = :status")
            parameters["status"] = status
        if text is not None:
            parts.append("search LIKE :text ESCAPE '\\'")
            parameters["text"] = like(text)
        source = f"providers WHERE {' AND '.join(parts)}"
        return await listed(self._connection, Provider, (", ".join(PROVIDER), source, "id DESC"), request, parameters)


class SqlGeoViews(GeoViews):
    """Every area."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def one(self, id: int) -> Geo | None:
        row = await self._connection.fetch_one(f"SELECT {', '.join(GEO)} FROM geo WHERE id = :id", id=id)
        return load(Geo, row) if row else None

    async def page(self, country_code: str | None, text: str | None, request: PageRequest) -> Page[Geo]:
        parts, parameters = ["true"], dict[str, Any]()
        if country_code is not None:
            parts.append("country_code = :country_code")
            parameters["country_code"] = country_code
        if text is not None:
            parts.append("search LIKE :text ESCAPE '\\'")
            parameters["text"] = like(text)
        source = f"geo WHERE {' AND '.join(parts)}"
        return await listed(self._connection, Geo, (", ".join(GEO), source, "id DESC"), request, parameters)
