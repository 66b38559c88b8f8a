"""Calendar files and the private addresses under which they are read."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from opora.core.bookings.model.calendars import Feed, Invitation, Method
from opora.core.kernel.ports import AuditTrail


class CalendarFiles(ABC):
    """Appointments written as iCalendar (RFC 5545, RFC 5546)."""

    @abstractmethod
    def write(self, invitations: Sequence[Invitation], method: Method) -> bytes:
        """Return one calendar of these appointments.

        An appointment has one UID for good and its own SEQUENCE; times are in UTC. The same appointments give the same
        bytes. No text of a person can add a line.
        """


class FeedRepository(ABC):
    """Private calendars inside a transaction."""

    @abstractmethod
    async def next_id(self) -> int:
        """Return an id that no feed has and no other call returns."""

    @abstractmethod
    async def add(self, feed: Feed) -> None:
        """Keep a new feed."""

    @abstractmethod
    async def count(self, user_id: int) -> int:
        """Count somebody's feeds that are not revoked; nobody else who asks for them is answered until the end."""

    @abstractmethod
    async def revoke(self, id: int, user_id: int, at: datetime) -> bool:
        """Revoke somebody's feed; tell False where they have none of this id."""


class FeedViews(ABC):
    """Private calendars as they are read."""

    @abstractmethod
    async def of_person(self, user_id: int) -> Sequence[Feed]:
        """Return somebody's feeds that are not revoked, the oldest first."""

    @abstractmethod
    async def owner(self, digest: bytes) -> int | None:
        """Return whose feed has a token of this digest; None where it is unknown or revoked, or its owner blocked."""


class FeedTx(Protocol):
    """What a transaction over private calendars shows."""

    @property
    def feeds(self) -> FeedRepository: ...
    @property
    def audit(self) -> AuditTrail: ...
