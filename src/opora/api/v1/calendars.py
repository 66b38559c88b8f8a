"""HTTP face of private calendars."""

from datetime import datetime
from typing import Annotated, Any

from dishka import FromDishka
from litestar import Controller, Request, Response, delete, get, post
from litestar.params import PathParameter
from msgspec import Struct

from opora.api.details import BINARY, details
from opora.api.http import PREFIX
from opora.api.pages import Envelope, PageLimit, PageNumber, envelope, page_request
from opora.api.policy import PUBLIC, needs
from opora.api.short_lists import short_page
from opora.api.v1.appointments import CALENDAR, calendar_answer
from opora.api.values import PathId
from opora.core.bookings.ports.calendars import FeedViews
from opora.core.bookings.usecases.calendars import MakeFeed, ReadFeed, RevokeFeed
from opora.core.kernel.model import Actor

Token = Annotated[str, PathParameter(max_length=200)]


class MadeCalendar(Struct, frozen=True):
    """A private calendar and, this once, the address that opens it to whoever knows it."""

    id: int
    token: str
    url: str
    created_at: datetime


class ShownCalendar(Struct, frozen=True):
    """A private calendar."""

    id: int
    created_at: datetime


class CalendarController(Controller):
    """Private calendars: made and revoked by a person, read by their programs."""

    path = "/calendars"
    tags = ["Calendars"]  # noqa: RUF012  # Litestar reads a plain list

    @post(opt={**needs("appointments:read"), **details(refusals=(409,))})
    async def make(self, actor: FromDishka[Actor], make: FromDishka[MakeFeed]) -> Response[MadeCalendar]:
        """Make a private calendar of what one comes to and gives; its address is in this answer and, sealed for
        24 hours, in what repeats it.
        """
        feed, token = await make(actor)
        made = MadeCalendar(feed.id, token, f"{PREFIX}/calendars/{token}.ics", feed.created_at)
        return Response(made, status_code=201)

    @get(opt=needs("appointments:read"))
    async def calendars(
        self,
        request: Request[Any, Any, Any],
        actor: FromDishka[Actor],
        views: FromDishka[FeedViews],
        limit: PageLimit = 50,
        page: PageNumber = 1,
    ) -> Envelope[ShownCalendar]:
        """List one's private calendars, the oldest first, never their addresses."""
        found = await views.of_person(actor.user_id or 0)
        shown = [ShownCalendar(one.id, one.created_at) for one in found]
        return envelope(short_page(shown, page_request(limit, page)), request.url)

    @delete("/{calendar_id:int}", status_code=204, opt=needs("appointments:read"))
    async def revoke(self, calendar_id: PathId, actor: FromDishka[Actor], revoke: FromDishka[RevokeFeed]) -> None:
        """Revoke a private calendar: its address opens nothing any more."""
        await revoke(actor, calendar_id)

    @get("/{token:str}/ics", opt={**PUBLIC, **details(media={CALENDAR: BINARY}, refusals=(404,))})
    async def feed(self, token: Token, read: FromDishka[ReadFeed]) -> Response[bytes]:
        """Read a private calendar by its token, also under `/calendars/{token}.ics`."""
        return calendar_answer(await read(token), "calendar")
