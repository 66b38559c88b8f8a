"""A salon: every use case of appointments over one store, its people, and a worker for its jobs."""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from core.bookings.builders import ADMIN, NOW, STAFF, an_offering, office_hours
from opora.adapters.ical.files import IcalendarFiles
from opora.adapters.sql.bookings.appointments import SqlAppointmentViews
from opora.adapters.sql.bookings.calendars import SqlFeedViews
from opora.adapters.sql.bookings.diaries import SqlDiaryViews
from opora.adapters.sql.bookings.offerings import SqlOfferingViews, SqlPeople
from opora.adapters.sql.bookings.waiting import SqlWaitlistViews
from opora.adapters.sql.connection import Database
from opora.adapters.sql.personal import SqlBookingRecords
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.adapters.system.identifiers import TimeOrderedIdentifiers
from opora.adapters.system.randomness import SystemRandomness
from opora.core.access.model.people import User
from opora.core.access.model.scopes import Role
from opora.core.bookings.model.appointments import HOLD, UNANSWERED, Appointment, HoldPolicy, Wish
from opora.core.bookings.model.hours import Availability, instant_of, minute_of
from opora.core.bookings.model.offerings import Offering
from opora.core.bookings.rules.openings import Span
from opora.core.bookings.usecases.booking import BookAppointment, HoldSlot, LapseHold, TakeUpHold
from opora.core.bookings.usecases.calendars import MakeFeed, ReadFeed, RevokeFeed, WriteInvitation
from opora.core.bookings.usecases.deciding import (
    CancelAppointment,
    CancelUnanswered,
    CompleteAppointment,
    ConfirmAppointment,
    MissAppointment,
    QuoteCancellation,
)
from opora.core.bookings.usecases.desk import Desk
from opora.core.bookings.usecases.erasure import BookingRecords
from opora.core.bookings.usecases.hours import ReadHours, SetHours
from opora.core.bookings.usecases.letters import InvitationFiles, ReminderRelevance
from opora.core.bookings.usecases.moving import MoveAppointment
from opora.core.bookings.usecases.offerings import AddOffering, ChangeOffering, RetireOffering
from opora.core.bookings.usecases.openings import FindSlots
from opora.core.bookings.usecases.series import BookSeries
from opora.core.bookings.usecases.turns import Turns
from opora.core.bookings.usecases.waiting import JoinWaitlist, LeaveWaitlist
from opora.core.bookings.usecases.words import CalendarWords
from opora.core.jobs.model import Claim
from opora.core.kernel.model import Actor
from opora.core.kernel.ports import Clock

PEOPLE = {
    1: (Role.CLIENT,),
    2: (Role.CLIENT,),
    3: (Role.CLIENT,),
    10: (Role.STAFF,),
    11: (Role.STAFF,),
    99: (Role.ADMIN,),
}
"""Who there is; user 4 was blocked."""


class TurnedClock(Clock):
    """A clock that the test turns."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at


@dataclass
class Salon:
    """Every use case over one store."""

    unit: SqlUnitOfWork
    database: Database
    clock: TurnedClock = field(default_factory=TurnedClock)
    policy: HoldPolicy = field(default_factory=lambda: HoldPolicy(600, 1800))

    def __post_init__(self) -> None:
        read, unit, clock = self.database.read, self.unit, self.clock
        self.offerings, self.people = SqlOfferingViews(read), SqlPeople(read)
        self.diaries, self.views = SqlDiaryViews(read), SqlAppointmentViews(read)
        self.entries, self.feeds = SqlWaitlistViews(read), SqlFeedViews(read)
        self.find = FindSlots(self.offerings, self.diaries, clock)
        self.desk = Desk(TimeOrderedIdentifiers(), self.policy)
        self.turns = Turns()
        self.hold = HoldSlot(unit, self.find, self.desk, self.turns, clock)
        self.book = BookAppointment(unit, self.find, self.people, self.desk, self.turns, clock)
        self.take_up = TakeUpHold(unit, self.people, self.desk, clock)
        self.book_series = BookSeries(unit, self.find, self.people, self.desk, clock)
        self.confirm = ConfirmAppointment(unit, self.views, clock)
        self.quote = QuoteCancellation(self.views, clock)
        self.cancel = CancelAppointment(unit, self.views, self.desk, clock)
        self.complete = CompleteAppointment(unit, self.views, clock)
        self.miss = MissAppointment(unit, self.views, clock)
        self.move = MoveAppointment(unit, self.views, self.find, self.desk, clock)
        self.join = JoinWaitlist(unit, self.find, self.people, clock)
        self.leave = LeaveWaitlist(unit, self.entries, self.desk, clock)
        self.add = AddOffering(unit, self.people, clock)
        self.change = ChangeOffering(unit, self.offerings, self.people, clock)
        self.retire = RetireOffering(unit, self.offerings, clock)
        self.read_hours = ReadHours(self.people, self.diaries)
        self.set_hours = SetHours(unit, self.people, clock)
        words = CalendarWords(self.offerings, self.people)
        self.invitation = WriteInvitation(self.views, words, IcalendarFiles())
        self.make_feed = MakeFeed(unit, SystemRandomness(), clock)
        self.revoke_feed = RevokeFeed(unit, clock)
        self.read_feed = ReadFeed(self.feeds, self.views, words, IcalendarFiles(), clock)
        self.relevance = ReminderRelevance(self.views)
        self.attached = InvitationFiles(self.views, words, IcalendarFiles())
        self.records = BookingRecords(SqlBookingRecords(self.database), unit, self.views, self.desk, clock)

    async def open(self, *hours: Availability, **changes: Any) -> Offering:
        """Let the people in, set hours of both members of staff, and offer a service of staff 10."""
        async with self.unit() as tx:
            for id, roles in PEOPLE.items():
                email = f"user{id}@example.org"
                await tx.users.add(User(id=id, email=email, roles=frozenset(roles), full_name=f"U{id}", created_at=NOW))
            blocked = User(id=4, email="user4@example.org", is_active=False, created_at=NOW)
            await tx.users.add(blocked)
        for one in hours or (office_hours(10), office_hours(11)):
            await self.set_hours(ADMIN, one)
        return await self.offered(**changes)

    async def offered(self, **changes: Any) -> Offering:
        """Offer one more service."""
        return await self.add(ADMIN, an_offering(**({"id": 0} | changes)))

    async def booked(self, actor: Actor, at: datetime, service_id: int = 1, **wish: Any) -> Appointment:
        """Book a time."""
        return await self.book(actor, Wish(service_id=service_id, starts_at=at, **wish))

    async def starts(self, day: datetime, service_id: int = 1, actor: Actor = STAFF) -> list[datetime]:
        """Return the starts that are free within a day."""
        found = await self.find(actor, service_id, None, Span(minute_of(day), minute_of(day + timedelta(days=1))))
        return [instant_of(slot.start_min) for slot in found]

    async def work(self) -> int:
        """Run the jobs of appointments that are due by the clock; return how many."""
        rows = await self.database.read.fetch(
            "SELECT id, kind, payload FROM jobs WHERE state = 'queued' AND run_at <= :now ORDER BY run_at, id",
            now=self.clock.at,
        )
        handlers: dict[str, Any] = {
            HOLD: LapseHold(self.unit, self.desk, self.clock),
            UNANSWERED: CancelUnanswered(self.unit, self.desk, self.clock),
        }
        done = 0
        for row in rows:
            if row["kind"] not in handlers:
                continue
            async with self.unit() as tx:
                await tx._connection.execute(
                    "UPDATE jobs SET state = 'running', attempt = 1, lease_id = 'l' WHERE id = :id", id=row["id"]
                )
            claim = Claim(
                id=row["id"],
                kind=row["kind"],
                payload=json.loads(row["payload"]),
                attempt=1,
                attempts_max=5,
                lease_id="l",
            )
            await handlers[row["kind"]](claim)
            done += 1
        return done

    async def letters(self, *, waiting: bool = False) -> list[tuple[str, int]]:
        """Return the notices at hand, or those whose time is still to come, as kind and recipient, the oldest first."""
        when = ">" if waiting else "<="
        rows = await self.database.read.fetch(
            f"SELECT kind, user_id FROM notices WHERE state = 'waiting' AND fire_at {when} :now ORDER BY id",
            now=self.clock.at,
        )
        return [(row["kind"].removeprefix("bookings."), row["user_id"]) for row in rows]

    async def topics(self) -> list[str]:
        """Return the topics of every event so far."""
        rows = await self.database.read.fetch("SELECT topic FROM outbox ORDER BY id")
        return [row["topic"] for row in rows]

    async def audited(self) -> list[str]:
        """Return the actions in the audit log about appointments, oldest first."""
        rows = await self.database.read.fetch(
            "SELECT action FROM audit_log WHERE entity_type = 'appointment' ORDER BY id"
        )
        return [row["action"] for row in rows]
