"""Where appointments and their places are kept."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from opora.core.bookings.model.appointments import Appointment, AppointmentFilter, Reach, Seat, Session
from opora.core.bookings.model.series import Series
from opora.core.bookings.model.waiting import Freed
from opora.core.bookings.ports.diaries import DiaryRepository
from opora.core.bookings.ports.offerings import OfferingRepository
from opora.core.bookings.ports.waiting import WaitlistRepository
from opora.core.jobs.ports import JobQueue
from opora.core.kernel.model import Interval, Page, PageRequest
from opora.core.kernel.ports import AuditTrail, Outbox
from opora.core.notifications.ports.notices import Notices


class AppointmentRepository(ABC):
    """Appointments and the places they have inside a transaction.

    The store itself holds that no member of staff has two sessions at once and no place is given twice, whoever
    writes and however many at a time.
    """

    @abstractmethod
    async def next_ids(self, count: int) -> Sequence[int]:
        """Return ids in order that no appointment has and no other call returns."""

    @abstractmethod
    async def claim(self, session: Session) -> Seat | None:
        """Take the lowest free place of a session, opening the session where its time is free.

        None where another session touches that time or no place is left. Of many at once as many succeed as there are
        places, and none fails otherwise. Waits for whoever is just taking the same time.
        """

    @abstractmethod
    async def leave(self, engagement_id: int) -> Freed | None:
        """Close a session in which no appointment has a place any more; return the time it has given free or has left.

        Its appointment gave the place up before, by `save`. None where there was no such session.
        """

    @abstractmethod
    async def holds_in_way(self, session: Session, now: datetime) -> Sequence[int]:
        """Return the ids of holds past their time whose sessions touch this one."""

    @abstractmethod
    async def add(self, appointment: Appointment) -> None:
        """Keep a new appointment in the place it claimed."""

    @abstractmethod
    async def get(self, id: int) -> Appointment | None:
        """Return an appointment or hold, locked against change until the transaction ends."""

    @abstractmethod
    async def save(self, appointment: Appointment) -> None:
        """Replace the version before this one, its place included; raises Stale where another is stored."""

    @abstractmethod
    async def settle(self, id: int, seat: Seat) -> None:
        """Give an appointment that has no place the one that was claimed for it."""

    @abstractmethod
    async def open_holds(self, client_id: int, now: datetime) -> int:
        """Count somebody's holds that live, without those that the waitlist offered them."""

    @abstractmethod
    async def next_series_id(self) -> int:
        """Return an id that no series has and no other call returns."""

    @abstractmethod
    async def add_series(self, series: Series) -> None:
        """Keep a new series."""

    @abstractmethod
    async def series(self, id: int) -> Series | None:
        """Return a series."""

    @abstractmethod
    async def change_rule(self, id: int, rrule: str) -> None:
        """Replace the rule that a series is told to follow."""

    @abstractmethod
    async def givers(self, series_id: int) -> Sequence[int]:
        """Return who gives the appointments of a series that are not cancelled."""

    @abstractmethod
    async def coming(self, series_id: int, now: datetime) -> Sequence[Appointment]:
        """Return the pending and confirmed appointments of a series that have not begun, in order, locked alike."""


class AppointmentViews(ABC):
    """Appointments as those see them who may; holds are never among them."""

    @abstractmethod
    async def one(self, id: int, reach: Reach) -> Appointment | None:
        """Return an appointment; None where there is none within reach."""

    @abstractmethod
    async def page(self, reach: Reach, wanted: AppointmentFilter, request: PageRequest) -> Page[Appointment]:
        """Return appointments within reach, by their start."""

    @abstractmethod
    async def of_person(self, user_id: int, span: Interval, limit: int) -> Sequence[Appointment]:
        """Return what somebody gives or comes to in a span: pending, confirmed and completed, by their start."""


class BookingTx(Protocol):
    """What a transaction over bookings shows."""

    @property
    def offerings(self) -> OfferingRepository: ...
    @property
    def diaries(self) -> DiaryRepository: ...
    @property
    def appointments(self) -> AppointmentRepository: ...
    @property
    def waitlist(self) -> WaitlistRepository: ...
    @property
    def notices(self) -> Notices: ...
    @property
    def jobs(self) -> JobQueue: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def audit(self) -> AuditTrail: ...
