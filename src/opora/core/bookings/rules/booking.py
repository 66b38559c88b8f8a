"""Who may book, for whom, when; who may take the next step of an appointment."""

from dataclasses import replace
from datetime import datetime, timedelta

from opora.core.bookings import errors
from opora.core.bookings.model.appointments import COMING, HOLDS_MAX, MOVES, Appointment, Part, Reach, Status
from opora.core.bookings.model.hours import DAY_MIN, minute_of
from opora.core.bookings.model.offerings import Offering
from opora.core.bookings.rules.cancellation import fee
from opora.core.bookings.rules.offerings import OVERSEE
from opora.core.kernel.errors import IllegalMove
from opora.core.kernel.model import Actor

MANAGE = "appointments:manage"
"""What lets staff decide upon the appointments that they give."""
EVERYONES = Reach(is_everyones=True)


def reach(actor: Actor) -> Reach:
    """Return whose appointments the caller may see; somebody without an account sees none of their own."""
    if actor.may(OVERSEE):
        return EVERYONES
    own = actor.user_id if actor.user_id is not None else 0
    return Reach(client_id=own, staff_id=own if actor.may(MANAGE) else None)


def is_exempt(actor: Actor, staff_id: int | None = None) -> bool:
    """Tell whether notice and horizon do not bind the caller: staff in their own diary, and who oversees all."""
    if actor.may(OVERSEE):
        return True
    return actor.may(MANAGE) and staff_id is not None and staff_id == actor.user_id


def client_of(actor: Actor, client_id: int | None) -> int:
    """Return whom an appointment is for; raises NotForOthers, or InvalidBooking where nobody is named."""
    if client_id is None:
        if actor.user_id is None:
            raise errors.InvalidBooking(errors={"client_id": ["is needed: this key belongs to nobody"]})
        return actor.user_id
    if client_id != actor.user_id and not (actor.may(OVERSEE) or actor.may(MANAGE)):
        raise errors.NotForOthers
    return client_id


def refuse_early_or_late(offering: Offering, start_min: int, now: datetime, *, exempt: bool) -> None:
    """Raise SlotNotOffered for a start that is past, too soon or too far ahead."""
    earliest, before = bookable(offering, now, exempt=exempt)
    if not earliest <= start_min < before:
        told = (
            "is past" if start_min < minute_of(now) else "is too soon" if start_min < earliest else "is too far ahead"
        )
        raise errors.SlotNotOffered(errors={"starts_at": [told]})


def bookable(offering: Offering, now: datetime, *, exempt: bool) -> tuple[int, int]:
    """Return the span of starts, in minutes, that may be booked now: notice and horizon bind clients alone."""
    at = minute_of(now) + 1
    if exempt:
        return at, at + 2 * 366 * DAY_MIN
    return at + offering.min_notice_min, at + offering.horizon_days * DAY_MIN


def whole_minute(starts_at: datetime) -> int:
    """Return a start as a minute; raises SlotNotOffered within one, where nobody's hours begin."""
    if starts_at.second or starts_at.microsecond:
        raise errors.SlotNotOffered(errors={"starts_at": ["is a whole minute"]})
    return minute_of(starts_at)


def part_of(actor: Actor, appointment: Appointment) -> Part:
    """Return what the caller is to an appointment that they see."""
    if actor.may(OVERSEE) and actor.may(MANAGE):
        return Part.OVERSEER
    if actor.may(MANAGE) and actor.user_id == appointment.staff_id:
        return Part.STAFF
    return Part.CLIENT


def refuse_deciding(actor: Actor, appointment: Appointment) -> None:
    """Raise NotYoursToDecide unless the caller gives the appointment or oversees all."""
    if part_of(actor, appointment) is Part.CLIENT:
        raise errors.NotYoursToDecide


def refuse_changing(actor: Actor, appointment: Appointment) -> None:
    """Raise NotYoursToDecide for who sees an appointment without having a part in it."""
    if part_of(actor, appointment) is Part.CLIENT and actor.user_id != appointment.client_id:
        raise errors.NotYoursToDecide


def refuse_started(appointment: Appointment, now: datetime) -> None:
    """Raise AlreadyStarted for what was to come and has begun; other states are for the table of moves to refuse."""
    if appointment.status in COMING and now >= appointment.starts_at:
        raise errors.AlreadyStarted(starts_at=told(appointment.starts_at))


def refuse_unstarted(appointment: Appointment, now: datetime) -> None:
    """Raise NotStarted for a confirmed appointment that has not begun."""
    if appointment.status is Status.CONFIRMED and now < appointment.starts_at:
        raise errors.NotStarted(starts_at=told(appointment.starts_at))


def refuse_costly_move(actor: Actor, appointment: Appointment, now: datetime) -> None:
    """Raise TooLateToMove where cancelling now would cost its client: moving is no way around the fee."""
    due = fee(appointment, actor, now)
    if due.amount_minor:
        raise errors.TooLateToMove(fee_minor=due.amount_minor, currency=due.currency)


def spent(hold: Appointment, now: datetime) -> bool:
    """Tell whether a hold cannot be taken up any more."""
    return hold.status is not Status.HELD or hold.expires_at is None or hold.expires_at <= now


def hold_ends(now: datetime, lives_s: int, starts_at: datetime) -> datetime:
    """Return when a hold lapses: after its time, and never after the start itself."""
    return min(now + timedelta(seconds=lives_s), starts_at)


def told(at: datetime) -> str:
    """Return an instant as problem documents show it."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def held(draft: Appointment, client_id: int, now: datetime, lives_s: int) -> Appointment:
    """Return a hold of somebody's, with its end."""
    return replace(draft, client_id=client_id, expires_at=hold_ends(now, lives_s, draft.starts_at))


def refuse_more_holds(count: int) -> None:
    """Raise TooManyHolds where somebody holds as many times as one may."""
    if count >= HOLDS_MAX:
        raise errors.TooManyHolds(most=HOLDS_MAX)


def givers(offering: Offering, staff_id: int | None) -> tuple[int, ...]:
    """Return who may give a service to somebody who names one member of staff or none; raises SlotNotOffered."""
    if staff_id is None:
        return offering.staff_ids
    if staff_id not in offering.staff_ids:
        raise errors.SlotNotOffered(errors={"staff_id": ["does not give this service"]})
    return (staff_id,)


def refuse_other_wish(
    hold: Appointment, service_id: int | None, starts_at: datetime | None, staff_id: int | None
) -> None:
    """Raise InvalidBooking where what is asked for beside a hold is not what is held."""
    faults: dict[str, list[str]] = {}
    if service_id not in (None, hold.service_id):
        faults["service_id"] = ["is not the one held"]
    if starts_at not in (None, hold.starts_at):
        faults["starts_at"] = ["is not the one held"]
    if staff_id not in (None, hold.staff_id):
        faults["staff_id"] = ["is not the one held"]
    if faults:
        raise errors.InvalidBooking(errors=faults)


def refuse_unmovable(appointment: Appointment) -> None:
    """Raise IllegalMove for an appointment that is not still to come."""
    if appointment.status not in COMING:
        raise IllegalMove(
            f"{appointment.status} appointments cannot be moved",
            state=str(appointment.status),
            target="moved",
            allowed=[str(one) for one in MOVES.allowed(appointment.status)],
        )


def asks_again(actor: Actor, appointment: Appointment, *, auto_confirm: bool) -> bool:
    """Tell whether a move must be confirmed anew: a client's, of a service whose staff confirm."""
    confirmed = appointment.status is Status.CONFIRMED
    return confirmed and not auto_confirm and part_of(actor, appointment) is Part.CLIENT
