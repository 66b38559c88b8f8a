"""What calls and the figures of campaigns need from the outside."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime

from opora.core.kernel.model import Page, PageRequest
from opora.core.numbers.model.calls import Call, CallEvent
from opora.core.numbers.model.conversion import Conversion
from opora.core.numbers.model.numbers import NumberStatus
from opora.core.numbers.model.projects import ProjectReach


class CallRepository(ABC):
    """Calls and their events inside a transaction."""

    @abstractmethod
    async def note(self, events: Sequence[CallEvent], now: datetime) -> Sequence[CallEvent]:
        """Keep events and return the new ones, in the order given.

        Of equal `event_id`s the first is kept, whoever sends the others; one that is being kept at this moment is
        waited for. Those who note many at once do not lock each other out.
        """

    @abstractmethod
    async def open(self, events: Sequence[CallEvent], now: datetime) -> Mapping[str, Call]:
        """Return the calls of events by their ids, locked until the transaction ends; made by their first event."""

    @abstractmethod
    async def save(self, calls: Sequence[Call]) -> None:
        """Replace what is kept."""

    @abstractmethod
    async def of_numbers(self, number_ids: Sequence[int], limit: int) -> Mapping[int, Sequence[Call]]:
        """Return up to `limit` calls of each of these numbers that has any, by its id, the latest first."""

    @abstractmethod
    async def endless(self, before: datetime, limit: int) -> Sequence[Call]:
        """Return calls without a result that nothing was heard of since then, locked, skipped by other sweeps."""

    @abstractmethod
    async def forget(self, before: datetime, limit: int) -> int:
        """Delete up to `limit` events received before then and return how many; calls stay."""


class CallViews(ABC):
    """Calls as callers read them. Who may see the number may see its calls."""

    @abstractmethod
    async def of_numbers(self, number_ids: Sequence[int], reach: ProjectReach, limit: int) -> Sequence[Call]:
        """Return up to `limit` of the latest calls of these numbers that are within reach, the latest first."""


class ConversionRepository(ABC):
    """Figures of projects inside a transaction."""

    @abstractmethod
    async def next_id(self) -> int:
        """Return an id that nobody else gets."""

    @abstractmethod
    async def add(self, conversion: Conversion) -> None:
        """Keep the figures of a moment; the same moment again changes nothing."""

    @abstractmethod
    async def due(self, before: datetime, after_project: int, limit: int) -> Sequence[int]:
        """Return ids past `after_project` of projects in use with no figures since `before`, ascending."""

    @abstractmethod
    async def latest(self, project_id: int) -> Conversion | None:
        """Return the newest figures of a project."""

    @abstractmethod
    async def thin(self, before: datetime, limit: int) -> int:
        """Delete up to `limit` figures from before then but the last of each day, and return how many."""


class ConversionViews(ABC):
    """Figures of projects as callers read them."""

    @abstractmethod
    async def history(self, project_id: int, reach: ProjectReach, request: PageRequest) -> Page[Conversion]:
        """Return the figures of a project within reach, the newest first."""

    @abstractmethod
    async def counts(self, project_id: int, reach: ProjectReach) -> Mapping[NumberStatus, int]:
        """Return how many numbers of each status a project within reach has now; zeros for any other."""
