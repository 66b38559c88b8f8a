"""Refusals of the bookings context."""

from opora.core.kernel.errors import Conflict, Invalid, NotFound, PermissionDenied


class InvalidOffering(Invalid):
    """This service cannot be offered: a field is out of its bounds."""

    code = "invalid_service"


class NoSuchOffering(NotFound):
    """No service has this id, or it is no longer offered."""

    code = "no_such_service"


class NotYourOffering(PermissionDenied):
    """Staff may change services that they alone give; an admin may change any."""

    code = "not_your_service"


class InvalidAvailability(Invalid):
    """These working hours do not fit together."""

    code = "invalid_availability"


class NoSuchStaff(NotFound):
    """No member of staff has this id, or their hours are not yours to see."""

    code = "no_such_staff"


class InvalidZone(Invalid):
    """No time zone has this name."""

    code = "invalid_timezone"


class InvalidPeriod(Invalid):
    """This span of time cannot be asked for."""

    code = "invalid_period"


class InvalidBooking(Invalid):
    """This appointment cannot be asked for: a field is out of its bounds."""

    code = "invalid_booking"


class InvalidRule(Invalid):
    """This recurrence rule is not one that is taken."""

    code = "invalid_rrule"


class ClientUnknown(Invalid):
    """No active user has this id."""

    code = "client_unknown"


class SlotNotOffered(Invalid):
    """Nobody offers this service at that time."""

    code = "slot_not_offered"


class SlotTaken(Conflict):
    """Somebody else has this time."""

    code = "slot_taken"


class NoSuchAppointment(NotFound):
    """No appointment has this id, or it is not yours to see."""

    code = "no_such_appointment"


class NotYoursToDecide(PermissionDenied):
    """You may see this appointment, but this step is not yours."""

    code = "not_yours_to_decide"


class NotForOthers(PermissionDenied):
    """Only staff and admins book for somebody else."""

    code = "not_for_others"


class AlreadyStarted(Conflict):
    """The appointment has begun or is over."""

    code = "appointment_started"


class NotStarted(Conflict):
    """The appointment has not begun yet."""

    code = "appointment_not_started"


class TooLateToMove(Conflict):
    """Moving it now would cost the fee of a late cancellation; cancel it instead."""

    code = "too_late_to_move"


class NoSuchHold(NotFound):
    """No hold has this id, or it is not yours."""

    code = "no_such_hold"


class HoldSpent(Conflict):
    """The hold was taken up or its time is over."""

    code = "hold_spent"


class TooManyHolds(Conflict):
    """You hold as many times as one may; take one up or let it lapse."""

    code = "too_many_holds"


class NoSuchEntry(NotFound):
    """No entry of the waitlist has this id, or it is not yours."""

    code = "no_such_waitlist_entry"


class AlreadyWaiting(Conflict):
    """You wait for this service in that span already."""

    code = "already_waiting"


class NoSuchCalendar(NotFound):
    """No calendar has this address."""

    code = "no_such_calendar"


class TooManyCalendars(Conflict):
    """You have as many calendar addresses as one may; revoke one."""

    code = "too_many_calendars"
