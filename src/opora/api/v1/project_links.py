"""HTTP face of what is linked to a project: providers, areas, managers."""

from typing import Any

from dishka import FromDishka
from litestar import Controller, Request, Response, delete, get, post
from litestar.params import JSONBody
from msgspec import Struct

from opora.api.details import details
from opora.api.locations import made
from opora.api.pages import Envelope, PageLimit, PageNumber, envelope, page_request
from opora.api.policy import needs
from opora.api.v1.projects import seen
from opora.api.values import PathId, RecordId
from opora.core.kernel.model import Actor
from opora.core.numbers.model.projects import Geo, Grant, Provider
from opora.core.numbers.ports.projects import ProjectViews
from opora.core.numbers.usecases.projects import (
    GrantProject,
    LinkGeo,
    LinkProvider,
    UnlinkGeo,
    UnlinkProvider,
    WithdrawProject,
)


class ProviderLink(Struct, frozen=True, forbid_unknown_fields=True):
    """Which provider is meant."""

    provider_id: RecordId


class GeoLink(Struct, frozen=True, forbid_unknown_fields=True):
    """Which area is meant."""

    geo_id: RecordId


class ManagerGrant(Struct, frozen=True, forbid_unknown_fields=True):
    """Which user is meant."""

    user_id: RecordId


class LinkedProvider(Struct, frozen=True):
    """A provider linked to a project."""

    project_id: int
    provider_id: int


class LinkedGeo(Struct, frozen=True):
    """An area linked to a project."""

    project_id: int
    geo_id: int


class ProjectLinkController(Controller):
    """What belongs to a project, and who sees it."""

    path = "/projects/{project_id:int}"
    tags = ["Projects"]  # noqa: RUF012  # Litestar reads a plain list

    @get("/providers", opt=needs("projects:read"))
    async def providers(
        self,
        request: Request[Any, Any, Any],
        project_id: PathId,
        actor: FromDishka[Actor],
        views: FromDishka[ProjectViews],
        limit: PageLimit = 50,
        page: PageNumber = 1,
    ) -> Envelope[Provider]:
        """List the providers linked to a project."""
        project = await seen(views, project_id, actor)
        return envelope(await views.providers(project.id, page_request(limit, page)), request.url)

    @post("/providers", opt={**needs("projects:write"), **details(may_be_there=True)})
    async def link_provider(
        self,
        project_id: PathId,
        data: JSONBody[ProviderLink],
        actor: FromDishka[Actor],
        link: FromDishka[LinkProvider],
    ) -> Response[LinkedProvider]:
        """Link a provider; a second time changes nothing."""
        is_new = await link(actor, project_id, data.provider_id)
        linked = LinkedProvider(project_id, data.provider_id)
        return made(linked, f"/projects/{project_id}/providers", status_code=201 if is_new else 200)

    @delete("/providers/{provider_id:int}", opt=needs("projects:write"))
    async def unlink_provider(
        self, project_id: PathId, provider_id: PathId, actor: FromDishka[Actor], unlink: FromDishka[UnlinkProvider]
    ) -> None:
        """Undo the link of a provider; its numbers stay."""
        await unlink(actor, project_id, provider_id)

    @get("/geo", opt=needs("projects:read"))
    async def geo(
        self,
        request: Request[Any, Any, Any],
        project_id: PathId,
        actor: FromDishka[Actor],
        views: FromDishka[ProjectViews],
        limit: PageLimit = 50,
        page: PageNumber = 1,
    ) -> Envelope[Geo]:
        """List the areas linked to a project."""
        project = await seen(views, project_id, actor)
        return envelope(await views.geo(project.id, page_request(limit, page)), request.url)

    @post("/geo", opt={**needs("projects:write"), **details(may_be_there=True)})
    async def link_geo(
        self, project_id: PathId, data: JSONBody[GeoLink], actor: FromDishka[Actor], link: FromDishka[LinkGeo]
    ) -> Response[LinkedGeo]:
        """Link an area; a second time changes nothing."""
        is_new = await link(actor, project_id, data.geo_id)
        linked = LinkedGeo(project_id, data.geo_id)
        return made(linked, f"/projects/{project_id}/geo", status_code=201 if is_new else 200)

    @delete("/geo/{geo_id:int}", opt=needs("projects:write"))
    async def unlink_geo(
        self, project_id: PathId, geo_id: PathId, actor: FromDishka[Actor], unlink: FromDishka[UnlinkGeo]
    ) -> None:
        """Undo the link of an area; its numbers stay."""
        await unlink(actor, project_id, geo_id)

    @get("/managers", opt=needs("projects:read"))
    async def managers(
        self,
        request: Request[Any, Any, Any],
        project_id: PathId,
        actor: FromDishka[Actor],
        views: FromDishka[ProjectViews],
        limit: PageLimit = 50,
        page: PageNumber = 1,
    ) -> Envelope[Grant]:
        """List who was granted a project."""
        project = await seen(views, project_id, actor)
        return envelope(await views.managers(project.id, page_request(limit, page)), request.url)

    @post("/managers", opt={**needs("projects:grant", step_up=True), **details(may_be_there=True)})
    async def grant(
        self,
        project_id: PathId,
        data: JSONBody[ManagerGrant],
        actor: FromDishka[Actor],
        grant: FromDishka[GrantProject],
    ) -> Response[Grant]:
        """Grant a project to a manager; a second time changes nothing."""
        granted, is_new = await grant(actor, project_id, data.user_id)
        return made(granted, f"/projects/{project_id}/managers", status_code=201 if is_new else 200)

    @delete("/managers/{user_id:int}", opt=needs("projects:grant"))
    async def withdraw(
        self, project_id: PathId, user_id: PathId, actor: FromDishka[Actor], withdraw: FromDishka[WithdrawProject]
    ) -> None:
        """Take a grant back: from the next call on the manager does not see the project."""
        await withdraw(actor, project_id, user_id)
