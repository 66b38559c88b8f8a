"""Deliveries and their attempts in a relational store."""

from collections.abc import Sequence
from uuid import UUID

from opora.adapters.sql.connection import Connection
from opora.adapters.sql.jobs import uuid_of
from opora.adapters.sql.mapping import columns, insertion, load
from opora.core.kernel.errors import Stale
from opora.core.notifications.model.deliveries import Attempt, Delivery, DeliveryState
from opora.core.notifications.ports.notices import Deliveries

NAMES = ("id", "notice_id", "channel", "target", "state", "attempt", "created_at", "sent_at", "error")
FIELDS = ", ".join(NAMES)
SAVE = """
UPDATE deliveries SET state = :state, attempt = :attempt, sent_at = :sent_at, error = :error
WHERE id = :id AND state = :previous
"""
ATTEMPT = ("delivery_id", "number", "started_at", "ended_at", "outcome", "answer")
LOG = insertion(
    "delivery_attempts",
    ATTEMPT,
    "ON CONFLICT (delivery_id, number) DO UPDATE SET ended_at = excluded.ended_at, outcome = excluded.outcome,"
    " answer = excluded.answer",
)
ATTEMPTS = f"SELECT {', '.join(ATTEMPT)} FROM delivery_attempts WHERE delivery_id = :id ORDER BY number"


class SqlDeliveries(Deliveries):
    """Deliveries inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, delivery: Delivery) -> None:
        await self._connection.execute(insertion("deliveries", NAMES), **columns(delivery))

    async def get(self, id: UUID) -> Delivery | None:
        lock = " FOR UPDATE" if self._connection.dialect == "postgresql" else ""
        row = await self._connection.fetch_one(f"SELECT {FIELDS} FROM deliveries WHERE id = :id{lock}", id=id)
        return load(Delivery, row) if row else None

    async def notice_of(self, id: UUID) -> UUID | None:
        found = await self._connection.fetch_value("SELECT notice_id FROM deliveries WHERE id = :id", id=id)
        return None if found is None else uuid_of(found)

    async def save(self, delivery: Delivery, previous: DeliveryState) -> None:
        saved = await self._connection.execute(
            SAVE,
            id=delivery.id,
            state=str(delivery.state),
            attempt=delivery.attempt,
            sent_at=delivery.sent_at,
            error=delivery.error,
            previous=str(previous),
        )
        if not saved:
            raise Stale(delivery_id=str(delivery.id))

    async def log(self, attempt: Attempt) -> None:
        await self._connection.execute(LOG, **columns(attempt))

    async def attempts(self, id: UUID) -> Sequence[Attempt]:
        return [load(Attempt, row) for row in await self._connection.fetch(ATTEMPTS, id=id)]
