"""Facts about imports and exports of numbers."""

from dataclasses import dataclass
from typing import ClassVar

from opora.core.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferRequested(Event):
    """Somebody asked for an import or an export; `subject` is its id."""

    topic: ClassVar[str] = "transfer.requested"
    kind: str
    project_id: int
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferCompleted(Event):
    """An import or an export is done."""

    topic: ClassVar[str] = "transfer.completed"
    kind: str
    project_id: int
    owner: str
    records: int
    created: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferFailed(Event):
    """An import or an export was given up or cancelled."""

    topic: ClassVar[str] = "transfer.failed"
    kind: str
    project_id: int
    owner: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportUndone(Event):
    """What an import made was taken back."""

    topic: ClassVar[str] = "transfer.undone"
    project_id: int
    owner: str
    removed: int
