"""What a cancellation and a missed appointment cost."""

from datetime import datetime, timedelta

from opora.core.bookings.model.appointments import Appointment, Status
from opora.core.bookings.model.offerings import CancellationPolicy
from opora.core.kernel.model import Actor, Money

PER_CENT = 100


def fee(appointment: Appointment, actor: Actor, now: datetime) -> Money:
    """Return what it costs that somebody cancels now; asked twice at one instant, it is the same.

    Nothing, while it waits for confirmation, within the grace after booking, or for the roles the policy exempts.
    """
    policy = appointment.policy
    free = (
        appointment.status is not Status.CONFIRMED
        or now < appointment.created_at + timedelta(minutes=policy.grace_min)
        or is_exempt(appointment, actor)
    )
    return share(appointment, 0 if free else percent(policy, appointment.starts_at - now))


def is_exempt(appointment: Appointment, actor: Actor) -> bool:
    """Tell whether somebody cancels in a role that costs nothing: not by that role when it is their own visit."""
    if actor.user_id is not None and actor.user_id == appointment.client_id:
        return "client" in appointment.policy.exempt_roles
    roles = actor.roles | {"staff"} if actor.user_id == appointment.staff_id else actor.roles
    roles = roles | {"admin"} if actor.may("admin") else roles
    return not roles.isdisjoint(appointment.policy.exempt_roles)


def missed_fee(appointment: Appointment) -> Money:
    """Return what not coming costs: as much as cancelling at the last moment."""
    return share(appointment, percent(appointment.policy, timedelta(0)))


def percent(policy: CancellationPolicy, notice: timedelta) -> int:
    """Return the part of the price that this notice costs."""
    for band in sorted(policy.bands, key=lambda band: -band.notice_hours):
        if notice >= timedelta(hours=band.notice_hours):
            return band.fee_percent
    return max((band.fee_percent for band in policy.bands), default=0)


def share(appointment: Appointment, part: int) -> Money:
    """Return that part of the price, half a minor unit rounded up; never more than the price."""
    amount_minor = (appointment.price_minor * part * 2 + PER_CENT) // (PER_CENT * 2)
    return Money(amount_minor, appointment.currency)
