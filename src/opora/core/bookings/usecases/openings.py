"""Finding free times."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from opora.core.bookings.errors import NoSuchOffering, SlotTaken
from opora.core.bookings.model.hours import DAY_MIN, Diary, Slot, instant_of
from opora.core.bookings.model.offerings import Offering
from opora.core.bookings.ports.diaries import DiaryViews
from opora.core.bookings.ports.offerings import OfferingViews
from opora.core.bookings.rules import booking, openings, slots
from opora.core.bookings.usecases.desk import AROUND_MIN
from opora.core.kernel.model import Actor
from opora.core.kernel.ports import Clock

NEXT_FREE = 5
NEXT_DAYS = 14


@dataclass(frozen=True, slots=True)
class FindSlots:
    """Find the starts of a service that may be booked."""

    offerings: OfferingViews
    diaries: DiaryViews
    clock: Clock

    async def __call__(self, actor: Actor, service_id: int, staff_id: int | None, span: openings.Span) -> list[Slot]:
        """Return free starts within the span, by time and then by who; raises NoSuchOffering, SlotNotOffered."""
        offering = await self.offering(service_id)
        now = self.clock.now()
        earliest, before = booking.bookable(offering, now, exempt=booking.is_exempt(actor, staff_id))
        begin, end = max(span.from_min, earliest), min(span.before_min, before)
        if begin >= end:
            return []
        diaries = await self.read(booking.givers(offering, staff_id), begin, end, now)
        return slots.all_free(offering, diaries, begin, end)

    async def offering(self, id: int) -> Offering:
        """Return a service that is offered; raises NoSuchOffering."""
        offering = await self.offerings.one(id)
        if offering is None:
            raise NoSuchOffering(service_id=id)
        return offering

    async def read(self, staff_ids: Sequence[int], begin: int, end: int, now: datetime) -> Sequence[Diary]:
        """Return the diaries of these people with everything that may touch the span."""
        return await self.diaries.read(staff_ids, begin - AROUND_MIN, end + AROUND_MIN, now)

    async def around(
        self, offering: Offering, staff_ids: Sequence[int], start_min: int, now: datetime
    ) -> Sequence[Diary]:
        """Return the diaries of those who may give a start: of one what is in its way, of several what tells who is
        least busy.
        """
        if len(staff_ids) > 1:
            return await self.read(staff_ids, start_min, start_min, now)
        wanted = slots.session(offering, 0, start_min)
        return await self.diaries.read(staff_ids, wanted.busy_from_min, wanted.busy_until_min, now)

    async def taken(self, actor: Actor, offering: Offering, staff_id: int | None, start_min: int) -> SlotTaken:
        """Return the refusal of a start that somebody else has, with the next ones that are free."""
        staff_ids = (staff_id,) if staff_id is not None else offering.staff_ids
        now = self.clock.now()
        earliest, before = booking.bookable(offering, now, exempt=booking.is_exempt(actor, staff_id))
        begin, end = max(start_min, earliest), min(start_min + NEXT_DAYS * DAY_MIN, before)
        found = slots.all_free(offering, await self.read(staff_ids, begin, end, now), begin, end)
        next_free = [
            {"starts_at": booking.told(instant_of(slot.start_min)), "staff_id": slot.staff_id}
            for slot in found[:NEXT_FREE]
        ]
        return SlotTaken(next_free=next_free)


USE_CASES = (FindSlots,)
