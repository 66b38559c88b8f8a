"""Events kept with their cause, and turned into one job a subscriber after it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import groupby

import msgspec

from opora.adapters.sql.bus.queue import queued
from opora.adapters.sql.connection import Connection
from opora.adapters.sql.jobs import SqlJobQueue
from opora.core.jobs.model import NewJob
from opora.core.kernel.events import Event
from opora.core.kernel.ports import Identifiers, Outbox

ADD = """
INSERT INTO outbox (id, topic, subject, payload, at, dispatched_at)
VALUES (:id, :topic, :subject, :payload, :at, {dispatched_at})
"""
WAITING = ADD.format(dispatched_at="NULL")
UNHEARD = ADD.format(dispatched_at="now()")  # nobody subscribes: kept for its time, with nothing to dispatch
TAKE = """
SELECT id, topic, subject, payload FROM outbox WHERE dispatched_at IS NULL ORDER BY id LIMIT :limit
"""
MARK = "UPDATE outbox SET dispatched_at = now() WHERE id IN "
PRUNE = """
DELETE FROM outbox WHERE id IN (
  SELECT id FROM outbox WHERE dispatched_at < later(:age_s)
   AND NOT EXISTS (SELECT 1 FROM bus_queue WHERE event_id = outbox.id AND NOT sent) ORDER BY dispatched_at LIMIT :limit)
"""


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscriber of a topic: `name` is stable, `kind` is the job that serves it."""

    name: str
    kind: str


type Subscriptions = Mapping[str, Sequence[Subscription]]


def payload(event: Event) -> str:
    """Encode what an event says, its subject and time included."""
    return msgspec.json.encode({field.name: getattr(event, field.name) for field in fields(event)}).decode()


class SqlOutbox(Outbox):
    """Outbox rows in the transaction of their cause."""

    def __init__(
        self,
        connection: Connection,
        identifiers: Identifiers,
        subscriptions: Subscriptions | None = None,
        *,
        to_bus: bool = False,
    ) -> None:
        """Without `subscriptions` every event waits for the relay to judge; `filled` turns true when one waits.

        With `to_bus` each is queued for the event bus too.
        """
        self._connection = connection
        self._identifiers = identifiers
        self._subscriptions = subscriptions
        self._to_bus = to_bus
        self.filled = False
        self.topics: list[str] = []

    async def add(self, *events: Event) -> None:
        for insertion, some in groupby(events, self._insertion):
            rows = [self._row(event) for event in some]
            if self._to_bus:
                await queued(self._connection, insertion, rows)
            elif len(rows) == 1:
                await self._connection.execute(insertion, **rows[0])
            else:
                await self._connection.execute_many(insertion, rows)

    def _insertion(self, event: Event) -> str:
        heard = self._subscriptions is None or bool(self._subscriptions.get(event.topic))
        self.filled = self.filled or heard or self._to_bus
        return WAITING if heard else UNHEARD

    def _row(self, event: Event) -> dict[str, object]:
        self.topics.append(event.topic)
        return {
            "id": self._identifiers.task_id(),
            "topic": event.topic,
            "subject": str(event.subject),
            "payload": payload(event),
            "at": event.at,
        }


class SqlRelay:
    """Turns committed events into jobs: claimed by their state, never by position, since ids commit out of order."""

    def __init__(self, subscriptions: Subscriptions) -> None:
        self._subscriptions = subscriptions

    async def dispatch(self, connection: Connection, jobs: SqlJobQueue, limit: int) -> int:
        """Dispatch up to `limit` events inside the caller's transaction; returns how many."""
        lock = " FOR UPDATE SKIP LOCKED" if connection.dialect == "postgresql" else ""
        rows = await connection.fetch(TAKE + lock, limit=limit)
        if not rows:
            return 0
        for row in rows:
            for subscription in self._subscriptions.get(row["topic"], ()):
                await jobs.add(self.job(subscription, str(row["id"]), row["topic"], row["payload"]))
        ids = msgspec.json.encode([str(row["id"]) for row in rows]).decode()
        await connection.execute(MARK + connection.listed("ids", "uuid"), ids=ids)
        return len(rows)

    def job(self, subscription: Subscription, event_id: str, topic: str, text: str) -> NewJob:
        """The job that brings one event to one subscriber, once."""
        return NewJob(
            kind=subscription.kind,
            payload={"event_id": event_id, "topic": topic, "event": msgspec.json.decode(text)},
            dedup_key=f"{subscription.name}:{event_id}",
        )

    async def prune(self, connection: Connection, keep_s: float, limit: int) -> int:
        """Delete up to `limit` events dispatched more than `keep_s` ago."""
        return await connection.execute(PRUNE, age_s=-float(keep_s), limit=limit)
