"""Where tickets of streams are kept until they are used."""

from abc import ABC, abstractmethod
from typing import Protocol

from opora.core.access.model.tickets import StreamTicket


class StreamTickets(ABC):
    """Tickets inside a transaction."""

    @abstractmethod
    async def add(self, ticket: StreamTicket) -> None:
        """Keep a new ticket."""

    @abstractmethod
    async def take(self, digest: bytes) -> StreamTicket | None:
        """Remove and return the ticket; None where there is none. Of many at once one gets it."""


class TicketTx(Protocol):
    """What tickets need of a transaction."""

    @property
    def stream_tickets(self) -> StreamTickets: ...
