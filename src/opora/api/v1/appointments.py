"""HTTP face of appointments."""

from datetime import datetime
from typing import Annotated, Any

from dishka import FromDishka
from litestar import Controller, Request, Response, get, post
from litestar.params import JSONBody, QueryParameter
from msgspec import Meta, Struct

from opora.api.details import BINARY, details
from opora.api.locations import made
from opora.api.pages import Envelope, PageLimit, PageNumber, envelope, page_request
from opora.api.policy import needs
from opora.api.v1.hours import ZoneName
from opora.api.values import TEXT_PATTERN, PathId, QueryId, RecordId, Timestamp
from opora.core.bookings.errors import InvalidBooking, NoSuchAppointment
from opora.core.bookings.model.appointments import (
    NOTE_MAX,
    REASON_MAX,
    Appointment,
    AppointmentFilter,
    Status,
    Wish,
)
from opora.core.bookings.model.series import RULE_LENGTH_MAX, BookedSeries, Clash, Extent, OnConflict
from opora.core.bookings.ports.appointments import AppointmentViews
from opora.core.bookings.rules.booking import reach
from opora.core.bookings.usecases.booking import BookAppointment, HoldSlot, TakeUpHold
from opora.core.bookings.usecases.calendars import WriteInvitation
from opora.core.bookings.usecases.deciding import (
    CancelAppointment,
    CompleteAppointment,
    ConfirmAppointment,
    MissAppointment,
    QuoteCancellation,
)
from opora.core.bookings.usecases.moving import MoveAppointment
from opora.core.bookings.usecases.series import BookSeries
from opora.core.kernel.model import Actor

Note = Annotated[str, Meta(max_length=NOTE_MAX, pattern=TEXT_PATTERN)]
Reason = Annotated[str, Meta(max_length=REASON_MAX, pattern=TEXT_PATTERN)]
RuleText = Annotated[str, Meta(min_length=1, max_length=RULE_LENGTH_MAX, pattern=TEXT_PATTERN)]
QueryInstant = Annotated[datetime | None, QueryParameter()]
CALENDAR = "text/calendar"
DECIDE = {**needs("appointments:manage"), **details(refusals=(403, 404, 409))}
CHANGE = {**needs("appointments:write"), **details(refusals=(403, 404, 409))}


class NewAppointment(Struct, frozen=True, forbid_unknown_fields=True):
    """What is booked: a time of a service, or the one a hold keeps. Staff name a client; with `rrule` it recurs."""

    service_id: RecordId | None = None
    starts_at: Timestamp | None = None
    staff_id: RecordId | None = None
    client_id: RecordId | None = None
    note: Note = ""
    hold_id: RecordId | None = None
    rrule: RuleText | None = None
    on_conflict: OnConflict = OnConflict.FAIL
    timezone: ZoneName | None = None


class NewHold(Struct, frozen=True, forbid_unknown_fields=True):
    """A time to be kept for a while."""

    service_id: RecordId
    starts_at: Timestamp
    staff_id: RecordId | None = None


class Cancellation(Struct, frozen=True, forbid_unknown_fields=True):
    """Why, and how much of a series."""

    reason: Reason | None = None
    scope: Extent = Extent.THIS


class Move(Struct, frozen=True, forbid_unknown_fields=True):
    """The new time, and how much of a series goes along."""

    starts_at: Timestamp
    staff_id: RecordId | None = None
    scope: Extent = Extent.THIS


class Fee(Struct, frozen=True):
    """What a cancellation or a missed appointment costs."""

    fee_minor: int
    currency: str


class ShownHold(Struct, frozen=True):
    """A time that is kept."""

    hold_id: int
    expires_at: datetime
    service_id: int
    staff_id: int
    starts_at: datetime
    ends_at: datetime


class ShownAppointment(Struct, frozen=True):
    """An appointment; `fee` is there once cancelling it or not coming had its price worked out."""

    id: int
    status: Status
    starts_at: datetime
    ends_at: datetime
    timezone: str
    service_id: int
    staff_id: int
    client_id: int
    note: str
    price_minor: int
    currency: str
    fee: Fee | None
    fee_minor: int | None
    series_id: int | None
    created_at: datetime
    changed_at: datetime
    cancelled_at: datetime | None
    reason: str | None


class ShownBooking(ShownAppointment, frozen=True):
    """What was booked: an appointment, or the first of a series with the others and with what clashed."""

    rrule: str | None = None
    appointments: list[ShownAppointment] = []
    conflicts: list[Clash] = []


class ShownChange(ShownAppointment, frozen=True):
    """What was changed: an appointment, and of a series the others that went along."""

    others: list[ShownAppointment] = []


class AppointmentController(Controller):
    """Appointments: one's own, those one gives, or as an admin all."""

    path = "/appointments"
    tags = ["Appointments"]  # noqa: RUF012  # Litestar reads a plain list

    @post(opt=CHANGE)
    async def book(
        self,
        data: JSONBody[NewAppointment],
        actor: FromDishka[Actor],
        book: FromDishka[BookAppointment],
        take_up: FromDishka[TakeUpHold],
        book_series: FromDishka[BookSeries],
    ) -> Response[ShownBooking]:
        """Book a time, take a hold up, or book a series."""
        if data.hold_id is not None and data.rrule is None:
            booked = await take_up(
                actor,
                data.hold_id,
                service_id=data.service_id,
                starts_at=data.starts_at,
                staff_id=data.staff_id,
                client_id=data.client_id,
                note=data.note,
            )
            return made(booking_of(booked), f"/appointments/{booked.id}")
        wish = wish_of(data)
        if data.rrule is not None:
            series = await book_series(actor, wish, data.rrule, data.on_conflict, data.timezone)
            return made(series_of(series), f"/appointments/{series.appointments[0].id}")
        one = await book(actor, wish)
        return made(booking_of(one), f"/appointments/{one.id}")

    @post("/hold", opt=CHANGE)
    async def hold(
        self, data: JSONBody[NewHold], actor: FromDishka[Actor], hold: FromDishka[HoldSlot]
    ) -> Response[ShownHold]:
        """Keep a time for as long as booking it takes."""
        wish = Wish(service_id=data.service_id, starts_at=data.starts_at, staff_id=data.staff_id)
        kept = await hold(actor, wish)
        shown_hold = ShownHold(
            kept.id, kept.expires_at or kept.starts_at, kept.service_id, kept.staff_id, kept.starts_at, kept.ends_at
        )
        return Response(shown_hold, status_code=201)

    @get(opt=needs("appointments:read"))
    async def page(
        self,
        request: Request[Any, Any, Any],
        actor: FromDishka[Actor],
        views: FromDishka[AppointmentViews],
        limit: PageLimit = 50,
        page: PageNumber = 1,
        starts_from: Annotated[datetime | None, QueryParameter(name="from")] = None,
        starts_before: Annotated[datetime | None, QueryParameter(name="to")] = None,
        status: Annotated[Status | None, QueryParameter()] = None,
        service_id: QueryId = None,
        staff_id: QueryId = None,
        client_id: QueryId = None,
        series_id: QueryId = None,
    ) -> Envelope[ShownAppointment]:
        """List appointments by their start; from `from` on and before `to`."""
        wanted = AppointmentFilter(starts_from, starts_before, status, service_id, staff_id, client_id, series_id)
        found = await views.page(reach(actor), wanted, page_request(limit, page))
        return envelope(found.shown_as(shown), request.url)

    @get("/{appointment_id:int}", opt=needs("appointments:read"))
    async def one(
        self, appointment_id: PathId, actor: FromDishka[Actor], views: FromDishka[AppointmentViews]
    ) -> ShownAppointment:
        """Read an appointment."""
        found = await views.one(appointment_id, reach(actor))
        if found is None:
            raise NoSuchAppointment(appointment_id=appointment_id)
        return shown(found)

    @get("/{appointment_id:int}/ics", opt={**needs("appointments:read"), **details(media={CALENDAR: BINARY})})
    async def invitation(
        self, appointment_id: PathId, actor: FromDishka[Actor], write: FromDishka[WriteInvitation]
    ) -> Response[bytes]:
        """Read an appointment as a calendar file, also under `/appointments/{id}.ics`."""
        return calendar_answer(await write(actor, appointment_id), f"appointment-{appointment_id}")

    @get("/{appointment_id:int}/cancellation-quote", opt=CHANGE)
    async def quote(
        self, appointment_id: PathId, actor: FromDishka[Actor], quote: FromDishka[QuoteCancellation]
    ) -> Fee:
        """Ask what a cancellation would cost now."""
        due = await quote(actor, appointment_id)
        return Fee(due.amount_minor, due.currency)

    @post("/{appointment_id:int}/confirm", status_code=200, opt=DECIDE)
    async def confirm(
        self, appointment_id: PathId, actor: FromDishka[Actor], confirm: FromDishka[ConfirmAppointment]
    ) -> ShownAppointment:
        """Confirm a pending appointment that one gives."""
        return shown(await confirm(actor, appointment_id))

    @post("/{appointment_id:int}/cancel", status_code=200, opt=CHANGE)
    async def cancel(
        self,
        appointment_id: PathId,
        actor: FromDishka[Actor],
        cancel: FromDishka[CancelAppointment],
        data: JSONBody[Cancellation | None] = None,
    ) -> ShownChange:
        """Cancel an appointment at the fee that the quote tells."""
        wanted = data or Cancellation()
        return change_of(await cancel(actor, appointment_id, wanted.reason, wanted.scope))

    @post("/{appointment_id:int}/complete", status_code=200, opt=DECIDE)
    async def complete(
        self, appointment_id: PathId, actor: FromDishka[Actor], complete: FromDishka[CompleteAppointment]
    ) -> ShownAppointment:
        """Say that an appointment took place."""
        return shown(await complete(actor, appointment_id))

    @post("/{appointment_id:int}/no-show", status_code=200, opt=DECIDE)
    async def miss(
        self, appointment_id: PathId, actor: FromDishka[Actor], miss: FromDishka[MissAppointment]
    ) -> ShownAppointment:
        """Say that the client did not come."""
        return shown(await miss(actor, appointment_id))

    @post("/{appointment_id:int}/reschedule", status_code=200, opt=CHANGE)
    async def move(
        self,
        appointment_id: PathId,
        data: JSONBody[Move],
        actor: FromDishka[Actor],
        move: FromDishka[MoveAppointment],
    ) -> ShownChange:
        """Move an appointment in one step: it keeps its old time unless it gets the new one."""
        return change_of(await move(actor, appointment_id, data.starts_at, data.staff_id, data.scope))


def wish_of(data: NewAppointment) -> Wish:
    """Return what somebody wants to book; raises InvalidBooking where it does not say what and when."""
    needed = {"service_id": data.service_id, "starts_at": data.starts_at}
    errors = {name: ["is needed where no hold is taken up"] for name, value in needed.items() if value is None}
    if data.hold_id is not None:
        errors["hold_id"] = ["does not go with rrule"]
    if errors or data.service_id is None or data.starts_at is None:
        raise InvalidBooking(errors=errors)
    return Wish(
        service_id=data.service_id,
        starts_at=data.starts_at,
        staff_id=data.staff_id,
        client_id=data.client_id,
        note=data.note,
    )


def fields_of(one: Appointment) -> dict[str, Any]:
    """Return the fields of an appointment as they stand on the wire."""
    fee = None if one.fee_minor is None else Fee(one.fee_minor, one.currency)
    kept = (name for name in ShownAppointment.__struct_fields__ if name != "fee")
    return {name: getattr(one, name) for name in kept} | {"fee": fee}


def shown(one: Appointment) -> ShownAppointment:
    """Return an appointment as it stands on the wire."""
    return ShownAppointment(**fields_of(one))


def booking_of(one: Appointment) -> ShownBooking:
    """Return a single booking as it stands on the wire."""
    return ShownBooking(**fields_of(one), appointments=[shown(one)])


def series_of(booked: BookedSeries) -> ShownBooking:
    """Return a series as it stands on the wire."""
    return ShownBooking(
        **fields_of(booked.appointments[0]),
        rrule=booked.series.rrule,
        appointments=[shown(one) for one in booked.appointments],
        conflicts=list(booked.conflicts),
    )


def change_of(changed: Any) -> ShownChange:
    """Return what was changed as it stands on the wire."""
    first, *others = changed
    return ShownChange(**fields_of(first), others=[shown(one) for one in others])


def calendar_answer(content: bytes, name: str) -> Response[bytes]:
    """Return a calendar file; nobody on the way keeps it."""
    headers = {"content-disposition": f'attachment; filename="{name}.ics"', "cache-control": "private, no-store"}
    return Response(content, media_type=f"{CALENDAR}; charset=utf-8", headers=headers)
