"""The stores of services, diaries, appointments, the waitlist and calendars keep their contracts."""

import pytest

from opora.adapters.sql.bookings.appointments import SqlAppointmentViews
from opora.adapters.sql.bookings.calendars import SqlFeedViews
from opora.adapters.sql.bookings.diaries import SqlDiaryViews
from opora.adapters.sql.bookings.offerings import SqlOfferingViews
from opora.adapters.sql.bookings.waiting import SqlWaitlistViews
from opora.adapters.sql.connection import Database
from opora.adapters.sql.errors import ConstraintBroken
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.core.access.model.people import User
from opora.testing.bookings import NOON, AppointmentRacesContract
from opora.testing.offerings import OfferingRepositoryContract
from opora.testing.waiting import FeedRepositoryContract, WaitlistRepositoryContract

pytestmark = pytest.mark.anyio

OVERLAPS = """
SELECT count(*) FROM engagements a JOIN engagements b ON a.staff_id = b.staff_id AND a.id < b.id
 AND a.busy_from_min < b.busy_until_min AND b.busy_from_min < a.busy_until_min
"""


class TestSqlOfferings(OfferingRepositoryContract):
    """Services on each relational store in turn."""

    @pytest.fixture(autouse=True)
    def _store(self, unit: SqlUnitOfWork, database: Database) -> None:
        self.unit = unit
        self.views = SqlOfferingViews(database.read)
        self.diaries = SqlDiaryViews(database.read)


class TestSqlAppointments(AppointmentRacesContract):
    """Appointments on each relational store in turn."""

    @pytest.fixture(autouse=True)
    def _store(self, unit: SqlUnitOfWork, database: Database) -> None:
        self.unit = unit
        self.database = database
        self.views = SqlAppointmentViews(database.read)
        self.diaries = SqlDiaryViews(database.read)

    async def raw(self, sql: str) -> bool:
        try:
            return await self.database.read.execute(sql) > 0
        except ConstraintBroken:
            return False

    async def overlaps(self) -> int:
        return int(await self.database.read.fetch_value(OVERLAPS))


class TestSqlWaitlist(WaitlistRepositoryContract):
    """The waitlist on each relational store in turn."""

    @pytest.fixture(autouse=True)
    def _store(self, unit: SqlUnitOfWork, database: Database) -> None:
        self.unit = unit
        self.views = SqlWaitlistViews(database.read)


class TestSqlFeeds(FeedRepositoryContract):
    """Private calendars on each relational store in turn."""

    @pytest.fixture(autouse=True)
    async def _store(self, unit: SqlUnitOfWork, database: Database) -> None:
        self.unit = unit
        self.views = SqlFeedViews(database.read)
        self.user_id = 7
        async with unit() as tx:
            await tx.users.add(User(id=7, email="anna@example.org", created_at=NOON))
