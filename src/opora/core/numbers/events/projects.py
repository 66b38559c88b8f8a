"""Facts that projects announce."""

from dataclasses import dataclass
from typing import ClassVar

from opora.core.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectCreated(Event):
    """A campaign was made."""

    topic: ClassVar[str] = "project.created"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectUpdated(Event):
    """A campaign, its hours, links or grants were changed; `fields` names what."""

    topic: ClassVar[str] = "project.updated"
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectDeleted(Event):
    """A campaign was hidden with all its numbers; it can be restored."""

    topic: ClassVar[str] = "project.deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectRestored(Event):
    """A hidden campaign came back with all its numbers."""

    topic: ClassVar[str] = "project.restored"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversionCalculated(Event):
    """The figures of a campaign were counted; `subject` is the project."""

    topic: ClassVar[str] = "project.conversion_calculated"
    total_numbers: int
    processed_numbers: int
    success_numbers: int
    failed_numbers: int
