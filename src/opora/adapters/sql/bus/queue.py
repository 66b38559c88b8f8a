"""Events and the bus: one small row each beside the outbox, which says whether the bus has taken it."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import msgspec

from opora.adapters.sql.connection import Connection, Database, Row, carried
from opora.adapters.sql.jobs import uuid_of
from opora.core.bus.model import Backlog, Batch, WaitingEvent
from opora.core.bus.ports import BusQueue

COUNTED_MAX = 100_000
"""Past so many nobody counts on: the number is for people."""
LEASE = """
UPDATE bus_state SET holder = :holder, lease_until = later(:lease_s)
WHERE id = 1 AND (holder IS NULL OR holder = :holder OR lease_until < now()) RETURNING mark
"""
WAITING = """
SELECT q.position, o.id, o.topic, o.subject, o.at, o.payload FROM bus_queue q JOIN outbox o ON o.id = q.event_id
WHERE NOT q.sent ORDER BY q.position LIMIT :limit
"""
RELEASE = "UPDATE bus_state SET holder = NULL, lease_until = NULL, mark = :mark WHERE id = 1 AND holder = :holder"
SENT = "UPDATE bus_queue SET sent = true WHERE position IN "
AGAIN_NEWEST = """
UPDATE bus_queue SET sent = false
WHERE sent AND position IN (SELECT position FROM bus_queue ORDER BY position DESC LIMIT :limit)
"""
AGAIN_SINCE = """
UPDATE bus_queue SET sent = false
WHERE sent AND event_id IN (SELECT id FROM outbox WHERE at >= :since{of_topic})
"""
COUNT = f"SELECT count(*) FROM (SELECT 1 FROM bus_queue WHERE NOT sent LIMIT {COUNTED_MAX}) AS counted"
OLDEST = """
SELECT {age} FROM (SELECT o.at FROM bus_queue q JOIN outbox o ON o.id = q.event_id
 WHERE NOT q.sent ORDER BY q.position LIMIT 1) AS oldest
"""
AGE = {"postgresql": "EXTRACT(EPOCH FROM now() - at)", "sqlite": "seconds_between(at, now())"}


class SqlBusQueue(BusQueue):
    """The queue on a relational store; times are the store's."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def is_empty(self) -> bool:
        return await self._database.read.fetch_value("SELECT 1 FROM bus_queue WHERE NOT sent LIMIT 1") is None

    async def take(self, holder: str, limit: int, lease_s: float) -> Batch | None:
        async with carried(await self._database.begin()) as connection:
            lease = await connection.fetch_one(LEASE, holder=holder, lease_s=float(lease_s))
            if lease is None:
                return None
            rows = await connection.fetch(WAITING, limit=limit)
        return Batch([waiting(row) for row in rows], lease["mark"])

    async def gone(self, holder: str, positions: Collection[int], mark: str) -> None:
        async with carried(await self._database.begin()) as connection:
            held = await connection.execute(RELEASE, holder=holder, mark=mark)
            if held and positions:
                listed = msgspec.json.encode(sorted(positions)).decode()
                await connection.execute(SENT + connection.listed("positions"), positions=listed)

    async def mark(self) -> str:
        return str(await self._database.read.fetch_value("SELECT mark FROM bus_state WHERE id = 1"))

    async def refill(self, limit: int) -> int:
        return await self._written(AGAIN_NEWEST, limit=limit)

    async def again(self, since: datetime, topic: str | None) -> int:
        if topic is None:
            return await self._written(AGAIN_SINCE.format(of_topic=""), since=since)
        return await self._written(AGAIN_SINCE.format(of_topic=" AND topic = :topic"), since=since, topic=topic)

    async def _written(self, sql: str, **parameters: object) -> int:
        async with carried(await self._database.begin()) as connection:
            return await connection.execute(sql, **parameters)

    async def backlog(self) -> Backlog:
        read = self._database.read
        count = await read.fetch_value(COUNT)
        oldest_s = await read.fetch_value(OLDEST.format(age=AGE[read.dialect])) if count else None
        return Backlog(int(count), max(float(oldest_s or 0.0), 0.0))


def waiting(row: Row) -> WaitingEvent:
    """Read an event from a row of the queue joined to the outbox."""
    at = row["at"]
    return WaitingEvent(
        position=row["position"],
        id=uuid_of(row["id"]),
        topic=row["topic"],
        subject=row["subject"],
        at=at if isinstance(at, datetime) else datetime.fromisoformat(at),
        payload=row["payload"],
    )


async def queued(connection: Connection, insertion: str, events: Sequence[Mapping[str, object]]) -> None:
    """Run the insertion of events into the outbox and queue them for the bus, in the caller's transaction.

    On PostgreSQL both are one statement: one round trip.
    """
    if connection.dialect == "postgresql":
        both = (
            f"WITH kept AS ({insertion} RETURNING id) INSERT INTO bus_queue (event_id, sent) SELECT id, false FROM kept"
        )
        await connection.execute_many(both, events)
        return
    await connection.execute_many(insertion, events)
    ids = [{"id": event["id"]} for event in events]
    await connection.execute_many("INSERT INTO bus_queue (event_id, sent) VALUES (:id, false)", ids)
