"""Where the waitlist is kept."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime

from opora.core.bookings.model.waiting import Entry, Freed
from opora.core.kernel.model import Page, PageRequest


class WaitlistRepository(ABC):
    """The waitlist inside a transaction."""

    @abstractmethod
    async def next_id(self) -> int:
        """Return an id that no entry has and no other call returns."""

    @abstractmethod
    async def add(self, entry: Entry) -> None:
        """Keep a new entry; raises AlreadyWaiting where the same client waits for the same, also under race."""

    @abstractmethod
    async def get(self, id: int) -> Entry | None:
        """Return an entry, locked against change until the transaction ends."""

    @abstractmethod
    async def of_hold(self, hold_id: int) -> Entry | None:
        """Return the entry that was offered this hold, locked alike."""

    @abstractmethod
    async def save(self, entry: Entry) -> None:
        """Replace the version before this one; raises Stale where another is stored."""

    @abstractmethod
    async def open_entries(self, client_id: int) -> int:
        """Count the entries with which somebody waits or has an offer."""

    @abstractmethod
    async def next_for(self, freed: Freed, now: datetime, limit: int) -> Sequence[Entry]:
        """Return who waits for what this freed span may serve, the longest waiting first."""


class WaitlistViews(ABC):
    """The waitlist as those see it who wait."""

    @abstractmethod
    async def page(self, client_id: int | None, request: PageRequest) -> Page[Entry]:
        """Return somebody's entries, or everyone's, the newest first."""

    @abstractmethod
    async def one(self, id: int, client_id: int | None) -> Entry | None:
        """Return an entry of somebody's, or of anyone's."""
