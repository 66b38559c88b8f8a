"""Tickets of streams: issued to who is signed in, good for one opening within half a minute."""

from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from opora.core.access.errors import TicketInvalid, TicketNeedsPerson
from opora.core.access.model.tickets import TICKET_BYTES, TICKET_TTL_S, IssuedTicket, StreamTicket
from opora.core.access.ports.tickets import TicketTx
from opora.core.kernel.model import Actor
from opora.core.kernel.ports import Clock, Randomness, UnitOfWork


@dataclass(frozen=True, slots=True)
class IssueTicket:
    """Give a ticket for one stream."""

    unit: UnitOfWork[TicketTx]
    randomness: Randomness
    clock: Clock

    async def __call__(self, actor: Actor) -> IssuedTicket:
        """Raise TicketNeedsPerson for a key that acts for nobody."""
        if actor.user_id is None:
            raise TicketNeedsPerson
        text = urlsafe_b64encode(self.randomness.token_bytes(TICKET_BYTES)).decode().rstrip("=")
        now = self.clock.now()
        ticket = StreamTicket(
            digest=digest_of(text),
            user_id=actor.user_id,
            issued_at=now,
            expires_at=now + timedelta(seconds=TICKET_TTL_S),
        )
        async with self.unit() as tx:
            await tx.stream_tickets.add(ticket)
        return IssuedTicket(text, TICKET_TTL_S)


@dataclass(frozen=True, slots=True)
class RedeemTicket:
    """Take a ticket and tell whose it was and since when they were known to be signed in."""

    unit: UnitOfWork[TicketTx]
    clock: Clock

    async def __call__(self, text: str) -> tuple[int, datetime]:
        """Raise TicketInvalid for one that is unknown, used or too old."""
        async with self.unit() as tx:
            ticket = await tx.stream_tickets.take(digest_of(text))
        if ticket is None or ticket.expires_at <= self.clock.now():
            raise TicketInvalid
        return ticket.user_id, ticket.issued_at


def digest_of(text: str) -> bytes:
    """Return what is kept of a ticket; it is too random to be guessed from that."""
    return sha256(text.encode("utf-8", "surrogatepass")).digest()


USE_CASES = (IssueTicket, RedeemTicket)
