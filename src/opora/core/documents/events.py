"""Facts that documents announce."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from opora.core.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentUploaded(Event):
    """A client's document came in."""

    topic: ClassVar[str] = "document.uploaded"
    user_id: int
    category_id: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentStatusChanged(Event):
    """A document moved; `version` orders the changes of one document, `by` names who moved it."""

    topic: ClassVar[str] = "document.status_changed"
    user_id: int
    status: str
    previous: str
    version: int
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketSettled(Event):
    """The bank's system answered a packet, or a person settled it by hand; `subject` is the packet."""

    topic: ClassVar[str] = "abs.packet_settled"
    document_id: int
    status: str
    reference: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketFailed(Event):
    """A packet could not be handed to the bank's system and waits for a person; `subject` is the packet."""

    topic: ClassVar[str] = "abs.packet_failed"
    document_id: int
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled(Event):
    """Both sides were compared; `differences` is on how many documents they do not agree."""

    topic: ClassVar[str] = "abs.reconciled"
    compared: int
    differences: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractCreated(Event):
    """A client's contract was registered."""

    topic: ClassVar[str] = "contract.created"
    user_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractChanged(Event):
    """A contract was changed; `status` is where it stands now."""

    topic: ClassVar[str] = "contract.changed"
    user_id: int
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentLinked(Event):
    """A document was linked to a contract; `subject` is the contract."""

    topic: ClassVar[str] = "contract.document_linked"
    document_id: int
    user_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkMoved(Event):
    """A link of a contract was revoked, archived or made active again; `subject` is the contract."""

    topic: ClassVar[str] = "contract.link_moved"
    document_id: int
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentOverdue(Event):
    """The day by which a document was to be dealt with has passed; told once of each."""

    topic: ClassVar[str] = "document.overdue"
    user_id: int
    worker_id: int | None
    plan_maturity_date: date


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentDeleted(Event):
    """A client took a document back."""

    topic: ClassVar[str] = "document.deleted"
    user_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentsPurged(Event):
    """Files were removed because their retention ended; `subject` is the first of `ids`."""

    topic: ClassVar[str] = "document.purged"
    ids: tuple[int, ...]
