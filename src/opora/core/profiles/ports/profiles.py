"""What keeping profiles needs from the outside."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Protocol

from opora.core.jobs.ports import JobQueue
from opora.core.kernel.model import Page, PageRequest
from opora.core.kernel.ports import AuditTrail, Outbox
from opora.core.profiles.model.exports import Reach
from opora.core.profiles.model.kept import KeptProfile, ProfileFilter


class ProfileRepository(ABC):
    """Kept profiles inside a transaction."""

    @abstractmethod
    async def next_ids(self, count: int) -> Sequence[int]:
        """Return `count` ids that nobody else gets, ascending."""

    @abstractmethod
    async def add(self, profiles: Sequence[KeptProfile]) -> None:
        """Keep new profiles, all or none."""

    @abstractmethod
    async def delete(self, id: int, reach: Reach, at: datetime) -> bool:
        """Hide a profile for good and tell whether it could be seen until now; of two at once one is told True."""

    @abstractmethod
    async def expire(self, now: datetime, limit: int) -> Sequence[int]:
        """Hide up to `limit` profiles whose time had passed at `now`, and return their ids, ascending."""


class ProfileViews(ABC):
    """Kept profiles as callers read them: JSON objects with their `id`, exactly as they were first given out.

    What was deleted, has expired or is out of reach is not there.
    """

    @abstractmethod
    async def one(self, id: int, reach: Reach) -> bytes | None:
        """Return one profile, or None."""

    @abstractmethod
    async def page(self, reach: Reach, wanted: ProfileFilter, request: PageRequest) -> Page[bytes]:
        """Return profiles, the newest first, with the count of all wanted: exact, but by cursor only up to 10,000.

        A page by cursor costs the same at any depth of any list; an empty cursor starts at the newest. Raises Invalid
        for a cursor that `page` did not give out.
        """

    @abstractmethod
    def stream(self, reach: Reach, wanted: ProfileFilter) -> AsyncIterator[Sequence[bytes]]:
        """Yield all wanted, the newest first, some at a time; what is made meanwhile is left out.

        Memory does not grow with their number, and no connection is held while the caller is busy with a part.
        """


class ProfileTx(Protocol):
    """What a transaction over profiles shows."""

    @property
    def profiles(self) -> ProfileRepository: ...
    @property
    def jobs(self) -> JobQueue: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def audit(self) -> AuditTrail: ...
