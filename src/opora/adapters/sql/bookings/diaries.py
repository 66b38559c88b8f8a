"""Working hours and sessions in a relational store."""

from collections.abc import Sequence
from datetime import datetime

from opora.adapters.sql.connection import Connection
from opora.adapters.sql.mapping import columns, load, to_json
from opora.core.bookings.model.hours import Availability, Busy, Diary
from opora.core.bookings.ports.diaries import DiaryRepository, DiaryViews

HOURS = "SELECT user_id, timezone, weekly, exceptions, closures FROM availability WHERE user_id"
WHOSE = ("user_id", "timezone", "weekly", "exceptions", "closures")
SET_HOURS = """
INSERT INTO availability (user_id, timezone, weekly, exceptions, closures, changed_at)
VALUES (:user_id, :timezone, :weekly, :exceptions, :closures, :changed_at)
ON CONFLICT (user_id) DO UPDATE SET timezone = excluded.timezone, weekly = excluded.weekly,
 exceptions = excluded.exceptions, closures = excluded.closures, changed_at = excluded.changed_at
"""
# One question for both, since most who want a hot time are told by it that it is gone. No session is longer than 4,320
# minutes, so that the index bounds the look from both sides.
READ = """
SELECT user_id, timezone, weekly, exceptions, closures, 0 AS busy_from_min, 0 AS busy_until_min, 0 AS start_min,
 0 AS service_id, 0 AS taken, 0 AS capacity FROM availability WHERE user_id IN {listed}
UNION ALL
SELECT e.staff_id, NULL, NULL, NULL, NULL, e.busy_from_min, e.busy_until_min, e.start_min, e.service_id, count(*),
 e.capacity
FROM engagements e JOIN appointments a ON a.engagement_id = e.id AND (a.status <> 'held' OR a.expires_at > :now)
WHERE e.staff_id IN {listed} AND e.busy_from_min > :from_min - 4320 AND e.busy_from_min < :until_min
 AND e.busy_until_min > :from_min
GROUP BY e.id ORDER BY user_id, busy_from_min
"""


class SqlDiaryViews(DiaryViews):
    """Hours and sessions; one statement for any number of diaries."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def hours(self, user_id: int) -> Availability | None:
        row = await self._connection.fetch_one(f"{HOURS} = :id", id=user_id)
        return load(Availability, row) if row else None

    async def read(self, staff_ids: Sequence[int], from_min: int, until_min: int, now: datetime) -> Sequence[Diary]:
        rows = await self._connection.fetch(
            READ.format(listed=self._connection.listed("ids")),
            ids=to_json(list(staff_ids)),
            from_min=from_min,
            until_min=until_min,
            now=now,
        )
        hours: dict[int, Availability] = {}
        busy: dict[int, list[Busy]] = {}
        for row in rows:
            staff_id, timezone, *_ = row
            if timezone is None:
                busy.setdefault(staff_id, []).append(Busy(*tuple(row)[len(WHOSE) :]))
            else:
                hours[staff_id] = load(Availability, dict(zip(WHOSE, row, strict=False)))
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
