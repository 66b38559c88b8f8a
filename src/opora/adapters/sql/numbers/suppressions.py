"""Numbers never to be called. Project 0 stands for every project."""

from collections.abc import Mapping
from typing import Any

from opora.adapters.sql.connection import Connection, Row
from opora.adapters.sql.numbers.reach import GRANTED, told
from opora.adapters.sql.numbers.rows import instant
from opora.adapters.sql.pages import page_of
from opora.core.kernel.model import Page, PageRequest
from opora.core.numbers.errors.numbers import SuppressionExists
from opora.core.numbers.model.numbers import Suppression
from opora.core.numbers.model.projects import ProjectReach
from opora.core.numbers.ports.numbers import SuppressionRepository, SuppressionViews

EVERYWHERE = 0
FIELDS = "id, phone, project_id, reason, created_by, created_at"
ADD = """
INSERT INTO suppressions (id, phone, project_id, reason, created_by, created_at)
VALUES (:id, :phone, :project_id, :reason, :created_by, :created_at) ON CONFLICT (phone, project_id) DO NOTHING
"""


def seen(reach: ProjectReach) -> tuple[str, Mapping[str, Any]]:
    """Return the condition that an entry is within reach, and its parameters."""
    if reach.user_id is None:
        return "true", {}
    return f"(project_id = {EVERYWHERE} OR project_id IN ({GRANTED}))", told(reach)


def entry_of(row: Row) -> Suppression:
    """Build an entry from its row."""
    return Suppression(
        id=row["id"],
        phone=row["phone"],
        project_id=row["project_id"] or None,
        reason=row["reason"],
        created_by=row["created_by"],
        created_at=instant(row["created_at"]),
    )


class SqlSuppressionRepository(SuppressionRepository):
    """Entries inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = " FOR UPDATE" if connection.dialect == "postgresql" else ""

    async def next_id(self) -> int:
        return await self._connection.next_id("suppressions")

    async def add(self, entry: Suppression) -> None:
        added = await self._connection.execute(
            ADD,
            id=entry.id,
            phone=entry.phone,
            project_id=entry.project_id or EVERYWHERE,
            reason=entry.reason,
            created_by=entry.created_by,
            created_at=entry.created_at,
        )
        if not added:
            raise SuppressionExists

    async def get(self, id: int, reach: ProjectReach) -> Suppression | None:
        condition, parameters = seen(reach)
        sql = f"SELECT {FIELDS} FROM suppressions WHERE id = :id AND {condition}{self._lock}"
        row = await self._connection.fetch_one(sql, id=id, **parameters)
        return entry_of(row) if row else None

    async def of_phone(self, phone: int, project_id: int | None, reach: ProjectReach) -> Suppression | None:
        condition, parameters = seen(reach)
        sql = f"""SELECT {FIELDS} FROM suppressions
 WHERE phone = :phone AND project_id = :project_id AND {condition}{self._lock}"""
        row = await self._connection.fetch_one(sql, phone=phone, project_id=project_id or EVERYWHERE, **parameters)
        return entry_of(row) if row else None

    async def remove(self, id: int) -> bool:
        return await self._connection.execute("DELETE FROM suppressions WHERE id = :id", id=id) == 1


class SqlSuppressionViews(SuppressionViews):
    """Entries by single statements."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def one(self, id: int, reach: ProjectReach) -> Suppression | None:
        condition, parameters = seen(reach)
        sql = f"SELECT {FIELDS} FROM suppressions WHERE id = :id AND {condition}"
        row = await self._connection.fetch_one(sql, id=id, **parameters)
        return entry_of(row) if row else None

    async def page(
        self, reach: ProjectReach, project_id: int | None, phone: int | None, request: PageRequest
    ) -> Page[Suppression]:
        condition, found = seen(reach)
        parameters = dict(found)
        if project_id is not None:
            condition += " AND project_id = :project_id"
            parameters["project_id"] = project_id
        if phone is not None:
            condition += " AND phone = :phone"
            parameters["phone"] = phone
        return await page_of(
            self._connection,
            entry_of,
            f"suppressions WHERE {condition}",
            f"SELECT {FIELDS} FROM suppressions WHERE {condition} ORDER BY id DESC",
            request,
            parameters,
        )
