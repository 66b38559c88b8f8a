"""HTTP face of the list of numbers never to be called."""

from datetime import datetime
from typing import Annotated, Any

from dishka import FromDishka
from litestar import Controller, Request, Response, delete, get, post
from litestar.params import JSONBody, QueryParameter
from msgspec import Meta, Struct

from opora.api.details import details
from opora.api.locations import made
from opora.api.pages import Envelope, PageLimit, PageNumber, envelope, page_request
from opora.api.policy import needs
from opora.api.v1.bulk_numbers import Spelling
from opora.api.values import LABEL_PATTERN, PathId, QueryId, RecordId
from opora.core.kernel.model import Actor
from opora.core.numbers.errors.numbers import NoSuchSuppression
from opora.core.numbers.model.numbers import Suppression
from opora.core.numbers.ports.numbers import SuppressionViews
from opora.core.numbers.rules.phones import PhonePolicy, normalised_field, written
from opora.core.numbers.rules.reach import reach
from opora.core.numbers.usecases.suppressions import RemoveSuppression, SuppressNumber

Reason = Annotated[str, Meta(max_length=200, pattern=LABEL_PATTERN)]
Phone = Annotated[str | None, QueryParameter(name="phone_number", max_length=64, description="In any spelling.")]


class NewSuppression(Struct, frozen=True, forbid_unknown_fields=True):
    """A number in any spelling; without a project it is never called in any, for those who see every project."""

    phone_number: Spelling
    project_id: RecordId | None = None
    reason: Reason = ""


class ShownSuppression(Struct, frozen=True):
    """A number that is never called, in one project or, where that is null, in any."""

    id: int
    phone_number: str
    project_id: int | None
    reason: str
    created_by: str
    created_at: datetime


class SuppressionController(Controller):
    """Numbers never to be called: left out when numbers are added, imported and claimed."""

    path = "/suppression-list"
    tags = ["Phone numbers"]  # noqa: RUF012  # Litestar reads a plain list

    @get(opt=needs("suppression:read"))
    async def entries(
        self,
        request: Request[Any, Any, Any],
        actor: FromDishka[Actor],
        views: FromDishka[SuppressionViews],
        policy: FromDishka[PhonePolicy],
        limit: PageLimit = 50,
        page: PageNumber = 1,
        project_id: QueryId = None,
        phone_number: Phone = None,
    ) -> Envelope[ShownSuppression]:
        """List entries within reach, those of every project among them, the newest first."""
        phone = None if phone_number is None else normalised_field("phone_number", phone_number, policy.region)
        found = await views.page(reach(actor), project_id, phone, page_request(limit, page))
        return envelope(found.shown_as(shown), request.url)

    @post(opt={**needs("suppression:write"), **details(refusals=(404, 409))})
    async def add(
        self, data: JSONBody[NewSuppression], actor: FromDishka[Actor], suppress: FromDishka[SuppressNumber]
    ) -> Response[ShownSuppression]:
        """Put a number on the list; where it is in a campaign it becomes suppressed."""
        made_entry = await suppress(actor, data.phone_number, data.project_id, data.reason)
        return made(shown(made_entry), f"/suppression-list/{made_entry.id}")

    @delete(opt={**needs("suppression:write"), **details(refusals=(404,))})
    async def remove_phone(
        self,
        actor: FromDishka[Actor],
        remove: FromDishka[RemoveSuppression],
        phone_number: Annotated[str, QueryParameter(max_length=64, description="In any spelling.")],
        project_id: QueryId = None,
    ) -> None:
        """Take a number off the list of one project or, without one, of every project."""
        await remove.of_phone(actor, phone_number, project_id)

    @get("/{suppression_id:int}", opt=needs("suppression:read"))
    async def one(
        self, suppression_id: PathId, actor: FromDishka[Actor], views: FromDishka[SuppressionViews]
    ) -> ShownSuppression:
        """Read one entry."""
        found = await views.one(suppression_id, reach(actor))
        if found is None:
            raise NoSuchSuppression(suppression_id=suppression_id)
        return shown(found)

    @delete("/{suppression_id:int}", opt=needs("suppression:write"))
    async def remove(
        self, suppression_id: PathId, actor: FromDishka[Actor], remove: FromDishka[RemoveSuppression]
    ) -> None:
        """Take an entry off the list."""
        await remove(actor, suppression_id)


def shown(entry: Suppression) -> ShownSuppression:
    """Return an entry as it stands on the wire."""
    return ShownSuppression(
        entry.id, written(entry.phone), entry.project_id, entry.reason, entry.created_by, entry.created_at
    )
