"""What people can do with services, times, appointments and calendars."""

from opora.core.bookings.usecases import (
    booking,
    calendars,
    deciding,
    hours,
    letters,
    moving,
    offerings,
    openings,
    series,
    waiting,
    words,
)

USE_CASES = (
    *openings.USE_CASES,
    *booking.USE_CASES,
    *deciding.USE_CASES,
    *moving.USE_CASES,
    *series.USE_CASES,
    *waiting.USE_CASES,
    *offerings.USE_CASES,
    *hours.USE_CASES,
    *calendars.USE_CASES,
    *letters.USE_CASES,
    *words.USE_CASES,
)
