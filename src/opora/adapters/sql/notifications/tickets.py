"""Tickets of streams in a relational store."""

from datetime import datetime

import msgspec

from opora.adapters.sql.connection import Connection
from opora.adapters.sql.mapping import columns, insertion
from opora.core.access.model.tickets import StreamTicket
from opora.core.access.ports.tickets import StreamTickets

NAMES = ("digest", "user_id", "issued_at", "expires_at")
TAKE = "DELETE FROM stream_tickets WHERE digest = :digest RETURNING user_id, issued_at, expires_at"


class SqlStreamTickets(StreamTickets):
    """Tickets inside one transaction: taken by deleting them, so that one of many takers has it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, ticket: StreamTicket) -> None:
        await self._connection.execute(insertion("stream_tickets", NAMES), **columns(ticket))

    async def take(self, digest: bytes) -> StreamTicket | None:
        row = await self._connection.fetch_one(TAKE, digest=digest)
        if row is None:
            return None
        return StreamTicket(
            digest=digest,
            user_id=row["user_id"],
            issued_at=msgspec.convert(row["issued_at"], datetime),
            expires_at=msgspec.convert(row["expires_at"], datetime),
        )
