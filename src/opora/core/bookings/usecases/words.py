"""The names that stand around appointments in calendars."""

from collections.abc import Sequence
from dataclasses import dataclass

from opora.core.bookings.model.appointments import Appointment
from opora.core.bookings.model.calendars import Invitation, Person
from opora.core.bookings.ports.offerings import OfferingViews, People

NOBODY = Person("", "")


@dataclass(frozen=True, slots=True)
class CalendarWords:
    """Find the names that stand around appointments in a calendar."""

    offerings: OfferingViews
    people: People

    async def __call__(self, appointments: Sequence[Appointment]) -> list[Invitation]:
        """Return each appointment with its service and its people."""
        ids = {one.staff_id for one in appointments} | {one.client_id for one in appointments}
        people = await self.people.named(sorted(ids))
        names = await self.offerings.names(sorted({one.service_id for one in appointments}))
        return [
            Invitation(
                one,
                names.get(one.service_id, ""),
                people.get(one.staff_id, NOBODY),
                people.get(one.client_id, NOBODY),
            )
            for one in appointments
        ]


USE_CASES = (CalendarWords,)
