"""The repositories of services, calendars and appointments."""

from functools import cached_property

from opora.adapters.sql.bookings.appointments import SqlAppointmentRepository
from opora.adapters.sql.bookings.calendars import SqlFeedRepository
from opora.adapters.sql.bookings.diaries import SqlDiaryRepository
from opora.adapters.sql.bookings.offerings import SqlOfferingRepository
from opora.adapters.sql.bookings.waiting import SqlWaitlistRepository
from opora.adapters.sql.repositories import Repositories


class BookingRepositories(Repositories):
    """Rows of services, calendars and appointments inside one transaction."""

    @cached_property
    def offerings(self) -> SqlOfferingRepository:
        return SqlOfferingRepository(self._connection)

    @cached_property
    def diaries(self) -> SqlDiaryRepository:
        return SqlDiaryRepository(self._connection)

    @cached_property
    def appointments(self) -> SqlAppointmentRepository:
        return SqlAppointmentRepository(self._connection)

    @cached_property
    def waitlist(self) -> SqlWaitlistRepository:
        return SqlWaitlistRepository(self._connection)

    @cached_property
    def feeds(self) -> SqlFeedRepository:
        return SqlFeedRepository(self._connection)
