"""An event as it waits for the bus, and as it leaves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from opora.core.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingEvent:
    """A committed event that the bus has not taken yet.

    `position` grows in the order in which changes of one aggregate were committed; `payload` is the event as JSON.
    """

    position: int
    id: UUID
    topic: str
    subject: str
    at: datetime
    payload: str


@dataclass(frozen=True, slots=True)
class Batch:
    """What one publisher may send now, in order; `mark` is what the bus said of the last batch."""

    events: Sequence[WaitingEvent]
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """An event in its envelope: CloudEvents 1.0, structured mode, JSON."""

    id: UUID
    topic: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the bus has taken for good; of any other message it is not known. `mark` is its place in the bus."""

    taken: frozenset[UUID]
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many events wait for the bus, counted up to a bound, and for how long the oldest has."""

    waiting: int
    oldest_s: float


@dataclass(frozen=True, slots=True)
class EventCatalogue:
    """Every type of event there is, by its topic; `source` is where they come from, an address."""

    source: str
    types: Mapping[str, type[Event]]
