"""Projects, providers and areas as callers read them: single statements."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from opora.adapters.sql.connection import Connection
from opora.adapters.sql.filters import Filter
from opora.adapters.sql.mapping import load, to_json
from opora.adapters.sql.numbers.directories import GEO, PROVIDER
from opora.adapters.sql.numbers.projects import PROJECT, WINDOWS
from opora.adapters.sql.numbers.reach import visible, within
from opora.adapters.sql.pages import page_of
from opora.core.kernel.model import Page, PageRequest
from opora.core.kernel.rules import words
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
        condition, parameters = within("id", reach)
        alive = "deleted_at IS NOT NULL" if wanted.deleted else "deleted_at IS NULL"
        found = Filter(ANY, condition, alive, **parameters)
        found.narrow("status = :status", status=wanted.status)
        found.containing("search", words(wanted.text))
        text = (", ".join(PROJECT), f"projects WHERE {found.where}", "id DESC")
        return await listed(self._connection, Project, text, request, found.parameters)

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
        found = Filter()
        found.narrow("status = :status", status=status)
        found.containing("search", words(text))
        selected = (", ".join(PROVIDER), f"providers WHERE {found.where}", "id DESC")
        return await listed(self._connection, Provider, selected, request, found.parameters)


class SqlGeoViews(GeoViews):
    """Every area."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def one(self, id: int) -> Geo | None:
        row = await self._connection.fetch_one(f"SELECT {', '.join(GEO)} FROM geo WHERE id = :id", id=id)
        return load(Geo, row) if row else None

    async def page(self, country_code: str | None, text: str | None, request: PageRequest) -> Page[Geo]:
        found = Filter()
        found.narrow("country_code = :country_code", country_code=country_code)
        found.containing("search", words(text))
        selected = (", ".join(GEO), f"geo WHERE {found.where}", "id DESC")
        return await listed(self._connection, Geo, selected, request, found.parameters)
