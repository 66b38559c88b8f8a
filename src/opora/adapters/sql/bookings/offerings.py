"""Services and the people around them in a relational store."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from functools import partial
from typing import Any

from opora.adapters.sql.connection import Connection
from opora.adapters.sql.filters import Filter
from opora.adapters.sql.mapping import columns, insertion, load, to_json
from opora.adapters.sql.pages import page_of
from opora.core.bookings.model.calendars import Person
from opora.core.bookings.model.offerings import Offering, OfferingFilter
from opora.core.bookings.ports.offerings import OfferingRepository, OfferingViews, People
from opora.core.kernel.errors import Stale
from opora.core.kernel.model import Page, PageRequest
from opora.core.kernel.rules import folded, words

NAMES = tuple(field.name for field in fields(Offering) if field.name != "staff_ids")
KEPT = tuple(name for name in NAMES if name not in {"id", "created_at", "version"})
STAFF_OF = {
    "postgresql": "(SELECT CAST(COALESCE(json_agg(user_id ORDER BY user_id), '[]') AS text)"
    " FROM service_staff WHERE service_id = services.id)",
    "sqlite": "(SELECT json_group_array(user_id) FROM"
    " (SELECT user_id FROM service_staff WHERE service_id = services.id ORDER BY user_id))",
}
"""Who gives a service, as JSON text."""
ADD = insertion("services", (*NAMES, "search"))
ADD_STAFF = insertion("service_staff", ("service_id", "user_id"))
SAVE = f"""
UPDATE services SET {", ".join(f"{name} = :{name}" for name in KEPT)}, version = :version, search = :search
WHERE id = :id AND version = :version - 1
"""
NAMES_AROUND = """
SELECT COALESCE((SELECT name FROM services WHERE id = :service_id), '') AS service,
 COALESCE((SELECT full_name FROM users WHERE id = :staff_id), '') AS staff
"""
STAFF = """
SELECT u.id FROM users u JOIN user_roles r ON r.user_id = u.id AND r.role = 'staff' WHERE u.is_active AND u.id IN
"""


def offering_sql(dialect: str, rest: str) -> str:
    """Write the query for whole services."""
    return f"SELECT {', '.join(NAMES)}, {STAFF_OF[dialect]} AS staff_ids FROM services {rest}"


def stored(offering: Offering) -> dict[str, Any]:
    """Give the columns of a service's own row."""
    values = columns(offering)
    del values["staff_ids"]
    return values | {"search": folded(offering.name)}


class SqlOfferingRepository(OfferingRepository):
    """Service rows with their staff inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def next_id(self) -> int:
        return await self._connection.next_id("services")

    async def add(self, offering: Offering) -> None:
        await self._connection.execute(ADD, **stored(offering))
        await self._add_staff(offering)

    async def get(self, id: int) -> Offering | None:
        row = await self._connection.fetch_one(offering_sql(self._connection.dialect, "WHERE id = :id"), id=id)
        return load(Offering, row) if row else None

    async def names_around(self, service_id: int, staff_id: int) -> tuple[str, str]:
        row = await self._connection.fetch_one(NAMES_AROUND, service_id=service_id, staff_id=staff_id)
        return (row["service"], row["staff"]) if row else ("", "")

    async def save(self, offering: Offering) -> None:
        values = stored(offering)
        del values["created_at"]
        if not await self._connection.execute(SAVE, **values):
            raise Stale(service_id=offering.id)
        await self._connection.execute("DELETE FROM service_staff WHERE service_id = :id", id=offering.id)
        await self._add_staff(offering)

    async def _add_staff(self, offering: Offering) -> None:
        rows = [{"service_id": offering.id, "user_id": user_id} for user_id in offering.staff_ids]
        await self._connection.execute_many(ADD_STAFF, rows)


class SqlOfferingViews(OfferingViews):
    """Services as everybody sees them; single statements."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def one(self, id: int) -> Offering | None:
        sql = offering_sql(self._connection.dialect, "WHERE id = :id AND is_active")
        row = await self._connection.fetch_one(sql, id=id)
        return load(Offering, row) if row else None

    async def page(self, wanted: OfferingFilter, request: PageRequest) -> Page[Offering]:
        found = Filter("is_active")
        found.narrow("id IN (SELECT service_id FROM service_staff WHERE user_id = :staff_id)", staff_id=wanted.staff_id)
        found.containing("search", words(wanted.q))
        return await page_of(
            self._connection,
            partial(load, Offering),
            f"services WHERE {found.where}",
            offering_sql(self._connection.dialect, f"WHERE {found.where} ORDER BY name, id"),
            request,
            found.parameters,
        )

    async def names(self, ids: Sequence[int]) -> Mapping[int, str]:
        sql = f"SELECT id, name FROM services WHERE id IN {self._connection.listed('ids')}"
        return {row["id"]: row["name"] for row in await self._connection.fetch(sql, ids=to_json(list(ids)))}


class SqlPeople(People):
    """Users as those who give services and come to them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def staff(self, ids: Collection[int]) -> frozenset[int]:
        rows = await self._connection.fetch(STAFF + self._connection.listed("ids"), ids=to_json(sorted(set(ids))))
        return frozenset(row["id"] for row in rows)

    async def is_active(self, user_id: int) -> bool:
        sql = "SELECT 1 FROM users WHERE id = :id AND is_active"
        return await self._connection.fetch_value(sql, id=user_id) is not None

    async def named(self, ids: Sequence[int]) -> Mapping[int, Person]:
        sql = f"SELECT id, full_name, email FROM users WHERE id IN {self._connection.listed('ids')}"
        rows = await self._connection.fetch(sql, ids=to_json(list(ids)))
        return {row["id"]: Person(row["full_name"], row["email"]) for row in rows}
