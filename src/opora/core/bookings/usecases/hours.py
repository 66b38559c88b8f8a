"""Setting and reading working hours."""

from dataclasses import dataclass

from opora.core.bookings.errors import NoSuchStaff
from opora.core.bookings.model.hours import Availability
from opora.core.bookings.ports.appointments import BookingTx
from opora.core.bookings.ports.diaries import DiaryViews
from opora.core.bookings.ports.offerings import People
from opora.core.bookings.rules import hours as rules
from opora.core.bookings.rules.offerings import OVERSEE
from opora.core.kernel.model import Actor, Change
from opora.core.kernel.ports import Clock, UnitOfWork


async def refuse_stranger(people: People, actor: Actor, user_id: int) -> None:
    """Raise NoSuchStaff unless this is a member of staff whose hours the caller may see: their own, or all."""
    if user_id != actor.user_id and not actor.may(OVERSEE):
        raise NoSuchStaff(user_id=user_id)
    if not await people.staff([user_id]):
        raise NoSuchStaff(user_id=user_id)


@dataclass(frozen=True, slots=True)
class ReadHours:
    """Read somebody's working hours."""

    people: People
    diaries: DiaryViews

    async def __call__(self, actor: Actor, user_id: int) -> Availability:
        """Return the hours, none where none were set; raises NoSuchStaff."""
        await refuse_stranger(self.people, actor, user_id)
        return await self.diaries.hours(user_id) or Availability(user_id=user_id, timezone="UTC")


@dataclass(frozen=True, slots=True)
class SetHours:
    """Replace somebody's working hours; what is booked outside them stays."""

    unit: UnitOfWork[BookingTx]
    people: People
    clock: Clock

    async def __call__(self, actor: Actor, wanted: Availability) -> Availability:
        """Return the hours in order; raises NoSuchStaff, InvalidAvailability, InvalidZone."""
        await refuse_stranger(self.people, actor, wanted.user_id)
        after = rules.checked(wanted)
        now = self.clock.now()
        async with self.unit() as tx:
            await tx.diaries.set_hours(after, now)
            await tx.audit.record(
                Change(
                    actor=actor,
                    action="availability.set",
                    entity_type="availability",
                    entity_id=str(after.user_id),
                    at=now,
                    new={
                        "timezone": after.timezone,
                        "weekly": len(after.weekly),
                        "exceptions": len(after.exceptions),
                        "blackouts": len(after.closures),
                    },
                )
            )
        return after


USE_CASES = (ReadHours, SetHours)
