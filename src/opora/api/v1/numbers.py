"""HTTP face of phone numbers: listed, added, changed, claimed."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from dishka import FromDishka
from litestar import Controller, Request, Response, get, patch, post
from litestar.params import JSONBody, QueryParameter
from msgspec import UNSET, Meta, Struct, UnsetType, structs

from opora.api.details import details
from opora.api.locations import made
from opora.api.loose import refuse_unsound
from opora.api.pages import Cursors, CursorText, Envelope, PageLimit, envelope, page_request
from opora.api.policy import needs
from opora.api.v1.bulk_numbers import BulkRequest, NewPhoneNumber, NewPhoneNumbers, Spelling
from opora.api.v1.keys import sent
from opora.api.values import PathId, QueryId, RecordId, Timestamp
from opora.core.kernel.model import Actor, Page, PageRequest
from opora.core.numbers.errors.numbers import InvalidNumberChange
from opora.core.numbers.model.numbers import (
    BULK_MAX,
    CLAIM_MAX,
    NEVER,
    BulkOutcome,
    Cause,
    Fault,
    GivenNumber,
    NumberChanges,
    NumberFilter,
    NumberStatus,
    PhoneNumber,
    Refused,
)
from opora.core.numbers.ports.numbers import NumberViews
from opora.core.numbers.rules.phones import prefix, written
from opora.core.numbers.rules.reach import reach
from opora.core.numbers.usecases.adding import AddNumber, AddNumbers
from opora.core.numbers.usecases.claims import ClaimNumbers, NoneReason
from opora.core.numbers.usecases.numbers import ShowNumber, UpdateNumber, UpdateNumbers

BULK_BYTES_MAX = 16 * 1024 * 1024
"""The largest body of many numbers: 50,000 of them take 5 MB."""
PAGE_MAX = 200
"""The last page by number; past it, the cursor goes on."""
BULK: dict[str, object] = {"body_max_bytes": BULK_BYTES_MAX}
Page1 = Annotated[
    int, QueryParameter(name="page", ge=1, le=PAGE_MAX, description="The page, from 1; further on, follow `next`.")
]


class Changes(Struct, frozen=True, forbid_unknown_fields=True):
    """What changes of a number; what is not sent stays. A cause goes with `failed` and `no_answer`."""

    status: NumberStatus | UnsetType = UNSET
    cause: Cause | UnsetType = UNSET
    result_data: dict[str, Any] | UnsetType | None = UNSET
    provider_id: RecordId | UnsetType | None = UNSET
    geo_id: RecordId | UnsetType | None = UNSET


class FilterBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Which numbers are meant; what is not sent means any."""

    project_id: RecordId | None = None
    status: NumberStatus | None = None
    provider_id: RecordId | None = None
    geo_id: RecordId | None = None
    phone: Spelling | None = None
    created_after: Timestamp | None = None
    created_before: Timestamp | None = None


class BulkChanges(Struct, frozen=True, forbid_unknown_fields=True, rename={"set_": "set"}):
    """Which numbers change, by `ids` or by `filter`, and what is set of them."""

    set_: Changes
    ids: Annotated[list[RecordId], Meta(min_length=1, max_length=BULK_MAX)] | None = None
    filter: FilterBody | None = None


class ClaimWish(Struct, frozen=True, forbid_unknown_fields=True):
    """How many numbers of which project are wanted for calling."""

    project_id: RecordId
    limit: Annotated[int, Meta(ge=1, le=CLAIM_MAX)] = 1


class ShownNumber(Struct, frozen=True):
    """A number; `next_call_at` is null for one that is called no more, `lease_until` set while a caller has it."""

    id: int
    phone_number: str
    project_id: int | None
    provider_id: int | None
    geo_id: int | None
    status: NumberStatus
    cause: Cause | None
    attempts: int
    next_call_at: datetime | None
    last_call_at: datetime | None
    lease_until: datetime | None
    result_data: Any
    created_at: datetime
    updated_at: datetime


class PlacedNumber(ShownNumber, frozen=True):
    """A number with where it was given out, as far as that is known, and the zones it may lie in."""

    operator: str | None
    region: str | None
    timezones: Sequence[str]


class BulkAnswer(Struct, frozen=True):
    """What became of many numbers; each that was not taken is told of by its place in what was sent."""

    created: int
    duplicates: int
    invalid: int
    suppressed: int
    errors: Sequence[Fault]


class UpdateAnswer(Struct, frozen=True):
    """What became of a change of many numbers; each that was refused is told of."""

    updated: int
    refused: int
    errors: Sequence[Refused]


class ClaimAnswer(Struct, frozen=True):
    """The numbers handed out; where there are none, why."""

    results: Sequence[ShownNumber]
    none_reason: NoneReason | None


Status = Annotated[NumberStatus | None, QueryParameter(name="status", description="Numbers in this status.")]
Prefix = Annotated[
    str | None,
    QueryParameter(name="phone", max_length=64, description="The beginning of the E.164 form, such as +7916."),
]
Moment = Annotated[datetime | None, QueryParameter(description="An instant.")]


class NumberController(Controller):
    """Numbers in the projects of the caller."""

    path = "/phone-numbers"
    tags = ["Phone numbers"]  # noqa: RUF012  # Litestar reads a plain list

    @get(opt=needs("numbers:read"))
    async def numbers(
        self,
        request: Request[Any, Any, Any],
        actor: FromDishka[Actor],
        views: FromDishka[NumberViews],
        cursors: FromDishka[Cursors],
        limit: PageLimit = 50,
        page: Page1 = 1,
        cursor: CursorText = None,
        project_id: QueryId = None,
        status: Status = None,
        provider_id: QueryId = None,
        geo_id: QueryId = None,
        phone: Prefix = None,
        created_after: Moment = None,
        created_before: Moment = None,
    ) -> Envelope[ShownNumber]:
        """List numbers, the newest first, or by number where `phone` names the beginning; `next` goes by cursor."""
        wanted = NumberFilter(
            project_id=project_id,
            status=status,
            provider_id=provider_id,
            geo_id=geo_id,
            phone=None if phone is None else prefix(phone),
            created_after=created_after,
            created_before=created_before,
        )
        if page > 1 and not cursor:
            return envelope(shown_page(await views.page(reach(actor), wanted, page_request(limit, page))), request.url)
        place = cursors.request(limit, cursor, request.url) if cursor else PageRequest(limit, cursor="")
        return cursors.envelope(shown_page(await views.page(reach(actor), wanted, place)), request.url)

    @post(opt={**needs("numbers:write"), **details(refusals=(404, 409))})
    async def add(
        self, data: JSONBody[NewPhoneNumber], actor: FromDishka[Actor], add: FromDishka[AddNumber]
    ) -> Response[ShownNumber]:
        """Add a number to a project."""
        number = await add(actor, given(data))
        return made(shown(number), f"/phone-numbers/{number.id}")

    @post(
        "/bulk",
        status_code=200,
        request_class=BulkRequest,
        opt={**needs("numbers:write"), **BULK, **details(refusals=(413,))},
    )
    async def add_many(
        self,
        request: Request[Any, Any, Any],
        data: JSONBody[NewPhoneNumbers],
        actor: FromDishka[Actor],
        add: FromDishka[AddNumbers],
    ) -> BulkAnswer:
        """Add up to 50,000 numbers at once; a bad one holds up no other."""
        assert isinstance(request, BulkRequest)  # noqa: S101  # the handler says so
        added = await add(actor, [given(one) for one in data.items]) if data.items else NOTHING_ADDED
        outcome = added if request.places is None else with_unread(added, request.places, request.faults)
        return BulkAnswer(outcome.created, outcome.duplicates, outcome.invalid, outcome.suppressed, outcome.errors)

    @post("/bulk-update", status_code=200, opt={**needs("numbers:write"), **BULK, **details(refusals=(404, 413))})
    async def change_many(
        self, data: JSONBody[BulkChanges], actor: FromDishka[Actor], update: FromDishka[UpdateNumbers]
    ) -> UpdateAnswer:
        """Change up to 50,000 numbers in one transaction; one that may not move is told of and holds up no other."""
        outcome = await update(actor, meant(data), changes(data.set_, "set.result_data"))
        return UpdateAnswer(outcome.updated, outcome.refused, outcome.errors)

    @post("/claim", status_code=200, opt={**needs("numbers:claim"), **details(refusals=(404,))})
    async def claim(
        self, data: JSONBody[ClaimWish], actor: FromDishka[Actor], claim: FromDishka[ClaimNumbers]
    ) -> ClaimAnswer:
        """Take numbers that may be called now, each for this caller only, until its lease ends."""
        claimed = await claim(actor, data.project_id, data.limit)
        return ClaimAnswer([shown(one) for one in claimed.numbers], claimed.none_reason)

    @get("/{number_id:int}", opt=needs("numbers:read"))
    async def number(self, number_id: PathId, actor: FromDishka[Actor], show: FromDishka[ShowNumber]) -> PlacedNumber:
        """Read one number."""
        found = await show(actor, number_id)
        place = found.place
        return PlacedNumber(
            **structs.asdict(shown(found.number)),
            operator=place.operator if place else None,
            region=place.region if place else None,
            timezones=found.timezones,
        )

    @patch("/{number_id:int}", opt={**needs("numbers:write"), **details(refusals=(409,))})
    async def change(
        self, number_id: PathId, data: JSONBody[Changes], actor: FromDishka[Actor], update: FromDishka[UpdateNumber]
    ) -> ShownNumber:
        """Change a number; a status that may not follow is refused with those that may."""
        return shown(await update(actor, number_id, changes(data)))


NOTHING_ADDED = BulkOutcome(created=0, duplicates=0, invalid=0, suppressed=0, errors=())


def with_unread(added: BulkOutcome, places: Sequence[int], unread: Sequence[Fault]) -> BulkOutcome:
    """Return what became of all numbers: those that were read stand at these places, the others could not be."""
    moved = [replace(one, index=places[one.index]) for one in added.errors]
    errors = tuple(sorted([*moved, *unread], key=lambda fault: fault.index))
    return replace(added, invalid=added.invalid + len(unread), errors=errors)


def given(body: NewPhoneNumber) -> GivenNumber:
    """Return a number as the core takes it."""
    return GivenNumber(
        phone_number=body.phone_number,
        project_id=body.project_id,
        provider_id=body.provider_id,
        geo_id=body.geo_id,
    )


def changes(body: Changes, place: str = "result_data") -> NumberChanges:
    """Return a change as the core takes it; raises ValidationFailed for texts in it that nothing can bear."""
    refuse_unsound(place, body.result_data)
    return NumberChanges(
        status=sent(body.status),
        cause=sent(body.cause),
        result_data=sent(body.result_data),
        provider_id=sent(body.provider_id),
        geo_id=sent(body.geo_id),
    )


def meant(body: BulkChanges) -> Sequence[int] | NumberFilter:
    """Return which numbers are meant; raises InvalidNumberChange unless they are named in one way."""
    if body.filter is None and body.ids is not None:
        return body.ids
    if body.filter is None or body.ids is not None:
        raise InvalidNumberChange(errors={"ids": ["name the numbers either by `ids` or by `filter`"]})
    wanted = body.filter
    return NumberFilter(
        project_id=wanted.project_id,
        status=wanted.status,
        provider_id=wanted.provider_id,
        geo_id=wanted.geo_id,
        phone=None if wanted.phone is None else prefix(wanted.phone),
        created_after=wanted.created_after,
        created_before=wanted.created_before,
    )


def wire(number: PhoneNumber) -> tuple[Any, ...]:
    """Return the fields of ShownNumber, in their order."""
    return (
        number.id,
        written(number.phone),
        number.project_id or None,
        number.provider_id,
        number.geo_id,
        number.status,
        number.cause,
        number.attempts,
        None if number.next_call_at >= NEVER else number.next_call_at,
        number.last_call_at,
        number.lease_until,
        number.result_data,
        number.created_at,
        number.updated_at,
    )


def shown(number: PhoneNumber) -> ShownNumber:
    """Return a number as it stands on the wire."""
    return ShownNumber(*wire(number))


def shown_page(page: Page[PhoneNumber]) -> Page[ShownNumber]:
    """Return a page of numbers as they stand on the wire."""
    return page.shown_as(shown)
