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
