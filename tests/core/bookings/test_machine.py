"""Clients, staff and the clock in any order against a plain model: no time sold twice, no hold past its end."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, precondition, rule

from core.bookings.builders import ADMIN, CLIENT, DAY, HOUR, NOW, STAFF, STRANGER
from core.bookings.salon import Salon
from opora.adapters.sql.audit import AuditKey
from opora.adapters.sql.repositories import SqlParts
from opora.adapters.sql.sqlite import SqliteDatabase
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.adapters.system.identifiers import TimeOrderedIdentifiers
from opora.core.bookings.model.appointments import COMING, Appointment, Status, Wish
from opora.core.kernel.errors import DomainError
from servers.blank import blank_store
from servers.stores import KeptAnnouncements

DAY_OF = NOW + DAY
CAPACITY = 2
WHO = st.sampled_from([CLIENT, STRANGER])
HOURS = st.integers(0, 3)
"""Few times, so that many want the same."""
FILE = "machine.db"


class Diary(RuleBasedStateMachine):
    """One member of staff with two places at a time, and what a plain list says of them."""

    appointments = Bundle("appointments")

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        path = Path(self.folder.name) / FILE
        path.write_bytes(blank_store())
        self.loop = asyncio.new_event_loop()
        self.database = SqliteDatabase(path)
        self.run(self.database.open())
        parts = SqlParts(TimeOrderedIdentifiers(), AuditKey(b"k" * 32), KeptAnnouncements(), {})
        self.salon = Salon(SqlUnitOfWork(self.database, parts), self.database)
        self.run(self.salon.open(capacity=CAPACITY, min_notice_min=0))
        self.told: dict[int, Appointment] = {}

    def run[T](self, doing: Coroutine[Any, Any, T]) -> T:
        """Run to the end."""
        return self.loop.run_until_complete(doing)

    def teardown(self) -> None:
        self.run(self.database.close())
        self.loop.close()
        self.folder.cleanup()

    def at(self, hour: int) -> datetime:
        """Return an hour of the day that everybody wants."""
        return DAY_OF + hour * HOUR

    def taken(self, start: datetime) -> int:
        """Count the places that the model knows to be taken."""
        now = self.salon.clock.at
        return sum(
            one.starts_at == start
            and (one.status in COMING or (one.status is Status.HELD and (one.expires_at or now) > now))
            for one in self.told.values()
        )

    def keep(self, one: Appointment) -> Any:
        """Note what the program says."""
        self.told[one.id] = one
        return one.id

    @rule(target=appointments, actor=WHO, hour=HOURS)
    def book(self, actor: Any, hour: int) -> Any:
        """A booking is made exactly where a place is left."""
        expected = self.taken(self.at(hour)) < CAPACITY and self.at(hour) > self.salon.clock.at
        try:
            made = self.run(self.salon.booked(actor, self.at(hour)))
        except DomainError:
            assert not expected
            return multiple()
        assert expected
        return self.keep(made)

    @rule(target=appointments, actor=WHO, hour=HOURS)
    def hold(self, actor: Any, hour: int) -> Any:
        """A hold takes a place like a booking."""
        left = self.taken(self.at(hour)) < CAPACITY
        with suppress(DomainError):
            made = self.run(self.salon.hold(actor, Wish(service_id=1, starts_at=self.at(hour))))
            assert left
            return self.keep(made)
        return multiple()

    @rule(id=appointments, actor=WHO)
    def take_up(self, id: int, actor: Any) -> None:
        """Only its holder takes a hold up, and only while it lives."""
        one = self.told[id]
        lives = one.status is Status.HELD and (one.expires_at or NOW) > self.salon.clock.at
        try:
            taken = self.run(self.salon.take_up(actor, id))
        except DomainError:
            assert not (lives and one.client_id == actor.user_id)
        else:
            assert lives and one.client_id == actor.user_id
            self.keep(taken)

    @rule(id=appointments, actor=WHO)
    def cancel(self, id: int, actor: Any) -> None:
        """A client cancels what is theirs and has not begun."""
        one = self.told[id]
        allowed = one.status in COMING and one.client_id == actor.user_id and one.starts_at > self.salon.clock.at
        try:
            (cancelled,) = self.run(self.salon.cancel(actor, id))
        except DomainError:
            assert not allowed
        else:
            assert allowed
            self.keep(cancelled)

    @rule(id=appointments, hour=HOURS)
    def move(self, id: int, hour: int) -> None:
        """A move succeeds where a place is left, its own counted, or changes nothing."""
        one, target = self.told[id], self.at(hour)
        now = self.salon.clock.at
        room = self.taken(target) - (one.starts_at == target and one.status in COMING) < CAPACITY
        try:
            (moved,) = self.run(self.salon.move(ADMIN, id, target))
        except DomainError:
            assert not (one.status in COMING and room and one.starts_at > now and target > now)
        else:
            assert room
            self.keep(moved)

    @rule(id=appointments, came=st.booleans())
    def end(self, id: int, came: bool) -> None:
        """What has begun ends once."""
        one = self.told[id]
        allowed = one.status is Status.CONFIRMED and one.starts_at <= self.salon.clock.at
        try:
            ended = self.run((self.salon.complete if came else self.salon.miss)(STAFF, id))
        except DomainError:
            assert not allowed
        else:
            assert allowed
            self.keep(ended)

    @precondition(lambda self: self.salon.clock.at < DAY_OF + 3 * HOUR)
    @rule(by=st.sampled_from([timedelta(minutes=9), timedelta(minutes=10), 8 * HOUR]), worker=st.booleans())
    def wait(self, by: timedelta, worker: bool) -> None:
        """Time passes, and the worker may or may not be there."""
        self.salon.clock.at += by
        if worker:
            self.run(self.salon.work())

    @invariant()
    def nobody_is_in_two_places(self) -> None:
        """The store knows no more places taken than there are, and each of them once."""
        rows = self.run(
            self.database.read.fetch(
                "SELECT e.start_min, e.capacity, count(*) AS taken, count(DISTINCT a.place) AS places"
                " FROM engagements e JOIN appointments a ON a.engagement_id = e.id GROUP BY e.id"
            )
        )
        assert all(row["taken"] == row["places"] <= row["capacity"] for row in rows)
        assert len({row["start_min"] for row in rows}) == len(rows)

    @invariant()
    def what_is_free_is_what_the_model_says(self) -> None:
        """The slots shown are those with a place left, and no others."""
        free = set(self.run(self.salon.starts(DAY_OF, actor=ADMIN)))
        for hour in range(4):
            start = self.at(hour)
            assert (start in free) == (self.taken(start) < CAPACITY and start > self.salon.clock.at)


Diary.TestCase.settings = settings(
    max_examples=25, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
TestDiary = Diary.TestCase
