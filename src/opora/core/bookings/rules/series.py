"""How a series is fitted into a diary, and how its appointments move together."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from opora.core.bookings.errors import SlotNotOffered, SlotTaken
from opora.core.bookings.model.appointments import Appointment
from opora.core.bookings.model.hours import DAY_MIN, Busy, Diary, instant_of, minute_of
from opora.core.bookings.model.offerings import Offering
from opora.core.bookings.model.series import Clash, Extent, OnConflict
from opora.core.bookings.rules import slots
from opora.core.bookings.rules.zones import minute_at, wall, zone_of

NEAR_MIN = 7 * DAY_MIN


@dataclass(frozen=True, slots=True)
class Fit:
    """Which starts of a series can be had, and what clashes."""

    starts: tuple[int, ...]
    clashes: tuple[Clash, ...]


def fit(
    offering: Offering, diary: Diary, wanted: Sequence[int], on_conflict: OnConflict, earliest: int, before: int
) -> Fit:
    """Return the starts to book: those that are free, and by NEAREST the nearest free one for each that is not.

    Nothing is booked outside `[earliest, before)`.
    """
    had: list[int] = []
    clashes: list[Clash] = []
    for start in wanted:
        kept = crowded(diary, offering, had)
        if earliest <= start < before and slots.is_free(offering, kept, start):
            had.append(start)
            continue
        code = SlotTaken.code if start < before and slots.is_offered(offering, kept, start) else SlotNotOffered.code
        other = nearest(offering, kept, start, earliest, before) if on_conflict is OnConflict.NEAREST else None
        if other is not None:
            had.append(other)
        clashes.append(Clash(instant_of(start), code, None if other is None else instant_of(other)))
    return Fit(tuple(sorted(had)), tuple(clashes))


def nearest(offering: Offering, diary: Diary, start: int, earliest: int, before: int) -> int | None:
    """Return the free start nearest to one that is not, within a week, the earlier of two; None where there is none."""
    found = slots.free(offering, diary, max(earliest, start - NEAR_MIN), min(before, start + NEAR_MIN + 1))
    return min((slot.start_min for slot in found), key=lambda other: (abs(other - start), other), default=None)


def crowded(diary: Diary, offering: Offering, starts: Sequence[int]) -> Diary:
    """Return the diary with sessions of one more place at these starts, for they are to be booked with the others."""
    if not starts:
        return diary
    busy = {one.from_min: one for one in diary.busy}
    for start in starts:
        session = slots.session(offering, diary.staff_id, start)
        there = busy.get(session.busy_from_min)
        if there is None:
            there = Busy(session.busy_from_min, session.busy_until_min, start, offering.id, 0, offering.capacity)
        busy[session.busy_from_min] = replace(there, taken=there.taken + 1)
    return replace(diary, busy=tuple(sorted(busy.values(), key=lambda one: one.from_min)))


def extent(members: Sequence[Appointment], one: Appointment, wanted: Extent) -> list[Appointment]:
    """Return the appointments of a series, in order, that a change of `one` is about."""
    if wanted is Extent.THIS:
        return [one]
    if wanted is Extent.ALL:
        return list(members)
    return [member for member in members if (member.starts_at, member.id) >= (one.starts_at, one.id)]


def shifted(members: Sequence[Appointment], one: Appointment, start_min: int) -> dict[int, int]:
    """Return the new start of each member when `one` goes to `start_min`.

    All move by as many local days and to the same shift of the wall clock in their own zone, so that a series at nine
    stays a series of one local time on both sides of a change of clocks.
    """
    zone = zone_of(one.timezone)
    day_was, wall_was = wall(minute_of(one.starts_at), zone)
    day_is, wall_is = wall(start_min, zone)
    moved = {}
    for member in members:
        own = zone_of(member.timezone)
        day, wall_min = wall(minute_of(member.starts_at), own)
        total = wall_min + wall_is - wall_was
        target: date = day + (day_is - day_was) + timedelta(days=total // DAY_MIN)
        moved[member.id] = start_min if member.id == one.id else minute_at(target, total % DAY_MIN, own)
    return moved
