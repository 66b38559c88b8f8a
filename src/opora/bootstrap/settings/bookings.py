"""Appointments."""

from typing import Annotated

from opora.bootstrap.settings.about import about
from opora.bootstrap.settings.transfers import TransferSettings


class BookingSettings(TransferSettings, frozen=True, kw_only=True):
    """The part of the settings that `bookings` reads."""

    booking_hold_s: Annotated[int, about("bookings", "Seconds a held time waits to be booked.", ge=10, le=86_400)] = 600
    booking_offer_s: Annotated[
        int, about("bookings", "Seconds a time offered from the waitlist waits to be booked.", ge=60, le=604_800)
    ] = 1800
