"""Facts that phone numbers announce."""

from dataclasses import dataclass
from typing import ClassVar

from opora.core.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class NumbersAdded(Event):
    """Numbers were added to a project, the `subject`."""

    topic: ClassVar[str] = "numbers.added"
    created: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberStatusChanged(Event):
    """A number, the `subject`, moved from one status to another."""

    topic: ClassVar[str] = "number.status_changed"
    project_id: int
    old_status: str
    new_status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NumbersUpdated(Event):
    """Many numbers were changed at once; `subject` is the first of them."""

    topic: ClassVar[str] = "numbers.updated"
    updated: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NumbersClaimed(Event):
    """Numbers of a project, the `subject`, were handed out for calling."""

    topic: ClassVar[str] = "numbers.claimed"
    ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberSuppressed(Event):
    """A number is never called any more, in one project or in any; `subject` is the entry."""

    topic: ClassVar[str] = "number.suppressed"
    project_id: int | None
