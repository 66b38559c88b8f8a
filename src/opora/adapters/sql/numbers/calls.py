"""Events of calls, and calls as they fold: rows that arrive at most once."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from itertools import groupby

from opora.adapters.sql.connection import Connection
from opora.adapters.sql.mapping import columns, load, to_json
from opora.adapters.sql.numbers.reach import visible
from opora.adapters.sql.numbers.rows import recordset, written
from opora.core.numbers.model.calls import Call, CallEvent
from opora.core.numbers.model.projects import ProjectReach
from opora.core.numbers.ports.calls import CallRepository, CallViews

CALL = tuple(field.name for field in fields(Call))
LISTED = ", ".join(CALL)
EVENT = {
    "event_id": "text", "call_id": "text", "type": "text", "phone": "bigint", "project_id": "bigint",
    "occurred_at": "timestamptz", "payload": "text",
}  # fmt: skip
"""What is written of an event, by the types of PostgreSQL."""
NOTE = """
INSERT INTO call_events (event_id, call_id, type, phone, occurred_at, received_at, payload)
SELECT event_id, call_id, type, phone, occurred_at, :now, payload FROM ({items}) AS told
WHERE true ORDER BY event_id ON CONFLICT (event_id) DO NOTHING RETURNING event_id
"""
OPEN = """
INSERT INTO calls (call_id, phone, project_id, updated_at)
SELECT call_id, phone, project_id, :now FROM ({items}) AS told
WHERE true ORDER BY call_id ON CONFLICT (call_id) DO NOTHING
"""
OPENED = f"SELECT {LISTED} FROM calls WHERE call_id IN {{ids}} ORDER BY call_id{{lock}}"
SAVE = f"""
UPDATE calls SET {", ".join(f"{name} = :{name}" for name in CALL if name != "call_id")} WHERE call_id = :call_id
"""
OF_NUMBERS = f"""
SELECT {LISTED} FROM (
 SELECT {LISTED}, row_number() OVER (PARTITION BY number_id ORDER BY began_at DESC) AS place FROM calls
 WHERE number_id IN {{ids}}) AS ranked
WHERE place <= :limit ORDER BY number_id, place
"""
ENDLESS = f"""
SELECT {LISTED} FROM calls WHERE result IS NULL AND swept_at IS NULL AND updated_at < :before
ORDER BY updated_at LIMIT :limit
"""
FORGET = """
DELETE FROM call_events WHERE event_id IN (
 SELECT event_id FROM call_events WHERE received_at < :before ORDER BY received_at LIMIT :limit)
"""


class SqlCallRepository(CallRepository):
    """Calls inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._postgres = connection.dialect == "postgresql"
        self._items = recordset("items", EVENT, connection.dialect)

    async def note(self, events: Sequence[CallEvent], now: datetime) -> Sequence[CallEvent]:
        first: dict[str, CallEvent] = {}
        for event in events:
            first.setdefault(event.event_id, event)
        items = written([row_of(event) for event in first.values()])
        rows = await self._connection.fetch(NOTE.format(items=self._items), items=items, now=now)
        new = {row["event_id"] for row in rows}
        return [event for id, event in first.items() if id in new]

    async def open(self, events: Sequence[CallEvent], now: datetime) -> Mapping[str, Call]:
        first: dict[str, CallEvent] = {}
        for event in events:
            first.setdefault(event.call_id, event)
        items = written([row_of(event) for event in first.values()])
        await self._connection.execute(OPEN.format(items=self._items), items=items, now=now)
        lock = " FOR UPDATE" if self._postgres else ""
        sql = OPENED.format(ids=self._connection.listed("ids", "text"), lock=lock)
        rows = await self._connection.fetch(sql, ids=to_json(list(first)))
        return {row["call_id"]: load(Call, row) for row in rows}

    async def save(self, calls: Sequence[Call]) -> None:
        if calls:
            await self._connection.execute_many(SAVE, [columns(call) for call in calls])

    async def of_numbers(self, number_ids: Sequence[int], limit: int) -> Mapping[int, Sequence[Call]]:
        sql = OF_NUMBERS.format(ids=self._connection.listed("ids"))
        rows = await self._connection.fetch(sql, ids=to_json(list(number_ids)), limit=limit)
        return {id: [load(Call, row) for row in some] for id, some in groupby(rows, lambda row: row["number_id"])}

    async def endless(self, before: datetime, limit: int) -> Sequence[Call]:
        lock = " FOR UPDATE SKIP LOCKED" if self._postgres else ""
        return [load(Call, row) for row in await self._connection.fetch(ENDLESS + lock, before=before, limit=limit)]

    async def forget(self, before: datetime, limit: int) -> int:
        return await self._connection.execute(FORGET, before=before, limit=limit)


def row_of(event: CallEvent) -> dict[str, object]:
    """Give the columns of EVENT."""
    return {
        "event_id": event.event_id,
        "call_id": event.call_id,
        "type": str(event.type),
        "phone": event.phone,
        "project_id": event.project_id,
        "occurred_at": event.occurred_at,
        "payload": to_json({"result": event.result, "cause": event.cause, "data": event.data}),
    }


class SqlCallViews(CallViews):
    """Calls by single statements."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def of_numbers(self, number_ids: Sequence[int], reach: ProjectReach, limit: int) -> Sequence[Call]:
        projects, parameters = visible(reach)
        sql = f"""SELECT {LISTED} FROM calls WHERE number_id IN {self._connection.listed("ids")}
 AND project_id IN ({projects}) ORDER BY began_at DESC LIMIT :limit"""
        rows = await self._connection.fetch(sql, ids=to_json(list(number_ids)), limit=limit, **parameters)
        return [load(Call, row) for row in rows]
