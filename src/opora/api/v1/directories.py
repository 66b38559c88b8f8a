"""HTTP face of providers of numbers and of areas."""

from typing import Annotated, Any

from dishka import FromDishka
from litestar import Controller, Request, Response, delete, get, patch, post, put
from litestar.params import JSONBody, QueryParameter
from msgspec import UNSET, Meta, Struct, UnsetType

from opora.api.details import details
from opora.api.locations import made
from opora.api.pages import Envelope, PageLimit, PageNumber, envelope, page_request
from opora.api.policy import needs
from opora.api.v1.projects import Name, Zone, fields
from opora.api.values import LABEL_PATTERN, PathId, QueryText
from opora.core.kernel.model import Actor
from opora.core.numbers.errors.projects import NoSuchGeo, NoSuchProvider
from opora.core.numbers.model.projects import Geo, Provider, ProviderStatus
from opora.core.numbers.ports.projects import GeoViews, ProviderViews
from opora.core.numbers.usecases.directories import (
    CreateGeo,
    CreateProvider,
    DeleteGeo,
    DeleteProvider,
    UpdateGeo,
    UpdateProvider,
)

Kind = Annotated[str, Meta(min_length=1, max_length=100, pattern=LABEL_PATTERN)]
Contact = Annotated[str, Meta(max_length=1000, pattern=LABEL_PATTERN)]
Contacts = Annotated[dict[Annotated[str, Meta(max_length=100, pattern=LABEL_PATTERN)], Contact], Meta(max_length=50)]
Country = Annotated[str, Meta(min_length=1, max_length=10, pattern=LABEL_PATTERN)]
IN_USE = details(refusals=(404, 409))


class NewProvider(Struct, frozen=True, forbid_unknown_fields=True):
    """Where numbers come from, and how to reach them."""

    name: Name
    type: Kind | None = None
    contact_info: Contacts = {}
    status: ProviderStatus = ProviderStatus.ACTIVE


class ProviderChanges(Struct, frozen=True, forbid_unknown_fields=True):
    """What changes of a provider; what is not sent stays."""

    name: Name | UnsetType = UNSET
    type: Kind | UnsetType | None = UNSET
    contact_info: Contacts | UnsetType = UNSET
    status: ProviderStatus | UnsetType = UNSET


class NewGeo(Struct, frozen=True, forbid_unknown_fields=True):
    """An area; its `timezone` is taken for every number that names it."""

    country_code: Country
    region: Name | None = None
    city: Name | None = None
    timezone: Zone | None = None


class GeoChanges(Struct, frozen=True, forbid_unknown_fields=True):
    """What changes of an area; what is not sent stays."""

    country_code: Country | UnsetType = UNSET
    region: Name | UnsetType | None = UNSET
    city: Name | UnsetType | None = UNSET
    timezone: Zone | UnsetType | None = UNSET


Status = Annotated[ProviderStatus | None, QueryParameter(name="status", description="Providers in this status.")]


class ProviderController(Controller):
    """Providers of numbers."""

    path = "/providers"
    tags = ["Projects"]  # noqa: RUF012  # Litestar reads a plain list

    @get(opt=needs("projects:read"))
    async def providers(
        self,
        request: Request[Any, Any, Any],
        views: FromDishka[ProviderViews],
        limit: PageLimit = 50,
        page: PageNumber = 1,
        status: Status = None,
        q: QueryText = None,
    ) -> Envelope[Provider]:
        """List providers, the newest first; `q` is looked for in the name."""
        return envelope(await views.page(q, status and str(status), page_request(limit, page)), request.url)

    @post(opt=needs("projects:write"))
    async def create(
        self, data: JSONBody[NewProvider], actor: FromDishka[Actor], create: FromDishka[CreateProvider]
    ) -> Response[Provider]:
        """Make a provider."""
        provider = await create(actor, fields(data))
        return made(provider, f"/providers/{provider.id}")

    @get("/{provider_id:int}", opt=needs("projects:read"))
    async def provider(self, provider_id: PathId, views: FromDishka[ProviderViews]) -> Provider:
        """Read one provider."""
        found = await views.one(provider_id)
        if found is None:
            raise NoSuchProvider(provider_id=provider_id)
        return found

    @put("/{provider_id:int}", opt=needs("projects:write"))
    async def replace(
        self,
        provider_id: PathId,
        data: JSONBody[NewProvider],
        actor: FromDishka[Actor],
        update: FromDishka[UpdateProvider],
    ) -> Provider:
        """Replace a provider; what is not sent takes its default."""
        return await update(actor, provider_id, fields(data))

    @patch("/{provider_id:int}", opt=needs("projects:write"))
    async def change(
        self,
        provider_id: PathId,
        data: JSONBody[ProviderChanges],
        actor: FromDishka[Actor],
        update: FromDishka[UpdateProvider],
    ) -> Provider:
        """Change a provider."""
        return await update(actor, provider_id, fields(data))

    @delete("/{provider_id:int}", opt={**needs("projects:write"), **IN_USE})
    async def remove(self, provider_id: PathId, actor: FromDishka[Actor], remove: FromDishka[DeleteProvider]) -> None:
        """Remove a provider that no project and no number refers to."""
        await remove(actor, provider_id)


class GeoController(Controller):
    """Areas that are called."""

    path = "/geo"
    tags = ["Projects"]  # noqa: RUF012  # Litestar reads a plain list

    @get(opt=needs("projects:read"))
    async def areas(
        self,
        request: Request[Any, Any, Any],
        views: FromDishka[GeoViews],
        limit: PageLimit = 50,
        page: PageNumber = 1,
        country_code: QueryText = None,
        q: QueryText = None,
    ) -> Envelope[Geo]:
        """List areas, the newest first; `q` is looked for in region and city."""
        return envelope(await views.page(country_code, q, page_request(limit, page)), request.url)

    @post(opt=needs("projects:write"))
    async def create(
        self, data: JSONBody[NewGeo], actor: FromDishka[Actor], create: FromDishka[CreateGeo]
    ) -> Response[Geo]:
        """Make an area."""
        geo = await create(actor, fields(data))
        return made(geo, f"/geo/{geo.id}")

    @get("/{geo_id:int}", opt=needs("projects:read"))
    async def area(self, geo_id: PathId, views: FromDishka[GeoViews]) -> Geo:
        """Read one area."""
        found = await views.one(geo_id)
        if found is None:
            raise NoSuchGeo(geo_id=geo_id)
        return found

    @put("/{geo_id:int}", opt=needs("projects:write"))
    async def replace(
        self, geo_id: PathId, data: JSONBody[NewGeo], actor: FromDishka[Actor], update: FromDishka[UpdateGeo]
    ) -> Geo:
        """Replace an area; what is not sent is emptied."""
        return await update(actor, geo_id, fields(data))

    @patch("/{geo_id:int}", opt=needs("projects:write"))
    async def change(
        self, geo_id: PathId, data: JSONBody[GeoChanges], actor: FromDishka[Actor], update: FromDishka[UpdateGeo]
    ) -> Geo:
        """Change an area; a new zone reaches its numbers by a job."""
        return await update(actor, geo_id, fields(data))

    @delete("/{geo_id:int}", opt={**needs("projects:write"), **IN_USE})
    async def remove(self, geo_id: PathId, actor: FromDishka[Actor], remove: FromDishka[DeleteGeo]) -> None:
        """Remove an area that no project and no number refers to."""
        await remove(actor, geo_id)
