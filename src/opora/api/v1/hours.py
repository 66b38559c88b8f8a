"""HTTP face of working hours and of the free times that follow from them."""

from datetime import datetime
from typing import Annotated
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from dishka import FromDishka
from litestar import Controller, get, put
from litestar.params import JSONBody, QueryParameter
from msgspec import UNSET, Meta, Struct, UnsetType

from opora.api.details import details
from opora.api.http import PREFIX
from opora.api.policy import needs
from opora.api.values import INT64_MAX, Count, Day, PathId, QueryId, Timestamp
from opora.core.bookings.model.hours import Availability, Closure, DayException, Slot, WeeklyHours, instant_of
from opora.core.bookings.rules import openings
from opora.core.bookings.rules.zones import zone_of
from opora.core.bookings.usecases.hours import ReadHours, SetHours
from opora.core.bookings.usecases.openings import FindSlots
from opora.core.kernel.model import Actor

TIME = r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$(?!\n)"
WallTime = Annotated[str, Meta(pattern=TIME, description="A time of the local day, 24:00 being its end.")]
ZoneName = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_+/-]*$(?!\n)")]
QueryZone = Annotated[
    str | None, QueryParameter(max_length=64, description="The zone of days, and of the local times in the answer.")
]


class WeeklyBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Hours of every week; weekday 0 is Monday."""

    weekday: Count
    start: WallTime
    end: WallTime


class ExceptionBody(Struct, frozen=True, forbid_unknown_fields=True):
    """A day whose hours replace the weekly ones; without times it is closed."""

    date: Day
    start: WallTime | None = None
    end: WallTime | None = None


class BlackoutBody(Struct, frozen=True, forbid_unknown_fields=True):
    """A span in which nobody comes."""

    starts_at: Timestamp
    ends_at: Timestamp


class AvailabilityBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody's working hours, whole."""

    timezone: ZoneName
    weekly: list[WeeklyBody]
    exceptions: list[ExceptionBody] = []
    blackouts: list[BlackoutBody] = []


class ShownAvailability(Struct, frozen=True):
    """Somebody's working hours."""

    user_id: int
    timezone: str
    weekly: list[WeeklyBody]
    exceptions: list[ExceptionBody]
    blackouts: list[BlackoutBody]


class ShownSlot(Struct, frozen=True):
    """A free start; `local_start` is there where a zone was asked for."""

    starts_at: datetime
    ends_at: datetime
    staff_id: int
    places: int
    local_start: str | UnsetType = UNSET


class FreeSlots(Struct, frozen=True):
    """Free starts by time; `next` continues a list too long for one answer."""

    results: list[ShownSlot]
    next: str | None


class AvailabilityController(Controller):
    """Working hours of staff."""

    path = "/staff"
    tags = ["Services"]  # noqa: RUF012  # Litestar reads a plain list

    @get("/{user_id:int}/availability", opt=needs("availability:write"))
    async def hours(self, user_id: PathId, actor: FromDishka[Actor], read: FromDishka[ReadHours]) -> ShownAvailability:
        """Read working hours: one's own, or as an admin anybody's."""
        return shown_hours(await read(actor, user_id))

    @put("/{user_id:int}/availability", opt=needs("availability:write"))
    async def set_hours(
        self, user_id: PathId, data: JSONBody[AvailabilityBody], actor: FromDishka[Actor], keep: FromDishka[SetHours]
    ) -> ShownAvailability:
        """Replace working hours; what is booked outside them stays."""
        wanted = Availability(
            user_id=user_id,
            timezone=data.timezone,
            weekly=tuple(WeeklyHours(one.weekday, minutes(one.start), minutes(one.end)) for one in data.weekly),
            exceptions=tuple(DayException(one.date, some(one.start), some(one.end)) for one in data.exceptions),
            closures=tuple(Closure(one.starts_at, one.ends_at) for one in data.blackouts),
        )
        return shown_hours(await keep(actor, wanted))


class SlotController(Controller):
    """Free times."""

    path = "/slots"
    tags = ["Appointments"]  # noqa: RUF012  # Litestar reads a plain list

    @get(opt={**needs("services:read"), **details(refusals=(404,))})
    async def slots(
        self,
        actor: FromDishka[Actor],
        find: FromDishka[FindSlots],
        service_id: Annotated[int, QueryParameter(ge=1, le=INT64_MAX)],
        start: Annotated[str, QueryParameter(name="from", max_length=40, description="An instant, or a day of `tz`.")],
        end: Annotated[str, QueryParameter(name="to", max_length=40, description="An instant, or the last day.")],
        staff_id: QueryId = None,
        tz: QueryZone = None,
    ) -> FreeSlots:
        """List the starts of a service that may be booked, at most 62 days of them."""
        zone = zone_of(tz or "UTC", "tz")
        found = await find(actor, service_id, staff_id, openings.span(start, end, zone))
        count = openings.cut([slot.start_min for slot in found])
        onward = None
        if count < len(found):
            asked = {"service_id": service_id, "staff_id": staff_id, "to": end, "tz": tz}
            query = {"from": openings.told(found[count].start_min)} | {k: v for k, v in asked.items() if v is not None}
            onward = f"{PREFIX}/slots?{urlencode(query)}"
        return FreeSlots([shown_slot(slot, zone if tz else None) for slot in found[:count]], onward)


def minutes(text: str) -> int:
    """Return the minute of the day that a wall time such as 09:30 names."""
    hour, _, minute = text.partition(":")
    return int(hour) * 60 + int(minute)


def some(text: str | None) -> int | None:
    """Return the minute of the day, or None where no time was given."""
    return None if text is None else minutes(text)


def wall_text(minute: int) -> str:
    """Return a minute of the day as a wall time."""
    return f"{minute // 60:02}:{minute % 60:02}"


def shown_hours(hours: Availability) -> ShownAvailability:
    """Return working hours as they stand on the wire."""
    return ShownAvailability(
        user_id=hours.user_id,
        timezone=hours.timezone,
        weekly=[WeeklyBody(one.weekday, wall_text(one.start_min), wall_text(one.end_min)) for one in hours.weekly],
        exceptions=[
            ExceptionBody(one.day)
            if one.start_min is None or one.end_min is None
            else ExceptionBody(one.day, wall_text(one.start_min), wall_text(one.end_min))
            for one in hours.exceptions
        ],
        blackouts=[BlackoutBody(one.starts_at, one.ends_at) for one in hours.closures],
    )


def shown_slot(slot: Slot, zone: ZoneInfo | None) -> ShownSlot:
    """Return a free start as it stands on the wire."""
    starts_at = instant_of(slot.start_min)
    local: str | UnsetType = UNSET if zone is None else starts_at.astimezone(zone).isoformat()
    return ShownSlot(starts_at, instant_of(slot.end_min), slot.staff_id, slot.places, local)
