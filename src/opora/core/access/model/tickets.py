"""What opens one stream, once: browsers cannot send credentials when they open a WebSocket or an event stream."""

from dataclasses import dataclass, field
from datetime import datetime

TICKET_TTL_S = 30
"""How long a ticket waits to be used."""
TICKET_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamTicket:
    """A ticket of a user; only its digest is kept."""

    digest: bytes = field(repr=False)
    user_id: int
    issued_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class IssuedTicket:
    """A ticket as its holder gets it."""

    ticket: str = field(repr=False)
    expires_in_s: int
