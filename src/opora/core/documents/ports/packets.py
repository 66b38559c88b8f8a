"""What packets, receipts, tickets and reconciliations need of a store."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from opora.core.documents.model.packets import InboxEntry, Packet, PacketFilter
from opora.core.documents.model.reconciliation import Difference, Reconciliation, Ticket, TicketFilter, TicketKind, Told
from opora.core.documents.ports.documents import DocumentTx
from opora.core.kernel.model import Page, PageRequest


class PacketRepository(ABC):
    """Packets inside a transaction."""

    @abstractmethod
    async def add(self, packet: Packet) -> bool:
        """Keep a new packet; False, and nothing is kept, where the document has one at that version."""

    @abstractmethod
    async def next_id(self) -> int:
        """Take an id that no packet has or will have."""

    @abstractmethod
    async def get(self, id: int) -> Packet | None:
        """Return the packet, locked against change until the transaction ends."""

    @abstractmethod
    async def at(self, document_id: int, version: int) -> Packet | None:
        """Return the packet of a document at a version, locked alike."""

    @abstractmethod
    async def newest(self, document_id: int) -> int | None:
        """Return the highest version of a document that has a packet."""

    @abstractmethod
    async def save(self, packet: Packet) -> None:
        """Replace what is kept of a packet that this transaction holds."""


class ReceiptInbox(ABC):
    """Receipts that were dealt with, inside a transaction."""

    @abstractmethod
    async def add(self, entry: InboxEntry) -> bool:
        """Keep the entry; False, and nothing is kept, where a receipt of this id was dealt with before.

        Of any number of simultaneous calls one is told True.
        """


class TicketRepository(ABC):
    """Tickets inside a transaction."""

    @abstractmethod
    async def open(self, kind: TicketKind, subject: str, reason: str | None, now: datetime) -> bool:
        """Open a ticket; False where one of this kind and subject is open already."""

    @abstractmethod
    async def open_all(self, found: Sequence[Difference], of: UUID, now: datetime) -> int:
        """Open a ticket for each difference that has none, mark those that have one as found again by `of`, and return
        how many were opened.
        """

    @abstractmethod
    async def close_unfound(self, kinds: Collection[TicketKind], of: UUID, now: datetime) -> int:
        """Close the open tickets of these kinds that the reconciliation `of` did not find; returns how many."""

    @abstractmethod
    async def close_about(self, kind: TicketKind, subject: str, by: str, now: datetime) -> None:
        """Close the open ticket of that kind and subject, if there is one."""

    @abstractmethod
    async def get(self, id: int) -> Ticket | None:
        """Return the ticket, locked alike."""

    @abstractmethod
    async def save(self, ticket: Ticket) -> None:
        """Replace what is kept of a ticket that this transaction holds."""


class ReconciliationRepository(ABC):
    """Comparisons inside a transaction."""

    @abstractmethod
    async def add(self, reconciliation: Reconciliation) -> None:
        """Keep a new one."""

    @abstractmethod
    async def get(self, id: UUID) -> Reconciliation | None:
        """Return it, locked alike."""

    @abstractmethod
    async def save(self, reconciliation: Reconciliation) -> None:
        """Replace what is kept of one that this transaction holds."""


class BankingViews(ABC):
    """What went to the bank and what came back, as operators read it."""

    @abstractmethod
    async def packets(self, wanted: PacketFilter, request: PageRequest) -> Page[Packet]:
        """Return packets by cursor, the newest first; past a bound the count is an estimate."""

    @abstractmethod
    async def packet(self, id: int) -> Packet | None:
        """Return one packet."""

    @abstractmethod
    async def tickets(self, wanted: TicketFilter, request: PageRequest) -> Page[Ticket]:
        """Return tickets by cursor, the newest first; past a bound the count is an estimate."""

    @abstractmethod
    async def reconciliations(self, request: PageRequest) -> Page[Reconciliation]:
        """Return comparisons, the newest first."""

    @abstractmethod
    async def reconciliation(self, id: UUID) -> Reconciliation | None:
        """Return one comparison."""

    @abstractmethod
    async def told(self, after: int, limit: int) -> Sequence[Told]:
        """Return the newest packet of each document whose id is higher than `after`, in the order of these ids."""


class BankingTx(DocumentTx, Protocol):
    """What a transaction between documents and the bank's system shows."""

    @property
    def packets(self) -> PacketRepository: ...
    @property
    def abs_receipts(self) -> ReceiptInbox: ...
    @property
    def abs_tickets(self) -> TicketRepository: ...
    @property
    def reconciliations(self) -> ReconciliationRepository: ...
