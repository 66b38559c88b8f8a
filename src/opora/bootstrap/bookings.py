"""Wires services, calendars and appointments."""

from dishka import AnyOf, Provider, Scope, provide

from opora.adapters.ical.files import IcalendarFiles
from opora.adapters.sql.bookings.appointments import SqlAppointmentViews
from opora.adapters.sql.bookings.calendars import SqlFeedViews
from opora.adapters.sql.bookings.diaries import SqlDiaryViews
from opora.adapters.sql.bookings.offerings import SqlOfferingViews, SqlPeople
from opora.adapters.sql.bookings.waiting import SqlWaitlistViews
from opora.adapters.sql.connection import Database
from opora.adapters.sql.personal import SqlBookingRecords
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.bootstrap.context import Context
from opora.bootstrap.settings import Settings
from opora.core.bookings import usecases
from opora.core.bookings.model.appointments import HOLD, UNANSWERED, HoldPolicy
from opora.core.bookings.ports.appointments import AppointmentViews, BookingTx
from opora.core.bookings.ports.calendars import CalendarFiles, FeedTx, FeedViews
from opora.core.bookings.ports.diaries import DiaryViews
from opora.core.bookings.ports.erasure import BookingRows
from opora.core.bookings.ports.offerings import OfferingViews, People
from opora.core.bookings.ports.waiting import WaitlistViews
from opora.core.bookings.usecases.booking import LapseHold
from opora.core.bookings.usecases.deciding import CancelUnanswered
from opora.core.bookings.usecases.erasure import BookingRecords
from opora.core.bookings.usecases.letters import InvitationFiles, ReminderRelevance
from opora.core.kernel.ports import UnitOfWork
from opora.core.notifications.model.kinds import INVITATIONS, STILL_STANDS


class Bookings(Provider):
    """Services, diaries, appointments, the waitlist and calendars."""

    scope = Scope.APP

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings

    @provide
    def unit(self, unit: SqlUnitOfWork) -> AnyOf[UnitOfWork[BookingTx], UnitOfWork[FeedTx]]:
        return unit

    @provide
    def policy(self) -> HoldPolicy:
        return HoldPolicy(self._settings.booking_hold_s, self._settings.booking_offer_s)

    @provide
    def files(self) -> CalendarFiles:
        return IcalendarFiles()

    @provide
    def offerings(self, database: Database) -> OfferingViews:
        return SqlOfferingViews(database.read)

    @provide
    def people(self, database: Database) -> People:
        return SqlPeople(database.read)

    @provide
    def diaries(self, database: Database) -> DiaryViews:
        return SqlDiaryViews(database.read)

    @provide
    def appointments(self, database: Database) -> AppointmentViews:
        return SqlAppointmentViews(database.read)

    @provide
    def waitlist(self, database: Database) -> WaitlistViews:
        return SqlWaitlistViews(database.read)

    @provide
    def rows(self, database: Database) -> BookingRows:
        return SqlBookingRecords(database)

    @provide
    def feeds(self, database: Database) -> FeedViews:
        return SqlFeedViews(database.read)


def providers(settings: Settings) -> list[Provider]:
    """Every provider of appointments."""
    return [Bookings(settings)]


CONTEXT = Context(
    use_cases=usecases.USE_CASES,
    providers=providers,
    handlers={HOLD: LapseHold, UNANSWERED: CancelUnanswered},
    relevance={STILL_STANDS: ReminderRelevance},
    attachments={INVITATIONS: InvitationFiles},
    personal=[BookingRecords],
)
