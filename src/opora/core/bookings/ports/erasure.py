"""What bookings keep of people as rows."""

from opora.core.access.ports.personal import PersonalRecords


class BookingRows(PersonalRecords):
    """The records of appointments, waiting, hours and calendars; erasing them cancels nothing."""
