"""HTTP face of contracts: the bank's management system (SM)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import msgspec
from dishka import FromDishka
from litestar import Controller, Request, Response, get, patch, post, put
from litestar.params import JSONBody, QueryParameter

from opora.api import values
from opora.api.details import details
from opora.api.locations import made
from opora.api.pages import Envelope, PageLimit, PageNumber, envelope, page_request
from opora.api.policy import needs
from opora.api.v1.documents import address
from opora.core.documents.model.contracts import (
    Contract,
    ContractFilter,
    ContractStatus,
    LinkedDocument,
    LinkStatus,
)
from opora.core.documents.ports.contracts import ContractViews
from opora.core.documents.rules.contracts import reach, wanted_status
from opora.core.documents.usecases.contracts import (
    ChangeContract,
    CreateContract,
    LinkDocument,
    MoveLink,
    ReadContract,
)
from opora.core.kernel.model import Actor

READ, WRITE = "contracts:read", "contracts:write"

CREATE = details(
    asked={"user_id": 123, "description": "Контракт на обслуживание"},
    examples={"201": {"contract_id": 102, "user_id": 123, "status": "draft"}},
    refusals=(404,),
)
LINK = details(
    asked={"document_id": 789},
    examples={"201": {"contract_id": 101, "document_id": 789, "status": "active"}},
    refusals=(409,),
)
MOVE = details(
    asked={"document_id": 789, "operation_status_id": 4},
    examples={"200": {"contract_id": 101, "document_id": 789, "new_status": "revoked"}},
    refusals=(409,),
)
PAPERS = details(
    examples={
        "200": {
            "contract_id": 101,
            "documents": [
                {
                    "document_id": 789,
                    "description": "Договор аренды",
                    "link": "/api/v1/dbo/documents/789/file?expires=1700000000&signature=9f86d0",
                    "status": "active",
                    "document_status": "processed",
                }
            ],
            "count": 1,
            "next": None,
            "previous": None,
        }
    }
)

Description = Annotated[str, msgspec.Meta(min_length=1, max_length=1000, pattern=values.TEXT_PATTERN)]
StatusFilter = Annotated[ContractStatus | None, QueryParameter(name="status", description="Where it stands.")]


class NewContract(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A contract to be registered."""

    user_id: values.RecordId
    description: Description


class ContractChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What of a contract is to change."""

    description: Description | None = None
    status: ContractStatus | None = None


class CreatedContract(msgspec.Struct, frozen=True):
    """A contract that was registered."""

    contract_id: int
    user_id: int
    status: ContractStatus


class ShownContract(msgspec.Struct, frozen=True, kw_only=True):
    """A contract."""

    contract_id: int
    user_id: int
    description: str
    status: ContractStatus
    created_at: datetime
    updated_at: datetime


class NewLink(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The document to be linked."""

    document_id: values.RecordId


class NewLinkStatus(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a link is to go: by the id of an operation status, or by its name."""

    document_id: values.RecordId
    operation_status_id: values.RecordId | None = None
    status: LinkStatus | None = None


class Linked(msgspec.Struct, frozen=True):
    """A document that was linked."""

    contract_id: int
    document_id: int
    status: LinkStatus


class LinkMoved(msgspec.Struct, frozen=True):
    """Where a link stands now."""

    contract_id: int
    document_id: int
    new_status: LinkStatus


class Paper(msgspec.Struct, frozen=True):
    """A document on a contract's card; `link` leads to its file for a while, and is null where that is not kept."""

    document_id: int
    description: str
    link: str | None
    status: LinkStatus
    document_status: str


class Papers(msgspec.Struct, frozen=True):
    """The documents on a contract's card, or a page of them."""

    contract_id: int
    documents: Sequence[Paper]
    count: int
    next: str | None
    previous: str | None


class ContractController(Controller):
    """Contracts and the documents linked to them."""

    path = "/sm/contracts"
    tags = ["Documents: contracts (SM)"]  # noqa: RUF012  # Litestar reads a plain list

    @post(opt={**needs(WRITE, step_up=True), **CREATE})
    async def create(
        self, data: JSONBody[NewContract], actor: FromDishka[Actor], create: FromDishka[CreateContract]
    ) -> Response[CreatedContract]:
        """Register a client's contract."""
        one = await create(actor, data.user_id, data.description)
        return made(CreatedContract(one.id, one.user_id, one.status), f"/sm/contracts/{one.id}")

    @get(opt=needs(READ))
    async def contracts(
        self,
        request: Request[Any, Any, Any],
        actor: FromDishka[Actor],
        views: FromDishka[ContractViews],
        limit: PageLimit = 50,
        page: PageNumber = 1,
        user_id: values.QueryId = None,
        status: StatusFilter = None,
    ) -> Envelope[ShownContract]:
        """List contracts, the newest first: a client's own, or everyone's for the bank."""
        wanted = ContractFilter(user_id=user_id, status=status)
        found = await views.page(reach(actor), wanted, page_request(limit, page))
        return envelope(found.shown_as(shown), request.url)

    @get("/{contract_id:int}", opt=needs(READ))
    async def contract(
        self, contract_id: values.PathId, actor: FromDishka[Actor], read: FromDishka[ReadContract]
    ) -> ShownContract:
        """Read one contract."""
        return shown(await read(actor, contract_id))

    @patch("/{contract_id:int}", opt={**needs(WRITE, step_up=True), **details(refusals=(409,))})
    async def change(
        self,
        contract_id: values.PathId,
        data: JSONBody[ContractChange],
        actor: FromDishka[Actor],
        change: FromDishka[ChangeContract],
    ) -> ShownContract:
        """Describe a contract anew, or move it on: draft, active, closed."""
        return shown(await change(actor, contract_id, data.description, data.status))

    @post("/{contract_id:int}/link", opt={**needs(WRITE, step_up=True), **LINK})
    async def link(
        self,
        contract_id: values.PathId,
        data: JSONBody[NewLink],
        actor: FromDishka[Actor],
        link_document: FromDishka[LinkDocument],
    ) -> Response[Linked]:
        """Link a document of the contract's client to it."""
        link = await link_document(actor, contract_id, data.document_id)
        content = Linked(link.contract_id, link.document_id, link.status)
        return made(content, f"/sm/contracts/{contract_id}/documents")

    @put("/{contract_id:int}/link", opt={**needs(WRITE, step_up=True), **MOVE})
    async def move_link(
        self,
        contract_id: values.PathId,
        data: JSONBody[NewLinkStatus],
        actor: FromDishka[Actor],
        move: FromDishka[MoveLink],
    ) -> LinkMoved:
        """Revoke, archive or renew the link of a document."""
        status = wanted_status(data.operation_status_id, data.status)
        link = await move(actor, contract_id, data.document_id, status)
        return LinkMoved(link.contract_id, link.document_id, link.status)

    @get("/{contract_id:int}/documents", opt={**needs(READ), **PAPERS})
    async def documents(
        self,
        request: Request[Any, Any, Any],
        contract_id: values.PathId,
        actor: FromDishka[Actor],
        read: FromDishka[ReadContract],
        limit: PageLimit = 200,
        page: PageNumber = 1,
    ) -> Papers:
        """List the documents linked to a contract, with links to their files."""
        found = await read.documents(actor, contract_id, page_request(limit, page))
        papers = envelope(found.shown_as(paper), request.url)
        return Papers(contract_id, papers.results, papers.count, papers.next, papers.previous)


def shown(contract: Contract) -> ShownContract:
    """Return a contract as it stands on the wire."""
    return ShownContract(
        contract_id=contract.id,
        user_id=contract.user_id,
        description=contract.description,
        status=contract.status,
        created_at=contract.created_at,
        updated_at=contract.updated_at,
    )


def paper(one: LinkedDocument) -> Paper:
    """Return a linked document as a contract's card shows it."""
    link = None if one.download is None else address(one.download)
    return Paper(one.document.id, one.document.description, link, one.status, str(one.document.status))
