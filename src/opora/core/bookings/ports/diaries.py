"""Working hours and what is in the diaries of staff."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime

from opora.core.bookings.model.hours import Availability, Diary


class DiaryViews(ABC):
    """Hours and sessions as they are read."""

    @abstractmethod
    async def hours(self, user_id: int) -> Availability | None:
        """Return somebody's working hours; None where none were ever set."""

    @abstractmethod
    async def read(self, staff_ids: Sequence[int], from_min: int, until_min: int, now: datetime) -> Sequence[Diary]:
        """Return the diaries of these people, in this order, with every session that touches the span of minutes.

        A place counts as taken while its appointment stands or its hold lives at `now`; a session with no place taken
        is none.
        """


class DiaryRepository(DiaryViews):
    """Hours and sessions inside a transaction."""

    @abstractmethod
    async def set_hours(self, availability: Availability, at: datetime) -> None:
        """Replace somebody's working hours."""

    @abstractmethod
    async def lock(self, staff_ids: Sequence[int]) -> None:
        """Hold these diaries until the transaction ends, in the order of ids.

        Whoever does more in a diary than take one place holds it first, before any other row: two such transactions
        then follow one another and cannot wait for each other.
        """
