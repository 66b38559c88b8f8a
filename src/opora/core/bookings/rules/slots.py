"""Free starts by arithmetic on spans of instants: opening hours, without closures, without what is taken."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

from opora.core.bookings.model.appointments import Session
from opora.core.bookings.model.hours import DAY_MIN, Busy, Diary, Slot, instant_of
from opora.core.bookings.model.offerings import Offering
from opora.core.bookings.rules import hours

ONE_DAY = timedelta(days=1)
NOTHING: tuple[list[int], list[hours.Span]] = ([], [])


def free(offering: Offering, diary: Diary, from_min: int, before_min: int) -> list[Slot]:
    """Return the starts in `[from_min, before_min)` that a member of staff has free for a service, in order.

    Starts lie on a grid that begins where a window of the hours begins. The service ends within hours that follow on
    one another; its buffers may reach beyond them, but not into another session.
    """
    starts, spans = offered(offering, diary, from_min, before_min)
    busy, length, staff_id = diary.busy, offering.duration_min, diary.staff_id
    before, after = offering.buffer_before_min, length + offering.buffer_after_min
    found: list[Slot] = []
    span, place, last = 0, 0, len(busy)
    for start in starts:
        while spans[span][1] <= start:  # a start lies in a window, and a window in a span or in a closure
            span += 1
            if span == len(spans):
                return found
        if start < spans[span][0] or start + length > spans[span][1]:
            continue
        while place < last and busy[place].until_min <= start - before:
            place += 1
        places = offering.capacity
        if place < last and busy[place].from_min < start + after:
            places = left(busy[place], session(offering, staff_id, start))
        if places > 0:
            found.append(Slot(start, start + length, staff_id, places))
    return found


def offered(offering: Offering, diary: Diary, from_min: int, before_min: int) -> tuple[list[int], list[hours.Span]]:
    """Return the starts on the grid, in order and each once, and the spans that are open around them."""
    if diary.availability is None or from_min >= before_min:
        return NOTHING
    first, last = instant_of(from_min).date() - ONE_DAY, instant_of(before_min + DAY_MIN).date() + ONE_DAY
    windows = hours.windows(diary.availability, first, last)
    spans = hours.without(hours.joined(windows), hours.closed_spans(diary.availability))
    if not spans:
        return NOTHING
    starts: list[int] = []
    for begin, end in windows:
        skipped = max(0, -((begin - from_min) // offering.step_min))
        starts += range(begin + skipped * offering.step_min, min(end, before_min), offering.step_min)
    if any(one >= other for one, other in pairwise(starts)):
        starts = sorted(set(starts))  # clocks put forward push one window into the next
    return starts, spans


def session(offering: Offering, staff_id: int, start_min: int) -> Session:
    """Return the session that a start belongs to."""
    return Session(
        staff_id=staff_id,
        service_id=offering.id,
        start_min=start_min,
        busy_from_min=start_min - offering.buffer_before_min,
        busy_until_min=start_min + offering.duration_min + offering.buffer_after_min,
        capacity=offering.capacity,
    )


def left(busy: Busy, wanted: Session) -> int:
    """Return how many places of a session are left to those who want to join it; none to another session."""
    same = (
        busy.service_id == wanted.service_id
        and busy.start_min == wanted.start_min
        and busy.from_min == wanted.busy_from_min
        and busy.until_min == wanted.busy_until_min
    )
    return max(0, busy.capacity - busy.taken) if same else 0


def is_offered(offering: Offering, diary: Diary, start_min: int) -> bool:
    """Tell whether a start lies on the grid within hours, whoever has it."""
    return bool(free(offering, Diary(diary.staff_id, diary.availability), start_min, start_min + 1))


def is_free(offering: Offering, diary: Diary, start_min: int) -> bool:
    """Tell whether a start may be booked."""
    return bool(free(offering, diary, start_min, start_min + 1))


def all_free(offering: Offering, diaries: Sequence[Diary], from_min: int, before_min: int) -> list[Slot]:
    """Return the free starts of several members of staff, by time and then by who."""
    found = [slot for diary in diaries for slot in free(offering, diary, from_min, before_min)]
    if len(diaries) > 1:
        found.sort(key=lambda slot: (slot.start_min, slot.staff_id))
    return found
