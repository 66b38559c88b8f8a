"""The two ends of a move: a store held still in one transaction."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence

from opora.adapters.sql.moving.rows import Shape

type Batch = Sequence[Sequence[object]]

BATCH = 2_000
"""How many rows are held in memory at a time."""


class MoveRefused(Exception):
    """The installation cannot be moved so; nothing was changed. `following` is the step that comes next."""

    def __init__(self, message: str, following: str) -> None:
        super().__init__(message)
        self.following = following


class End(ABC):
    """A store that nobody else writes to while it is held."""

    about: str
    """What people call it."""

    @abstractmethod
    async def revision(self) -> str | None:
        """Return the schema's revision; None where it was never migrated."""

    @abstractmethod
    async def count(self, table: str) -> int:
        """Return how many rows a table has."""

    @abstractmethod
    def rows(self, shape: Shape) -> AsyncIterator[Batch]:
        """Yield all rows of a table in batches, values as PostgreSQL's driver gives them."""

    @abstractmethod
    async def counters(self) -> Mapping[str, int]:
        """Return the last id handed out of every table whose ids are handed out, 0 for none."""


class Target(End):
    """The end that is filled: all of it becomes durable at `commit`, or none."""

    @abstractmethod
    async def clear(self, tables: Sequence[str]) -> None:
        """Switch off what watches single changes and remove the rows of these tables."""

    @abstractmethod
    async def put(self, shape: Shape, batches: AsyncIterator[Batch]) -> None:
        """Add rows to a table."""

    @abstractmethod
    async def set_counters(self, counters: Mapping[str, int]) -> None:
        """Have ids go on after these, and after every id there is."""

    @abstractmethod
    async def watch(self) -> None:
        """Switch on again what watches single changes, and check every reference; raises MoveRefused."""

    @abstractmethod
    async def commit(self) -> None:
        """Make all of it durable."""
