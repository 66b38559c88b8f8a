"""Facts that profiles announce."""

from dataclasses import dataclass
from typing import ClassVar

from opora.core.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportCompleted(Event):
    """The file of an export can be downloaded by its owner."""

    topic: ClassVar[str] = "export.completed"
    owner: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportFailed(Event):
    """An export was given up."""

    topic: ClassVar[str] = "export.failed"
    owner: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfilesGenerated(Event):
    """People were made and kept, all of one call; `subject` is the first of `ids`."""

    topic: ClassVar[str] = "profile.generated"
    ids: tuple[int, ...]
    source_key: str
    locale: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileDeleted(Event):
    """A profile was deleted by somebody who may."""

    topic: ClassVar[str] = "profile.deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfilesExpired(Event):
    """Profiles passed their time and were deleted; `subject` is the first of `ids`."""

    topic: ClassVar[str] = "profile.expired"
    ids: tuple[int, ...]
