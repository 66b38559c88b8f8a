"""HTTP face of the people behind documents, and of the lists that both refer to."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any

import msgspec
from dishka import FromDishka
from litestar import Controller, Request, Response, get, patch, post
from litestar.params import JSONBody
from msgspec import UNSET, UnsetType

from opora.api import values
from opora.api.details import details
from opora.api.locations import made
from opora.api.pages import Envelope, PageLimit, PageNumber, envelope, page_request
from opora.api.policy import SIGNED_IN, needs
from opora.core.documents.errors import NoSuchClient
from opora.core.documents.model.clients import ClientProfile, Sex
from opora.core.documents.model.reference import Category, ReferenceItem, ReferenceList
from opora.core.documents.model.statuses import MOVES, DocumentStatus
from opora.core.documents.ports.reference import ClientViews, ReferenceViews
from opora.core.documents.rules.uploads import reach
from opora.core.documents.usecases.reference import AddCategory, KeepClientProfile
from opora.core.kernel.model import Actor, Page

Name = Annotated[str, msgspec.Meta(max_length=values.LABEL_MAX, pattern=values.LABEL_PATTERN)]
Address = Annotated[str, msgspec.Meta(max_length=1000, pattern=values.TEXT_PATTERN)]
Inn = Annotated[str, msgspec.Meta(min_length=10, max_length=12, pattern=r"^[0-9]+$(?!\n)")]


class ProfileChanges(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is said of a client; what is not named stays. The two ids are the bank's to say."""

    last_name: Name | UnsetType = UNSET
    first_name: Name | UnsetType = UNSET
    middle_name: Name | UnsetType = UNSET
    birthday: date | UnsetType | None = UNSET
    sex: Sex | UnsetType | None = UNSET
    address: Address | UnsetType = UNSET
    inn: Inn | UnsetType | None = UNSET
    financial_position_id: values.RecordId | UnsetType | None = UNSET
    user_type_id: values.RecordId | UnsetType | None = UNSET


class NewCategory(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A kind of paper: how many working days it takes, and how many days it is kept after that."""

    name: values.Label
    code: values.Word | None = None
    processing_days: values.Count = 5
    retention_days: values.Count = 1825


class ShownStatus(msgspec.Struct, frozen=True):
    """A status of documents, and those that may follow it."""

    code: DocumentStatus
    next: Sequence[DocumentStatus]


class ShownItem(msgspec.Struct, frozen=True):
    """An entry of a list: what programs say, and what people read."""

    id: int
    code: str
    name: str


class ShownCategory(msgspec.Struct, frozen=True):
    """A kind of paper."""

    id: int
    code: str
    name: str
    processing_days: int
    retention_days: int


class ShownClient(msgspec.Struct, frozen=True, kw_only=True):
    """Who a person is to the bank."""

    user_id: int
    last_name: str
    first_name: str
    middle_name: str
    birthday: date | None
    sex: Sex | None
    address: str
    inn: str | None
    financial_position_id: int | None
    user_type_id: int | None
    updated_at: datetime | None
    version: int


class ClientController(Controller):
    """Who the bank's clients are: their own word, and the bank's."""

    tags = ["Documents: people"]  # noqa: RUF012  # Litestar reads a plain list

    @get(["/dbo/users/{user_id:int}/profile", "/abs/users/{user_id:int}/profile"], opt=needs("documents:read"))
    async def profile(
        self, user_id: values.PathId, actor: FromDishka[Actor], clients: FromDishka[ClientViews]
    ) -> ShownClient:
        """Read who a client is: oneself, or, for the bank's workers, anyone."""
        found = await clients.one(user_id, reach(actor))
        if found is None:
            raise NoSuchClient(user_id=user_id)
        return shown(found)

    @patch("/dbo/users/{user_id:int}/profile", opt={**needs("documents:write"), **details(refusals=(409,))})
    async def say_of_oneself(
        self,
        user_id: values.PathId,
        data: JSONBody[ProfileChanges],
        actor: FromDishka[Actor],
        keep: FromDishka[KeepClientProfile],
    ) -> ShownClient:
        """Say who one is."""
        return shown(await keep(actor, user_id, named(data)))

    @patch("/abs/users/{user_id:int}/profile", opt={**needs("documents:process"), **details(refusals=(409,))})
    async def say_of_a_client(
        self,
        user_id: values.PathId,
        data: JSONBody[ProfileChanges],
        actor: FromDishka[Actor],
        keep: FromDishka[KeepClientProfile],
    ) -> ShownClient:
        """Say who a client is, and how they stand with the bank."""
        return shown(await keep(actor, user_id, named(data)))


class DocumentListController(Controller):
    """The lists that documents and clients refer to."""

    path = "/documents"
    tags = ["Documents: lists"]  # noqa: RUF012  # Litestar reads a plain list

    @get("/categories", opt=SIGNED_IN)
    async def categories(
        self,
        request: Request[Any, Any, Any],
        lists: FromDishka[ReferenceViews],
        limit: PageLimit = 50,
        page: PageNumber = 1,
    ) -> Envelope[ShownCategory]:
        """List the categories of documents."""
        found = await lists.categories(page_request(limit, page))
        return envelope(found.shown_as(shown_category), request.url)

    @post("/categories", opt={**needs("categories:write"), **details(refusals=(409,))})
    async def add_category(
        self, data: JSONBody[NewCategory], actor: FromDishka[Actor], add: FromDishka[AddCategory]
    ) -> Response[ShownCategory]:
        """Add a category of documents."""
        category = await add(actor, data.name, data.code, data.processing_days, data.retention_days)
        return made(shown_category(category), "/documents/categories")

    @get("/statuses", opt=SIGNED_IN)
    async def statuses(self, request: Request[Any, Any, Any]) -> Envelope[ShownStatus]:
        """List the statuses of documents, each with those that may follow."""
        return envelope(whole_list([ShownStatus(one, MOVES.allowed(one)) for one in DocumentStatus]), request.url)

    @get("/operation-statuses", opt=SIGNED_IN)
    async def operation_statuses(
        self, request: Request[Any, Any, Any], lists: FromDishka[ReferenceViews]
    ) -> Envelope[ShownItem]:
        """List the statuses of operations by their ids."""
        return envelope(listed(await lists.items(ReferenceList.OPERATION_STATUSES)), request.url)

    @get("/financial-positions", opt=SIGNED_IN)
    async def financial_positions(
        self, request: Request[Any, Any, Any], lists: FromDishka[ReferenceViews]
    ) -> Envelope[ShownItem]:
        """List how a client may stand with the bank."""
        return envelope(listed(await lists.items(ReferenceList.FINANCIAL_POSITIONS)), request.url)

    @get("/user-types", opt=SIGNED_IN)
    async def user_types(
        self, request: Request[Any, Any, Any], lists: FromDishka[ReferenceViews]
    ) -> Envelope[ShownItem]:
        """List what a person may be to the bank."""
        return envelope(listed(await lists.items(ReferenceList.USER_TYPES)), request.url)


def named(data: ProfileChanges) -> dict[str, object]:
    """Return the fields that a change names."""
    return {name: value for name, value in msgspec.structs.asdict(data).items() if value is not UNSET}


def shown(profile: ClientProfile) -> ShownClient:
    """Return a client's profile as it stands on the wire."""
    return msgspec.convert(profile, ShownClient, from_attributes=True)


def shown_category(category: Category) -> ShownCategory:
    """Return a category as it stands on the wire."""
    return msgspec.convert(category, ShownCategory, from_attributes=True)


def listed(items: Sequence[ReferenceItem]) -> Page[ShownItem]:
    """Return the entries of a list as one page."""
    return whole_list([msgspec.convert(one, ShownItem, from_attributes=True) for one in items])


def whole_list[T](items: list[T]) -> Page[T]:
    """Return a list that is short for good as one page."""
    return Page(items, len(items), more=False)
