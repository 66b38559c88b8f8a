"""One's notices as they come: a WebSocket and an event stream, and the tickets that browsers open them with."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any

from dishka import FromDishka
from litestar import Controller, Request, WebSocket, get, post, websocket
from litestar.datastructures import ResponseHeader
from litestar.exceptions import WebSocketDisconnect
from litestar.params import QueryParameter
from litestar.response import Stream

from opora.api.details import LINES, details
from opora.api.live import LiveHub, Reader
from opora.api.policy import PUBLIC, SIGNED_IN, UNREPEATABLE
from opora.core.access.errors import TicketInvalid
from opora.core.access.model.tickets import IssuedTicket
from opora.core.access.usecases.tickets import IssueTicket, RedeemTicket
from opora.core.kernel.errors import DomainError
from opora.core.kernel.model import Actor
from opora.core.kernel.ports import Clock

NO_STORE = [ResponseHeader(name="cache-control", value="no-store")]
SCOPE = "notifications:read"
EVENT_STREAM = "text/event-stream"
HEARTBEAT_S = 15.0
SEND_S = 10.0
"""How long one message may take to leave."""
RETRY_MS = 2000
DIGITS_MAX = 18
TICKET_LENGTH_MAX = 100
SLOW, LAPSED, REFUSED, TOO_MANY = 4408, 4401, 4401, 4429
CODES = {"slow": SLOW, "lapsed": LAPSED}

TicketText = Annotated[str | None, QueryParameter(max_length=TICKET_LENGTH_MAX, description="From `/auth/ticket`.")]
After = Annotated[
    str | None,
    QueryParameter(max_length=32, description="The id of the last notice that was read; as `Last-Event-ID` is."),
]


class TicketController(Controller):
    """Tickets for what browsers open without headers."""

    path = "/auth/ticket"
    tags = ["Sessions"]  # noqa: RUF012  # Litestar reads a plain list

    @post(status_code=201, opt={**SIGNED_IN, **UNREPEATABLE}, response_headers=NO_STORE)
    async def issue(self, actor: FromDishka[Actor], issue_ticket: FromDishka[IssueTicket]) -> IssuedTicket:
        """Get a ticket that opens one stream within thirty seconds."""
        return await issue_ticket(actor)


class LiveController(Controller):
    """One's notices as they come."""

    tags = ["Notifications"]  # noqa: RUF012  # Litestar reads a plain list

    @get(
        "/notifications/stream",
        opt={**PUBLIC, **details(media={EVENT_STREAM: LINES}, refusals=(401, 429))},
        media_type=EVENT_STREAM,
    )
    async def stream(
        self,
        request: Request[Any, Any, Any],
        actor: FromDishka[Actor],
        hub: FromDishka[LiveHub],
        redeem: FromDishka[RedeemTicket],
        clock: FromDishka[Clock],
        ticket: TicketText = None,
        after: After = None,
    ) -> Stream:
        """Read notices as server-sent events, from `Last-Event-ID` on; who is signed in needs no ticket."""
        user_id, since = await reader_of(actor, ticket, redeem, clock)
        reader = await hub.open(user_id, since, position(request.headers.get("last-event-id") or after))
        request.scope["endless"] = True  # type: ignore[typeddict-unknown-key]  # for the server: it has no end
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return Stream(events(hub, reader), media_type=EVENT_STREAM, headers=headers)

    @websocket("/ws/notifications", opt=PUBLIC)
    async def socket(
        self,
        socket: WebSocket[Any, Any, Any],
        actor: FromDishka[Actor],
        hub: FromDishka[LiveHub],
        redeem: FromDishka[RedeemTicket],
        clock: FromDishka[Clock],
    ) -> None:
        """Read notices over a WebSocket, from `?after=` on; each message is one notice."""
        await socket.accept()
        asked = socket.query_params
        try:
            user_id, since = await reader_of(actor, asked.get("ticket"), redeem, clock)
            reader = await hub.open(user_id, since, position(asked.get("after")))
        except DomainError as error:
            await socket.close(code=REFUSED if isinstance(error, TicketInvalid) else TOO_MANY, reason=error.code)
            return
        try:
            await converse(socket, reader)
        finally:
            hub.close(reader)


async def reader_of(actor: Actor, ticket: str | None, redeem: RedeemTicket, clock: Clock) -> tuple[int, datetime]:
    """Return who reads, and when they were last known to be signed in; raises TicketInvalid."""
    if ticket is not None:
        return await redeem(ticket[:TICKET_LENGTH_MAX])
    if actor.user_id is None or not actor.may(SCOPE):
        raise TicketInvalid("Sign in, or open the stream with a ticket from /auth/ticket.")
    return actor.user_id, clock.now()


def position(text: str | None) -> int | None:
    """Return the last entry that was read; what is no number says nothing, and a huge one is past the end."""
    if text is None or not (text.isascii() and text.isdigit()):
        return None
    return int(text) if len(text) <= DIGITS_MAX else 10**DIGITS_MAX


async def events(hub: LiveHub, reader: Reader) -> AsyncIterator[str]:
    """Yield the stream's text until the reader is stopped or leaves."""
    try:
        yield f"retry: {RETRY_MS}\n: {reader.number}\n\n"
        while not reader.end:
            taken = await reader.take(HEARTBEAT_S)
            yield "".join(f"id: {told.number}\nevent: notice\ndata: {told.text}\n\n" for told in taken) or ": \n\n"
        yield f"event: end\ndata: {reader.end}\n\n"
    finally:
        hub.close(reader)


async def converse(socket: WebSocket[Any, Any, Any], reader: Reader) -> None:
    """Tell a socket what is new until either side ends."""
    listening = asyncio.create_task(listened(socket, reader))
    try:
        while not reader.end:
            for told in await reader.take(HEARTBEAT_S):
                async with asyncio.timeout(SEND_S):
                    await socket.send_text(told.text)
        if reader.end in CODES:
            async with asyncio.timeout(SEND_S):
                await socket.close(code=CODES[reader.end], reason=reader.end)
    except (TimeoutError, WebSocketDisconnect, RuntimeError, OSError):
        reader.stop("gone")
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


async def listened(socket: WebSocket[Any, Any, Any], reader: Reader) -> None:
    """Wait until the client leaves; what it says is not listened to."""
    try:
        while (await socket.receive())["type"] != "websocket.disconnect":
            pass
    finally:
        reader.stop("closing")
