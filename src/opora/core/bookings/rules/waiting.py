"""Who may wait for what, and what is offered to the next in line."""

from datetime import datetime

from opora.core.bookings.errors import AlreadyWaiting, InvalidPeriod
from opora.core.bookings.model.hours import Diary, minute_of
from opora.core.bookings.model.offerings import Offering
from opora.core.bookings.model.waiting import ENTRIES_MAX, Entry, Freed
from opora.core.bookings.rules import slots
from opora.core.bookings.rules.booking import bookable
from opora.core.bookings.rules.offerings import OVERSEE
from opora.core.kernel.model import Actor, Interval

WAIT_DAYS_MAX = 366


def span(starts_from: datetime, starts_before: datetime, now: datetime) -> Interval:
    """Return the span somebody waits for; raises InvalidPeriod unless it is in order, ahead, and bounded."""
    errors: dict[str, list[str]] = {}
    if starts_before <= starts_from:
        errors["to"] = ["is after from"]
    elif starts_before <= now:
        errors["to"] = ["is ahead"]
    elif (starts_before - max(starts_from, now)).days >= WAIT_DAYS_MAX:
        errors["to"] = [f"lies within {WAIT_DAYS_MAX} days"]
    if errors:
        raise InvalidPeriod(errors=errors)
    return Interval(starts_from, starts_before)


def refuse_more(open_entries: int) -> None:
    """Raise AlreadyWaiting where somebody waits for as much as one may."""
    if open_entries >= ENTRIES_MAX:
        raise AlreadyWaiting(f"You wait for {ENTRIES_MAX} things already.", most=ENTRIES_MAX)


def place_for(entry: Entry, offering: Offering, diary: Diary, freed: Freed, now: datetime) -> int | None:
    """Return the first free start for an entry that a freed span makes possible; None where there is none."""
    earliest, before = bookable(offering, now, exempt=False)
    reach = offering.duration_min + offering.buffer_before_min + offering.buffer_after_min
    begin = max(minute_of(entry.starts_from), earliest, freed.from_min - reach)
    end = min(minute_of(entry.starts_before), before, freed.until_min + offering.buffer_before_min)
    found = slots.free(offering, diary, begin, end)
    return found[0].start_min if found else None


def reach(actor: Actor) -> int | None:
    """Return whose entries the caller may see: None for everyone's, 0 for nobody's."""
    if actor.may(OVERSEE):
        return None
    return actor.user_id or 0
