"""HTTP face of private calendars."""

from datetime import datetime
from typing import Annotated

from dishka import FromDishka
from litestar import Controller, Response, delete, get, post
from litestar.params import PathParameter
from msgspec import Struct

from opora.api.details import BINARY, details
from opora.api.http import PREFIX
from opora.api.policy import PUBLIC, UNREPEATABLE, needs
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


class Calendars(Struct, frozen=True):
    """The private calendars of a person."""

    results: list[ShownCalendar]


class CalendarController(Controller):
    """Private calendars: made and revoked by a person, read by their programs."""

    path = "/calendars"
    tags = ["Calendars"]  # noqa: RUF012  # Litestar reads a plain list

    @post(opt={**needs("appointments:read"), **details(refusals=(409,)), **UNREPEATABLE})
    async def make(self, actor: FromDishka[Actor], make: FromDishka[MakeFeed]) -> Response[MadeCalendar]:
        """Make a private calendar of what one comes to and gives; its address is shown this once."""
        feed, token = await make(actor)
        made = MadeCalendar(feed.id, token, f"{PREFIX}/calendars/{token}.ics", feed.created_at)
        return Response(made, status_code=201)

    @get(opt=needs("appointments:read"))
    async def calendars(self, actor: FromDishka[Actor], views: FromDishka[FeedViews]) -> Calendars:
        """List one's private calendars, never their addresses."""
        found = await views.of_person(actor.user_id or 0)
        return Calendars([ShownCalendar(one.id, one.created_at) for one in found])

    @delete("/{calendar_id:int}", status_code=204, opt=needs("appointments:read"))
    async def revoke(self, calendar_id: PathId, actor: FromDishka[Actor], revoke: FromDishka[RevokeFeed]) -> None:
        """Revoke a private calendar: its address opens nothing any more."""
        await revoke(actor, calendar_id)

    @get("/{token:str}/ics", opt={**PUBLIC, **details(media={CALENDAR: BINARY}, refusals=(404,))})
    async def feed(self, token: Token, read: FromDishka[ReadFeed]) -> Response[bytes]:
        """Read a private calendar by its token, also under `/calendars/{token}.ics`."""
        return calendar_answer(await read(token), "calendar")
