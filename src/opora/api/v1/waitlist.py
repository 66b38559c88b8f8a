"""HTTP face of the waitlist."""

from datetime import datetime
from typing import Any

from dishka import FromDishka
from litestar import Controller, Request, Response, delete, get, post
from litestar.params import JSONBody
from msgspec import Struct, field

from opora.api.details import details
from opora.api.locations import made
from opora.api.pages import Envelope, PageLimit, PageNumber, envelope, page_request
from opora.api.policy import needs
from opora.api.values import PathId, RecordId, Timestamp
from opora.core.bookings.errors import NoSuchEntry
from opora.core.bookings.model.waiting import Entry, WaitStatus
from opora.core.bookings.ports.waiting import WaitlistViews
from opora.core.bookings.rules.waiting import reach
from opora.core.bookings.usecases.waiting import JoinWaitlist, LeaveWaitlist
from opora.core.kernel.model import Actor


class NewEntry(Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody waits for: a start of a service from one instant on and before another."""

    service_id: RecordId
    starts_from: Timestamp = field(name="from")
    starts_before: Timestamp = field(name="to")
    staff_id: RecordId | None = None
    client_id: RecordId | None = None


class ShownEntry(Struct, frozen=True):
    """An entry of the waitlist; `hold_id` is the time that is kept, to be booked like any hold."""

    id: int
    client_id: int
    service_id: int
    staff_id: int | None
    starts_from: datetime = field(name="from")
    starts_before: datetime = field(name="to")
    status: WaitStatus
    hold_id: int | None
    created_at: datetime


class WaitlistController(Controller):
    """The waitlist: who comes first is offered first."""

    path = "/waitlist"
    tags = ["Appointments"]  # noqa: RUF012  # Litestar reads a plain list

    @post(opt={**needs("appointments:write"), **details(refusals=(403, 404, 409))})
    async def join(
        self, data: JSONBody[NewEntry], actor: FromDishka[Actor], join: FromDishka[JoinWaitlist]
    ) -> Response[ShownEntry]:
        """Wait for a time to free."""
        entry = await join(actor, data.service_id, data.starts_from, data.starts_before, data.staff_id, data.client_id)
        return made(shown(entry), f"/waitlist/{entry.id}")

    @get(opt=needs("appointments:read"))
    async def page(
        self,
        request: Request[Any, Any, Any],
        actor: FromDishka[Actor],
        views: FromDishka[WaitlistViews],
        limit: PageLimit = 50,
        page: PageNumber = 1,
    ) -> Envelope[ShownEntry]:
        """List what one waits for, the newest first; an admin sees everyone's."""
        found = await views.page(reach(actor), page_request(limit, page))
        return envelope(found.shown_as(shown), request.url)

    @get("/{entry_id:int}", opt=needs("appointments:read"))
    async def one(self, entry_id: PathId, actor: FromDishka[Actor], views: FromDishka[WaitlistViews]) -> ShownEntry:
        """Read an entry."""
        entry = await views.one(entry_id, reach(actor))
        if entry is None:
            raise NoSuchEntry(entry_id=entry_id)
        return shown(entry)

    @delete("/{entry_id:int}", status_code=204, opt=needs("appointments:write"))
    async def leave(self, entry_id: PathId, actor: FromDishka[Actor], leave: FromDishka[LeaveWaitlist]) -> None:
        """Stop waiting; a time that is kept goes to the next in line."""
        await leave(actor, entry_id)


def shown(entry: Entry) -> ShownEntry:
    """Return an entry as it stands on the wire."""
    return ShownEntry(
        id=entry.id,
        client_id=entry.client_id,
        service_id=entry.service_id,
        staff_id=entry.staff_id,
        starts_from=entry.starts_from,
        starts_before=entry.starts_before,
        status=entry.status,
        hold_id=entry.hold_id,
        created_at=entry.created_at,
    )
