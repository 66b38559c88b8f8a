"""HTTP face of what goes between documents and the bank's own system: packets, tickets, comparisons."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from dishka import FromDishka
from litestar import Controller, Request, Response, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from opora.api import values
from opora.api.details import details
from opora.api.locations import made
from opora.api.pages import Cursors, CursorText, Envelope, PageLimit, PageNumber, envelope, page_request
from opora.api.policy import needs
from opora.core.documents.errors import NoSuchPacket, NoSuchReconciliation
from opora.core.documents.model.packets import COMMENT_MAX, Packet, PacketFilter, PacketStatus
from opora.core.documents.model.reconciliation import (
    Reconciliation,
    ReconciliationStatus,
    Ticket,
    TicketFilter,
    TicketKind,
)
from opora.core.documents.model.statuses import DocumentStatus
from opora.core.documents.ports.packets import BankingViews
from opora.core.documents.usecases.packets import OverridePacket, RetryPacket
from opora.core.documents.usecases.reconciliation import CloseTicket, RequestReconciliation
from opora.core.kernel.model import Actor

READ, WRITE = "banking:read", "banking:write"

Comment = Annotated[str, msgspec.Meta(min_length=1, max_length=COMMENT_MAX, pattern=values.TEXT_PATTERN)]
Reference = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=r"^[!-~]+$(?!\n)")]
PacketStatusFilter = Annotated[PacketStatus | None, QueryParameter(name="status", description="Where it stands.")]
KindFilter = Annotated[TicketKind | None, QueryParameter(name="kind", description="What it is about.")]
OpenFilter = Annotated[bool | None, QueryParameter(name="open", description="Whether nobody has seen to it yet.")]


class ShownPacket(msgspec.Struct, frozen=True, kw_only=True):
    """What the bank is told of one change of a document, and how far that is."""

    id: int
    key: str
    document_id: int
    version: int
    document_status: DocumentStatus
    has_file: bool
    status: PacketStatus
    reference: str | None
    error: str | None
    comment: str | None
    attempts: int
    created_at: datetime
    sent_at: datetime | None
    settled_at: datetime | None


class Override(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a packet counts as taken, and under which reference the bank has it."""

    comment: Comment
    reference: Reference | None = None


class Closing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a ticket was seen to."""

    comment: Comment


class ShownTicket(msgspec.Struct, frozen=True, kw_only=True):
    """Something between both sides that a person has to look into; `here` and `there` say what each side has."""

    id: int
    kind: TicketKind
    subject: str
    here: str | None
    there: str | None
    opened_at: datetime
    reconciliation_id: UUID | None
    closed_at: datetime | None
    closed_by: str | None
    comment: str | None


class ShownReconciliation(msgspec.Struct, frozen=True, kw_only=True):
    """A comparison of both sides, as it stood with the bank at `as_of`."""

    id: UUID
    status: ReconciliationStatus
    requested_at: datetime
    completed_at: datetime | None
    as_of: datetime | None
    compared: int
    under_way: int
    differences: int
    opened: int
    closed: int
    error: str | None


class PacketController(Controller):
    """Packets on their way to the bank's own system."""

    path = "/abs/packets"
    tags = ["Documents: core banking"]  # noqa: RUF012  # Litestar reads a plain list

    @get(opt=needs(READ))
    async def packets(
        self,
        request: Request[Any, Any, Any],
        views: FromDishka[BankingViews],
        cursors: FromDishka[Cursors],
        limit: PageLimit = 50,
        cursor: CursorText = None,
        status: PacketStatusFilter = None,
        document_id: values.QueryId = None,
    ) -> Envelope[ShownPacket]:
        """List packets, the newest first."""
        wanted = PacketFilter(status=status, document_id=document_id)
        found = await views.packets(wanted, cursors.request(limit, cursor, request.url))
        return cursors.envelope(found.shown_as(packet_of), request.url)

    @get("/{packet_id:int}", opt=needs(READ))
    async def packet(self, packet_id: values.PathId, views: FromDishka[BankingViews]) -> ShownPacket:
        """Read one packet."""
        one = await views.packet(packet_id)
        if one is None:
            raise NoSuchPacket(packet_id=packet_id)
        return packet_of(one)

    @post("/{packet_id:int}/retry", status_code=200, opt={**needs(WRITE), **details(refusals=(409,))})
    async def retry(
        self, packet_id: values.PathId, actor: FromDishka[Actor], retry: FromDishka[RetryPacket]
    ) -> ShownPacket:
        """Send a packet again: one that failed, was rejected, or was never answered."""
        return packet_of(await retry(actor, packet_id))

    @post("/{packet_id:int}/override", status_code=200, opt={**needs(WRITE, step_up=True), **details(refusals=(409,))})
    async def override(
        self,
        packet_id: values.PathId,
        data: JSONBody[Override],
        actor: FromDishka[Actor],
        override: FromDishka[OverridePacket],
    ) -> ShownPacket:
        """Settle a packet by hand: somebody saw to it that the bank has what it tells."""
        return packet_of(await override(actor, packet_id, data.comment, data.reference))


class BankingTicketController(Controller):
    """What a person has to look into."""

    path = "/abs/tickets"
    tags = ["Documents: core banking"]  # noqa: RUF012  # Litestar reads a plain list

    @get(opt=needs(READ))
    async def tickets(
        self,
        request: Request[Any, Any, Any],
        views: FromDishka[BankingViews],
        cursors: FromDishka[Cursors],
        limit: PageLimit = 50,
        cursor: CursorText = None,
        kind: KindFilter = None,
        is_open: OpenFilter = None,
    ) -> Envelope[ShownTicket]:
        """List tickets, the newest first."""
        wanted = TicketFilter(kind=kind, is_open=is_open)
        found = await views.tickets(wanted, cursors.request(limit, cursor, request.url))
        return cursors.envelope(found.shown_as(ticket_of), request.url)

    @post("/{ticket_id:int}/close", status_code=200, opt={**needs(WRITE), **details(refusals=(409,))})
    async def close(
        self,
        ticket_id: values.PathId,
        data: JSONBody[Closing],
        actor: FromDishka[Actor],
        close: FromDishka[CloseTicket],
    ) -> ShownTicket:
        """Say that a ticket was seen to, and how."""
        return ticket_of(await close(actor, ticket_id, data.comment))


class ReconciliationController(Controller):
    """Comparisons of both sides."""

    path = "/abs/reconciliations"
    tags = ["Documents: core banking"]  # noqa: RUF012  # Litestar reads a plain list

    @post(status_code=202, opt=needs(WRITE))
    async def ask(
        self, actor: FromDishka[Actor], request_reconciliation: FromDishka[RequestReconciliation]
    ) -> Response[ShownReconciliation]:
        """Ask for a comparison of both sides; a job makes it."""
        one = await request_reconciliation(actor)
        return made(reconciliation_of(one), f"/abs/reconciliations/{one.id}", status_code=202)

    @get(opt=needs(READ))
    async def reconciliations(
        self,
        request: Request[Any, Any, Any],
        views: FromDishka[BankingViews],
        limit: PageLimit = 50,
        page: PageNumber = 1,
    ) -> Envelope[ShownReconciliation]:
        """List comparisons, the newest first."""
        found = await views.reconciliations(page_request(limit, page))
        return envelope(found.shown_as(reconciliation_of), request.url)

    @get("/{reconciliation_id:uuid}", opt=needs(READ))
    async def reconciliation(
        self, reconciliation_id: FromPath[UUID], views: FromDishka[BankingViews]
    ) -> ShownReconciliation:
        """Read one comparison."""
        one = await views.reconciliation(reconciliation_id)
        if one is None:
            raise NoSuchReconciliation(reconciliation_id=str(reconciliation_id))
        return reconciliation_of(one)


def packet_of(packet: Packet) -> ShownPacket:
    """Return a packet as it stands on the wire."""
    return msgspec.convert(packet, ShownPacket, from_attributes=True)


def ticket_of(ticket: Ticket) -> ShownTicket:
    """Return a ticket as it stands on the wire."""
    return msgspec.convert(ticket, ShownTicket, from_attributes=True)


def reconciliation_of(reconciliation: Reconciliation) -> ShownReconciliation:
    """Return a comparison as it stands on the wire."""
    return msgspec.convert(reconciliation, ShownReconciliation, from_attributes=True)
