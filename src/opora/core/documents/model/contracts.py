"""Contracts of a bank's clients, and the documents that are linked to them."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

from opora.core.documents.model.documents import Document
from opora.core.documents.model.links import DownloadLink
from opora.core.kernel.model import Moves


class ContractStatus(StrEnum):
    """Where a contract stands."""

    DRAFT = "draft"
    ACTIVE = "active"
    CLOSED = "closed"


CONTRACT_MOVES = Moves(
    {
        ContractStatus.DRAFT: frozenset({ContractStatus.ACTIVE}),
        ContractStatus.ACTIVE: frozenset({ContractStatus.CLOSED}),
        ContractStatus.CLOSED: frozenset(),
    }
)


class LinkStatus(StrEnum):
    """Where a document's link to a contract stands; named as the reference list of operation statuses has them."""

    ACTIVE = "active"
    REVOKED = "revoked"
    ARCHIVED = "archived"


LINK_MOVES = Moves(
    {
        LinkStatus.ACTIVE: frozenset({LinkStatus.REVOKED, LinkStatus.ARCHIVED}),
        LinkStatus.REVOKED: frozenset({LinkStatus.ACTIVE, LinkStatus.ARCHIVED}),
        LinkStatus.ARCHIVED: frozenset(),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """An agreement between the bank and one client."""

    id: int
    user_id: int
    description: str
    status: ContractStatus = ContractStatus.DRAFT
    created_at: datetime
    created_by: str
    updated_at: datetime
    version: int = 1

    def changed(self, now: datetime, **changes: object) -> Self:
        """Return the contract with these fields changed, a version on."""
        return replace(self, version=self.version + 1, updated_at=now, **changes)  # type: ignore[arg-type]  # named


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A document that belongs to a contract."""

    contract_id: int
    document_id: int
    status: LinkStatus = LinkStatus.ACTIVE
    linked_at: datetime
    linked_by: str
    moved_at: datetime


@dataclass(frozen=True, slots=True)
class LinkedDocument:
    """A document as a contract's card shows it: with the status of its link, and a way to its file if there is one."""

    document: Document
    status: LinkStatus
    download: DownloadLink | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractFilter:
    """Which contracts are wanted; None wants any."""

    user_id: int | None = None
    status: ContractStatus | None = None
