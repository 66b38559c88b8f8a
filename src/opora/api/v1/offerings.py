"""HTTP face of services."""

from typing import Annotated, Any

from dishka import FromDishka
from litestar import Controller, Request, Response, delete, get, patch, post
from litestar.params import JSONBody
from msgspec import UNSET, Meta, Struct, UnsetType, structs

from opora.api.details import details
from opora.api.locations import made
from opora.api.pages import Envelope, PageLimit, PageNumber, envelope, page_request
from opora.api.policy import needs
from opora.api.values import Count, Currency, Label, PathId, Positive, QueryId, QueryText, RecordId, Word
from opora.core.bookings.errors import NoSuchOffering
from opora.core.bookings.model.hours import EPOCH
from opora.core.bookings.model.offerings import (
    BANDS_MAX,
    PRICE_MINOR_MAX,
    STAFF_MAX,
    Band,
    CancellationPolicy,
    Offering,
    OfferingFilter,
)
from opora.core.bookings.ports.offerings import OfferingViews
from opora.core.bookings.usecases.offerings import AddOffering, ChangeOffering, RetireOffering
from opora.core.kernel.model import Actor

PriceMinor = Annotated[int, Meta(ge=0, le=PRICE_MINOR_MAX)]


class BandBody(Struct, frozen=True, forbid_unknown_fields=True):
    """From that many hours before the start on, a cancellation costs that part of the price."""

    notice_hours: Count
    fee_percent: Count


Bands = Annotated[list[BandBody], Meta(max_length=BANDS_MAX)]
StaffIds = Annotated[list[RecordId], Meta(max_length=STAFF_MAX)]
Roles = Annotated[list[Word], Meta(max_length=5)]


class ServiceBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What a service is. Without `step_min` its starts are as far apart as it is long."""

    name: Label
    duration_min: Positive
    capacity: Positive = 1
    price_minor: PriceMinor = 0
    currency: Currency = "RUB"
    buffer_before_min: Count = 0
    buffer_after_min: Count = 0
    step_min: Positive | None = None
    auto_confirm: bool = True
    min_notice_min: Count = 0
    horizon_days: Positive = 90
    cancellation: Bands | None = None
    cancellation_grace_min: Count = 0
    cancellation_exempt_roles: Roles | None = None
    staff_ids: StaffIds = []


class ServiceChanges(Struct, frozen=True, forbid_unknown_fields=True):
    """What changes of a service; what is not sent stays."""

    name: Label | UnsetType = UNSET
    duration_min: Positive | UnsetType = UNSET
    capacity: Positive | UnsetType = UNSET
    price_minor: PriceMinor | UnsetType = UNSET
    currency: Currency | UnsetType = UNSET
    buffer_before_min: Count | UnsetType = UNSET
    buffer_after_min: Count | UnsetType = UNSET
    step_min: Positive | UnsetType = UNSET
    auto_confirm: bool | UnsetType = UNSET
    min_notice_min: Count | UnsetType = UNSET
    horizon_days: Positive | UnsetType = UNSET
    cancellation: Bands | UnsetType = UNSET
    cancellation_grace_min: Count | UnsetType = UNSET
    cancellation_exempt_roles: Roles | UnsetType = UNSET
    staff_ids: StaffIds | UnsetType = UNSET


class ServiceView(Struct, frozen=True):
    """A service."""

    id: int
    name: str
    duration_min: int
    capacity: int
    price_minor: int
    currency: str
    buffer_before_min: int
    buffer_after_min: int
    step_min: int
    auto_confirm: bool
    min_notice_min: int
    horizon_days: int
    cancellation: list[Band]
    cancellation_grace_min: int
    cancellation_exempt_roles: list[str]
    staff_ids: list[int]


class OfferingController(Controller):
    """Services: what can be booked, with whom, at which price and under which terms."""

    path = "/services"
    tags = ["Services"]  # noqa: RUF012  # Litestar reads a plain list

    @post(opt={**needs("services:write"), **details(refusals=(403,))})
    async def create(
        self, data: JSONBody[ServiceBody], actor: FromDishka[Actor], add: FromDishka[AddOffering]
    ) -> Response[ServiceView]:
        """Offer a service; staff offer what they give themselves, an admin anybody's."""
        offering = await add(actor, draft(data))
        return made(shown(offering), f"/services/{offering.id}")

    @get(opt=needs("services:read"))
    async def page(
        self,
        request: Request[Any, Any, Any],
        views: FromDishka[OfferingViews],
        limit: PageLimit = 50,
        page: PageNumber = 1,
        staff_id: QueryId = None,
        q: QueryText = None,
    ) -> Envelope[ServiceView]:
        """List the services that are offered, by name; `q` is looked for in the name."""
        found = await views.page(OfferingFilter(staff_id, q), page_request(limit, page))
        return envelope(found.shown_as(shown), request.url)

    @get("/{service_id:int}", opt=needs("services:read"))
    async def one(self, service_id: PathId, views: FromDishka[OfferingViews]) -> ServiceView:
        """Read a service."""
        offering = await views.one(service_id)
        if offering is None:
            raise NoSuchOffering(service_id=service_id)
        return shown(offering)

    @patch("/{service_id:int}", opt=needs("services:write"))
    async def change(
        self,
        service_id: PathId,
        data: JSONBody[ServiceChanges],
        actor: FromDishka[Actor],
        change: FromDishka[ChangeOffering],
    ) -> ServiceView:
        """Change a service; what is booked keeps its time, its price and its terms."""
        return shown(await change(actor, service_id, changes(data)))

    @delete("/{service_id:int}", status_code=204, opt=needs("services:write"))
    async def retire(self, service_id: PathId, actor: FromDishka[Actor], retire: FromDishka[RetireOffering]) -> None:
        """Offer a service no more; what is booked stays."""
        await retire(actor, service_id)


def draft(data: ServiceBody) -> Offering:
    """Return the service that is asked for, still without an id."""
    usual = CancellationPolicy()
    return Offering(
        id=0,
        name=data.name,
        duration_min=data.duration_min,
        capacity=data.capacity,
        price_minor=data.price_minor,
        currency=data.currency,
        buffer_before_min=data.buffer_before_min,
        buffer_after_min=data.buffer_after_min,
        step_min=data.step_min or data.duration_min,
        auto_confirm=data.auto_confirm,
        min_notice_min=data.min_notice_min,
        horizon_days=data.horizon_days,
        policy=CancellationPolicy(
            bands=usual.bands if data.cancellation is None else bands(data.cancellation),
            grace_min=data.cancellation_grace_min,
            exempt_roles=usual.exempt_roles
            if data.cancellation_exempt_roles is None
            else tuple(data.cancellation_exempt_roles),
        ),
        staff_ids=tuple(data.staff_ids),
        created_at=EPOCH,
    )


def bands(told: list[BandBody]) -> tuple[Band, ...]:
    """Return the bands of a policy."""
    return tuple(Band(one.notice_hours, one.fee_percent) for one in told)


def changes(data: ServiceChanges) -> dict[str, object]:
    """Return the fields that were sent, under the names of the model; those of the policy under `policy.…`."""
    sent = {name: value for name, value in structs.asdict(data).items() if value is not UNSET}
    renamed: dict[str, object] = {}
    for name, value in sent.items():
        if name == "cancellation" and isinstance(value, list):
            renamed["policy.bands"] = bands(value)
        elif name == "cancellation_grace_min":
            renamed["policy.grace_min"] = value
        elif name == "cancellation_exempt_roles":
            renamed["policy.exempt_roles"] = tuple(value)
        else:
            renamed[name] = tuple(value) if isinstance(value, list) else value
    return renamed


def shown(offering: Offering) -> ServiceView:
    """Return a service as it stands on the wire."""
    return ServiceView(
        id=offering.id,
        name=offering.name,
        duration_min=offering.duration_min,
        capacity=offering.capacity,
        price_minor=offering.price_minor,
        currency=offering.currency,
        buffer_before_min=offering.buffer_before_min,
        buffer_after_min=offering.buffer_after_min,
        step_min=offering.step_min,
        auto_confirm=offering.auto_confirm,
        min_notice_min=offering.min_notice_min,
        horizon_days=offering.horizon_days,
        cancellation=list(offering.policy.bands),
        cancellation_grace_min=offering.policy.grace_min,
        cancellation_exempt_roles=list(offering.policy.exempt_roles),
        staff_ids=list(offering.staff_ids),
    )
