"""A generation: one text that somebody asked for, from the wish to its end."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self
from uuid import UUID

from opora.core.generation.model.engines import Finish, Usage, Wish
from opora.core.jobs.model import Priority
from opora.core.kernel.model import Moves

SHORT = "generate.short"
"""The kind of the job of a text that somebody waits for."""
LONG = "generate.long"
"""The kind of the job of a text that is fetched later."""
RETRY = "generate.retry"
"""The kind of the job that tries again what failed for a cause that may pass."""
KINDS = (SHORT, LONG, RETRY)
TOKENS_MAX = 32_768
ERROR_MAX = 300
CHAT = "chat"
"""The function of texts that are asked for as a conversation."""


class Mode(StrEnum):
    """How the caller wants the text: `auto` lets its length decide."""

    AUTO = "auto"
    SYNC = "sync"
    ASYNC = "async"
    STREAM = "stream"


class Status(StrEnum):
    """Where a generation stands."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


MOVES = Moves(
    {
        # A queued text ends without having run where another's answer serves it, or nothing ever will.
        Status.QUEUED: frozenset({Status.RUNNING, Status.COMPLETED, Status.FAILED, Status.CANCELLED}),
        Status.RUNNING: frozenset({Status.QUEUED, Status.COMPLETED, Status.FAILED, Status.CANCELLED}),
        Status.COMPLETED: frozenset(),
        Status.FAILED: frozenset(),
        Status.CANCELLED: frozenset(),
    }
)
ENDED = MOVES.final()


@dataclass(frozen=True, slots=True)
class Reach:
    """Whose texts may be seen: one owner's (`key:7`, `user:3`), or everyone's where `owner` is None."""

    owner: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One generation.

    `attempts` counts calls of engines, and names the one whose words count. `job_id` is the job that writes it; a text
    that follows another (`leader_id`) has none and ends with that one. `engine` is whose words these are, `error` a
    code, told to the owner in `error_detail`.
    """

    id: UUID
    owner: str
    function: str
    wish: Wish
    mode: Mode
    requested_at: datetime
    user_id: int | None = None
    prompt_id: int | None = None
    prompt_version: int | None = None
    status: Status = Status.QUEUED
    priority: Priority = Priority.NORMAL
    job_id: UUID | None = None
    leader_id: UUID | None = None
    cache_key: str | None = None
    is_cached: bool = False
    notify: bool = False
    attempts: int = 0
    content: str | None = None
    finish: Finish | None = None
    usage: Usage | None = None
    engine: str | None = None
    model: str | None = None
    error: str | None = None
    error_detail: str | None = None
    request_id: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    version: int = 1

    @property
    def source_id(self) -> UUID:
        """The text whose words these are while they are written."""
        return self.leader_id or self.id

    def begin(self, engine: str, now: datetime) -> Self:
        """Return it with another call of an engine counted."""
        if self.status is not Status.RUNNING:
            MOVES.check(self.status, Status.RUNNING)
        return replace(
            self,
            status=Status.RUNNING,
            engine=engine,
            attempts=self.attempts + 1,
            started_at=self.started_at or now,
            version=self.version + 1,
        )

    def requeue(self, job_id: UUID) -> Self:
        """Return it waiting for another job; one that waits already goes on waiting."""
        if self.status is not Status.QUEUED:
            MOVES.check(self.status, Status.QUEUED)
        return replace(self, status=Status.QUEUED, job_id=job_id, leader_id=None, version=self.version + 1)

    def follow(self, leader_id: UUID) -> Self:
        """Return it waiting for the words of another."""
        return replace(self, leader_id=leader_id, version=self.version + 1)

    def complete(self, content: str, finish: Finish, usage: Usage, model: str | None, now: datetime) -> Self:
        """Return it written."""
        return self._end(Status.COMPLETED, now, content=content, finish=finish, usage=usage, model=model)

    def fail(self, error: str, detail: str, now: datetime) -> Self:
        """Return it given up."""
        return self._end(Status.FAILED, now, error=error, error_detail=detail[:ERROR_MAX])

    def cancel(self, content: str, usage: Usage, now: datetime) -> Self:
        """Return it cancelled, with what had been written."""
        return self._end(Status.CANCELLED, now, content=content or None, usage=usage)

    def _end(self, status: Status, now: datetime, **changes: object) -> Self:
        MOVES.check(self.status, status)
        changes |= {"status": status, "ended_at": now, "version": self.version + 1}
        return replace(self, **changes)  # type: ignore[arg-type]  # the callers above name fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One call of an engine, kept so that its provider's bill can be compared; `unknown` until its end is known."""

    text_id: UUID
    number: int
    engine: str
    outcome: str = "unknown"
    reference: str | None = None
    started_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Words:
    """What was said of a text: the words of call `attempt`, from `offset` letters on."""

    attempt: int
    offset: int
    text: str


@dataclass(frozen=True, slots=True)
class Place:
    """How far somebody has read: so many letters of the words of one call."""

    attempt: int = 0
    offset: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPolicy:
    """How texts are asked for and written.

    `short_tokens_max` is the longest text that `auto` waits for, `wait_s` how long; an answer serves equal requests of
    its owner for `cache_s`. Work that ran aground is tried `rounds_max` times, `base_s` to `cap_s` apart; `look_s` is
    how often one who writes or reads looks at the store.
    """

    short_tokens_max: int = 1024
    wait_s: float = 30.0
    wait_max_s: float = 120.0
    cache_s: float = 300.0
    lease_s: float = 30.0
    rounds_max: int = 4
    base_s: float = 2.0
    cap_s: float = 120.0
    look_s: float = 0.2
    keep_s: float = 0.25
    content_max: int = 400_000
