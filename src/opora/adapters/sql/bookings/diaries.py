"""Working hours and sessions in a relational store."""

from collections.abc import Sequence
from datetime import datetime

from opora.adapters.sql.connection import Connection
from opora.adapters.sql.mapping import columns, load, to_json
from opora.core.bookings.model.hours import Availability, Busy, Diary
from opora.core.bookings.ports.diaries import DiaryRepository, DiaryViews

HOURS = "SELECT user_id, timezone, weekly, exceptions, closures FROM availability WHERE user_id"
SET_HOURS = """
INSERT INTO availability (user_id, timezone, weekly, exceptions, closures, changed_at)
VALUES (:user_id, :timezone, :weekly, :exceptions, :closures, :changed_at)
ON CONFLICT (user_id) DO UPDATE SET timezone = excluded.timezone, weekly = excluded.weekly,
 exceptions = excluded.exceptions, closures = excluded.closures, changed_at = excluded.changed_at
"""
# No session is longer than 4,320 minutes, so that the index bounds the look from both sides.
BUSY = """
SELECT e.staff_id, e.busy_from_min, e.busy_until_min, e.start_min, e.service_id, count(*) AS taken, e.capacity
FROM engagements e JOIN appointments a ON a.engagement_id = e.id AND (a.status <> 'held' OR a.expires_at > :now)
WHERE e.staff_id IN {listed} AND e.busy_from_min > :from_min - 4320 AND e.busy_from_min < :until_min
 AND e.busy_until_min > :from_min
GROUP BY e.id ORDER BY e.staff_id, e.busy_from_min
"""


class SqlDiaryViews(DiaryViews):
    """Hours and sessions; two statements for any number of diaries."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def hours(self, user_id: int) -> Availability | None:
        row = await self._connection.fetch_one(f"{HOURS} = :id", id=user_id)
        return load(Availability, row) if row else None

    async def read(self, staff_ids: Sequence[int], from_min: int, until_min: int, now: datetime) -> Sequence[Diary]:
        listed, ids = self._connection.listed("ids"), to_json(list(staff_ids))
        hours = {
            row["user_id"]: load(Availability, row)
            for row in await self._connection.fetch(f"{HOURS} IN {listed}", ids=ids)
        }
        rows = await self._connection.fetch(
            BUSY.format(listed=listed), ids=ids, from_min=from_min, until_min=until_min, now=now
        )
        busy: dict[int, list[Busy]] = {}
        for staff_id, *session in rows:
            busy.setdefault(staff_id, []).append(Busy(*session))
        return [Diary(one, hours.get(one), tuple(busy.get(one, ()))) for one in staff_ids]


class SqlDiaryRepository(SqlDiaryViews, DiaryRepository):
    """Hours and sessions inside one transaction."""

    async def set_hours(self, availability: Availability, at: datetime) -> None:
        await self._connection.execute(SET_HOURS, **columns(availability), changed_at=at)

    async def lock(self, staff_ids: Sequence[int]) -> None:
        if self._connection.dialect != "postgresql":
            return  # the whole file is held from the beginning of the transaction
        listed = self._connection.listed("ids")
        sql = f"SELECT user_id FROM availability WHERE user_id IN {listed} ORDER BY user_id FOR UPDATE"
        await self._connection.fetch(sql, ids=to_json(sorted(set(staff_ids))))
