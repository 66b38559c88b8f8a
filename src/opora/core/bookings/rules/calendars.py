"""Which calendars somebody may have, and what stands in them."""

from datetime import datetime, timedelta

from opora.core.bookings.errors import TooManyCalendars
from opora.core.bookings.model.appointments import Appointment, Status
from opora.core.bookings.model.calendars import FEED_AHEAD_DAYS, FEED_PAST_DAYS, FEEDS_MAX, Method
from opora.core.kernel.model import Interval


def refuse_more(count: int) -> None:
    """Raise TooManyCalendars where somebody has as many as one may."""
    if count >= FEEDS_MAX:
        raise TooManyCalendars(most=FEEDS_MAX)


def span(now: datetime) -> Interval:
    """Return the span of time that a feed shows."""
    return Interval(now - timedelta(days=FEED_PAST_DAYS), now + timedelta(days=FEED_AHEAD_DAYS))


def method(appointment: Appointment) -> Method:
    """Return what an invitation asks for: to keep the date, or to strike it out."""
    return Method.CANCEL if appointment.status is Status.CANCELLED else Method.REQUEST
