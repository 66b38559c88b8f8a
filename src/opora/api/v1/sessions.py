"""HTTP face of one's sessions: listed, ended one by one or all at once."""

from typing import Any

from dishka import FromDishka
from litestar import Controller, Request, delete, get, post

from opora.api.details import details
from opora.api.pages import Envelope, PageLimit, PageNumber, envelope, page_request
from opora.api.policy import SIGNED_IN, UNREPEATABLE
from opora.api.values import PathId
from opora.core.access.model.people import SessionView
from opora.core.access.usecases.own_sessions import EndAllSessions, EndSession, ListSessions
from opora.core.kernel.model import Actor

OF_PEOPLE = {**SIGNED_IN, **details(refusals=(404,))}
"""A key has no sessions: for it there is nobody here."""


class SessionController(Controller):
    """One's sessions: where one is signed in."""

    path = "/auth"
    tags = ["Sessions"]  # noqa: RUF012  # Litestar reads a plain list

    @get("/sessions", opt=OF_PEOPLE)
    async def page(
        self,
        request: Request[Any, Any, Any],
        actor: FromDishka[Actor],
        sessions: FromDishka[ListSessions],
        limit: PageLimit = 50,
        page: PageNumber = 1,
    ) -> Envelope[SessionView]:
        """List one's open sessions, newest first; `current` is the one of the token that asks."""
        return envelope(await sessions(actor, page_request(limit, page)), request.url)

    @delete("/sessions/{session_id:int}", opt=OF_PEOPLE)
    async def end(self, session_id: PathId, actor: FromDishka[Actor], end: FromDishka[EndSession]) -> None:
        """End one of one's sessions; its tokens are refused everywhere from now on."""
        await end(actor, session_id)

    @post("/logout-all", status_code=204, opt={**OF_PEOPLE, **UNREPEATABLE})
    async def end_all(self, actor: FromDishka[Actor], end_all: FromDishka[EndAllSessions]) -> None:
        """End every session of one's own, this one with them."""
        await end_all(actor)
