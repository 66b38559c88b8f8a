"""The waitlist in a relational store."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from functools import partial

from opora.adapters.sql.connection import Connection
from opora.adapters.sql.mapping import columns, insertion, load
from opora.adapters.sql.pages import page_of
from opora.core.bookings.errors import AlreadyWaiting
from opora.core.bookings.model.hours import instant_of
from opora.core.bookings.model.waiting import Entry, Freed
from opora.core.bookings.ports.waiting import WaitlistRepository, WaitlistViews
from opora.core.kernel.errors import Stale
from opora.core.kernel.model import Page, PageRequest

NAMES = tuple(field.name for field in fields(Entry))
FIELDS = ", ".join(f"w.{name}" for name in NAMES)
ADD = insertion("waitlist", NAMES, "ON CONFLICT DO NOTHING")
SAVE = """
UPDATE waitlist SET status = :status, hold_id = :hold_id, version = :version
WHERE id = :id AND version = :version - 1
"""
OPEN = "SELECT count(*) FROM waitlist WHERE client_id = :client_id AND status IN ('waiting', 'offered')"
# Who is locked is being offered something else this moment, and to wait for that could be to wait for each other.
NEXT = f"""
SELECT {FIELDS} FROM waitlist w
WHERE w.status = 'waiting' AND w.starts_before > :now AND w.starts_before > :reach_from AND w.starts_from < :until
 AND (w.staff_id = :staff_id OR (w.staff_id IS NULL AND EXISTS (
  SELECT 1 FROM service_staff s WHERE s.service_id = w.service_id AND s.user_id = :staff_id)))
ORDER BY w.id LIMIT :limit
"""
REACH_MIN = 4320
"""No start lies further before the time it takes up."""


class SqlWaitlistRepository(WaitlistRepository):
    """The waitlist inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = " FOR UPDATE" if connection.dialect == "postgresql" else ""

    async def next_id(self) -> int:
        return await self._connection.next_id("waitlist")

    async def add(self, entry: Entry) -> None:
        if not await self._connection.execute(ADD, **columns(entry)):
            raise AlreadyWaiting

    async def get(self, id: int) -> Entry | None:
        return await self._one("w.id = :id", id=id)

    async def of_hold(self, hold_id: int) -> Entry | None:
        return await self._one("w.hold_id = :hold_id", hold_id=hold_id)

    async def _one(self, where: str, **values: object) -> Entry | None:
        sql = f"SELECT {FIELDS} FROM waitlist w WHERE {where}{self._lock}"
        row = await self._connection.fetch_one(sql, **values)
        return load(Entry, row) if row else None

    async def save(self, entry: Entry) -> None:
        saved = await self._connection.execute(
            SAVE, id=entry.id, status=str(entry.status), hold_id=entry.hold_id, version=entry.version
        )
        if not saved:
            raise Stale(entry_id=entry.id)

    async def open_entries(self, client_id: int) -> int:
        return int(await self._connection.fetch_value(OPEN, client_id=client_id))

    async def next_for(self, freed: Freed, now: datetime, limit: int) -> Sequence[Entry]:
        rows = await self._connection.fetch(
            NEXT + (f"{self._lock} OF w SKIP LOCKED" if self._lock else ""),
            staff_id=freed.staff_id,
            now=now,
            reach_from=instant_of(freed.from_min - REACH_MIN),
            until=instant_of(freed.until_min),
            limit=limit,
        )
        return [load(Entry, row) for row in rows]


class SqlWaitlistViews(WaitlistViews):
    """The waitlist as those see it who wait."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def page(self, client_id: int | None, request: PageRequest) -> Page[Entry]:
        where = "true" if client_id is None else "w.client_id = :client_id"
        values = {} if client_id is None else {"client_id": client_id}
        return await page_of(
            self._connection,
            partial(load, Entry),
            f"waitlist w WHERE {where}",
            f"SELECT {FIELDS} FROM waitlist w WHERE {where} ORDER BY w.id DESC",
            request,
            values,
        )

    async def one(self, id: int, client_id: int | None) -> Entry | None:
        row = await self._connection.fetch_one(f"SELECT {FIELDS} FROM waitlist w WHERE w.id = :id", id=id)
        entry = load(Entry, row) if row else None
        return entry if entry is not None and client_id in (None, entry.client_id) else None
