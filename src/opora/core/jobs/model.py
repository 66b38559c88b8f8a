"""A job: one row that decides whether the work runs, and whether its end counts."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from uuid import UUID

from opora.core.kernel.model import Moves


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    DEAD = "dead"
    CANCELLED = "cancelled"


MOVES = Moves(
    {
        JobState.QUEUED: frozenset({JobState.RUNNING, JobState.CANCELLED}),
        JobState.RUNNING: frozenset({JobState.SUCCEEDED, JobState.QUEUED, JobState.DEAD, JobState.CANCELLED}),
        JobState.SUCCEEDED: frozenset(),
        JobState.DEAD: frozenset({JobState.QUEUED}),  # retried by hand
        JobState.CANCELLED: frozenset(),
    }
)


class Priority(IntEnum):
    """How urgent a job is: of the jobs that are due, the more urgent go first."""

    LOW = -1
    NORMAL = 0
    HIGH = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """Work to be done after the commit of what asks for it.

    `dedup_key` makes any number of equal requests one job. `run_at` delays it.
    `request_id` is passed on to the job's logs.
    """

    kind: str
    payload: Mapping[str, object] = field(default_factory=dict)
    dedup_key: str | None = None
    priority: Priority = Priority.NORMAL
    run_at: datetime | None = None
    attempts_max: int = 5
    request_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A leased job: the right to run it once, until the lease ends or another attempt begins."""

    id: UUID
    kind: str
    payload: Mapping[str, object]
    attempt: int
    attempts_max: int
    lease_id: str
    request_id: str = ""

    @property
    def event(self) -> Mapping[str, object]:
        """What the event says that this job serves; nothing where it serves none."""
        event = self.payload.get("event")
        return event if isinstance(event, Mapping) else {}

    def death(self, kinds: Collection[str]) -> UUID | None:
        """Return which job of these kinds died, where this one serves a `job.dead`; None where none of them did."""
        return UUID(str(self.event["subject"])) if self.event.get("kind") in kinds else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job as an operator reads it."""

    id: UUID
    kind: str
    state: JobState
    payload: Mapping[str, object]
    priority: Priority
    attempt: int
    attempts_max: int
    run_at: datetime
    created_at: datetime
    lease_until: datetime | None = None
    finished_at: datetime | None = None
    cancel_requested: bool = False
    progress_done: int = 0
    progress_total: int = 0
    error: str | None = None
    result: Mapping[str, object] | None = None
    dedup_key: str | None = None
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long to wait after the n-th failure: full jitter under an exponential ceiling."""

    base_s: float = 1.0
    cap_s: float = 300.0


@dataclass(frozen=True, slots=True)
class LeasePolicy:
    """How long a claim holds without a heartbeat, and how often the heart beats."""

    lease_s: float = 30.0

    @property
    def beat_s(self) -> float:
        """The pause between two heartbeats: two may be missed before the lease ends."""
        return self.lease_s / 3


@dataclass(frozen=True, slots=True)
class CronSlot:
    """A job that starts every `every` from the epoch on, once a slot, however many processes keep time."""

    name: str
    kind: str
    every: timedelta
    payload: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs are wanted; None wants any."""

    state: JobState | None = None
    kind: str | None = None
