"""Appointments and their places in a relational store, which itself holds that none is given twice."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from functools import partial
from typing import Any

from opora.adapters.sql.connection import Connection
from opora.adapters.sql.filters import Filter
from opora.adapters.sql.mapping import columns, insertion, load
from opora.adapters.sql.pages import page_of
from opora.core.bookings.model.appointments import Appointment, AppointmentFilter, Reach, Seat, Session
from opora.core.bookings.model.series import Series
from opora.core.bookings.model.waiting import Freed
from opora.core.bookings.ports.appointments import AppointmentRepository, AppointmentViews
from opora.core.kernel.errors import Stale
from opora.core.kernel.model import Interval, Page, PageRequest

TRIES = 3
NAMES = tuple(field.name for field in fields(Appointment))
FIELDS = ", ".join(f"a.{name}" for name in NAMES)
FIXED = frozenset({"id", "uid", "service_id", "price_minor", "currency", "policy", "version"})
KEPT = tuple(name for name in NAMES if name not in FIXED)
ADD = insertion("appointments", NAMES)
SAVE = f"""
UPDATE appointments SET {", ".join(f"{name} = :{name}" for name in KEPT)}, version = :version
WHERE id = :id AND version = :version - 1
"""
SETTLE = """
UPDATE appointments SET engagement_id = :engagement_id, place = :place, capacity = :capacity
WHERE id = :id AND place IS NULL
"""
# The look before the insertion spares most losers the work. Those who come at the very same moment meet the constraint,
# which ON CONFLICT DO NOTHING turns into no row. A plain insertion would deadlock there.
OPEN = """
INSERT INTO engagements (staff_id, service_id, start_min, busy_from_min, busy_until_min, capacity)
SELECT CAST(:staff_id AS bigint), CAST(:service_id AS bigint), CAST(:start_min AS bigint),
 CAST(:busy_from_min AS bigint), CAST(:busy_until_min AS bigint), CAST(:capacity AS integer)
WHERE NOT EXISTS (
 SELECT 1 FROM engagements e WHERE e.staff_id = CAST(:staff_id AS bigint)
 AND e.busy_from_min < CAST(:busy_until_min AS bigint) AND e.busy_until_min > CAST(:busy_from_min AS bigint)
 AND e.busy_from_min > CAST(:busy_from_min AS bigint) - 4320
)
ON CONFLICT DO NOTHING RETURNING id
"""
THE_SAME = """
SELECT id, capacity FROM engagements WHERE staff_id = :staff_id AND service_id = :service_id
 AND start_min = :start_min AND busy_from_min = :busy_from_min AND busy_until_min = :busy_until_min
"""
CLOSE = """
DELETE FROM engagements WHERE id = :id AND NOT EXISTS (SELECT 1 FROM appointments WHERE engagement_id = :id)
"""
IN_WAY = """
SELECT a.id FROM appointments a JOIN engagements e ON e.id = a.engagement_id
WHERE a.status = 'held' AND a.staff_id = :staff_id AND a.expires_at <= :now
 AND e.busy_from_min < :busy_until_min AND e.busy_until_min > :busy_from_min ORDER BY a.id
"""
OPEN_HOLDS = """
SELECT count(*) FROM appointments a WHERE a.client_id = :client_id AND a.status = 'held' AND a.expires_at > :now
 AND NOT EXISTS (SELECT 1 FROM waitlist w WHERE w.hold_id = a.id)
"""
SERIES = tuple(field.name for field in fields(Series))
ADD_SERIES = insertion("appointment_series", SERIES)
COMING = f"""
SELECT {FIELDS} FROM appointments a WHERE a.series_id = :series_id AND a.status IN ('pending', 'confirmed')
 AND a.starts_at > :now ORDER BY a.starts_at, a.id
"""
GIVERS = """
SELECT DISTINCT staff_id FROM appointments WHERE series_id = :series_id AND status IN ('pending', 'confirmed')
 ORDER BY staff_id
"""
SHOWN = "a.status NOT IN ('held', 'lapsed')"
OF_PERSON = f"""
SELECT {FIELDS} FROM appointments a WHERE (a.client_id = :user_id OR a.staff_id = :user_id)
 AND a.status IN ('pending', 'confirmed', 'completed') AND a.starts_at >= :start AND a.starts_at < :end
ORDER BY a.starts_at, a.id LIMIT :limit
"""


class SqlAppointmentRepository(AppointmentRepository):
    """Appointments, their sessions and their series inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = " FOR UPDATE" if connection.dialect == "postgresql" else ""

    async def next_ids(self, count: int) -> Sequence[int]:
        return sorted(await self._connection.next_ids("appointments", count)) if count else []

    async def claim(self, session: Session) -> Seat | None:
        wanted = columns(session)
        for _ in range(TRIES):
            opened = await self._connection.fetch_value(OPEN, **wanted)
            if opened is not None:
                return Seat(opened, 0, session.capacity)
            if session.capacity == 1:
                return None
            joined = await self._join(wanted)
            if joined is not None:
                return joined if joined.place < joined.capacity else None
            # Another session is there, or this one closed while its row was waited for: then it can be opened anew.
        return None

    async def _join(self, wanted: dict[str, Any]) -> Seat | None:
        """Return the lowest free place of the session, past the last where it is full, None where there is none."""
        wanted = {name: wanted[name] for name in wanted if name != "capacity"}
        found = await self._connection.fetch_one(THE_SAME + self._lock, **wanted)
        if found is None:
            return None
        rows = await self._connection.fetch(
            "SELECT place FROM appointments WHERE engagement_id = :id ORDER BY place", id=found["id"]
        )
        taken = {row["place"] for row in rows}
        place = next(one for one in range(len(taken) + 1) if one not in taken)
        return Seat(found["id"], place, found["capacity"])

    async def leave(self, engagement_id: int) -> Freed | None:
        sql = "SELECT staff_id, busy_from_min, busy_until_min FROM engagements WHERE id = :id"
        row = await self._connection.fetch_one(sql + self._lock, id=engagement_id)
        if row is None:
            return None
        await self._connection.execute(CLOSE, id=engagement_id)
        return Freed(*row)

    async def holds_in_way(self, session: Session, now: datetime) -> Sequence[int]:
        rows = await self._connection.fetch(
            IN_WAY,
            staff_id=session.staff_id,
            busy_from_min=session.busy_from_min,
            busy_until_min=session.busy_until_min,
            now=now,
        )
        return [row["id"] for row in rows]

    async def add(self, appointment: Appointment) -> None:
        await self._connection.execute(ADD, **columns(appointment))

    async def get(self, id: int) -> Appointment | None:
        sql = f"SELECT {FIELDS} FROM appointments a WHERE a.id = :id{self._lock}"
        row = await self._connection.fetch_one(sql, id=id)
        return load(Appointment, row) if row else None

    async def save(self, appointment: Appointment) -> None:
        values = columns(appointment)
        changed = {name: values[name] for name in (*KEPT, "id", "version")}
        if not await self._connection.execute(SAVE, **changed):
            raise Stale(appointment_id=appointment.id)

    async def settle(self, id: int, seat: Seat) -> None:
        if not await self._connection.execute(SETTLE, id=id, **columns(seat)):
            raise Stale(appointment_id=id)

    async def open_holds(self, client_id: int, now: datetime) -> int:
        return int(await self._connection.fetch_value(OPEN_HOLDS, client_id=client_id, now=now))

    async def next_series_id(self) -> int:
        return await self._connection.next_id("appointment_series")

    async def add_series(self, series: Series) -> None:
        await self._connection.execute(ADD_SERIES, **columns(series))

    async def series(self, id: int) -> Series | None:
        sql = f"SELECT {', '.join(SERIES)} FROM appointment_series WHERE id = :id"
        row = await self._connection.fetch_one(sql, id=id)
        return load(Series, row) if row else None

    async def change_rule(self, id: int, rrule: str) -> None:
        sql = "UPDATE appointment_series SET rrule = :rrule WHERE id = :id"
        await self._connection.execute(sql, id=id, rrule=rrule)

    async def givers(self, series_id: int) -> Sequence[int]:
        return [row["staff_id"] for row in await self._connection.fetch(GIVERS, series_id=series_id)]

    async def coming(self, series_id: int, now: datetime) -> Sequence[Appointment]:
        rows = await self._connection.fetch(COMING + self._lock, series_id=series_id, now=now)
        return [load(Appointment, row) for row in rows]


class SqlAppointmentViews(AppointmentViews):
    """Appointments as those see them who may; single statements."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def one(self, id: int, reach: Reach) -> Appointment | None:
        where, values = within(reach)
        sql = f"SELECT {FIELDS} FROM appointments a WHERE a.id = :id AND {SHOWN}{where}"
        row = await self._connection.fetch_one(sql, id=id, **values)
        return load(Appointment, row) if row else None

    async def page(self, reach: Reach, wanted: AppointmentFilter, request: PageRequest) -> Page[Appointment]:
        where, values = within(reach)
        found = Filter(f"{SHOWN}{where}", **values)
        for name, condition in CONDITIONS.items():
            found.narrow(condition, **{name: getattr(wanted, name)})
        return await page_of(
            self._connection,
            partial(load, Appointment),
            f"appointments a WHERE {found.where}",
            f"SELECT {FIELDS} FROM appointments a WHERE {found.where} ORDER BY a.starts_at, a.id",
            request,
            found.parameters,
        )

    async def of_person(self, user_id: int, span: Interval, limit: int) -> Sequence[Appointment]:
        rows = await self._connection.fetch(OF_PERSON, user_id=user_id, start=span.start, end=span.end, limit=limit)
        return [load(Appointment, row) for row in rows]


CONDITIONS = {
    "starts_from": "a.starts_at >= :starts_from",
    "starts_before": "a.starts_at < :starts_before",
    "status": "a.status = :status",
    "service_id": "a.service_id = :service_id",
    "staff_id": "a.staff_id = :staff_id",
    "client_id": "a.client_id = :client_id",
    "series_id": "a.series_id = :series_id",
}
"""What each field of a filter asks for."""


def within(reach: Reach) -> tuple[str, dict[str, Any]]:
    """Return the condition that a row is within reach, to stand after others, and its parameters."""
    if reach.is_everyones:
        return "", {}
    if reach.staff_id is None:
        return " AND a.client_id = :own_client", {"own_client": reach.client_id}
    parameters = {"own_client": reach.client_id, "own_staff": reach.staff_id}
    return " AND (a.client_id = :own_client OR a.staff_id = :own_staff)", parameters
