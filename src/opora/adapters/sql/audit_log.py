"""The audit log as administrators read it."""

from typing import Any

from opora.adapters.sql.audit import AuditKey, verify
from opora.adapters.sql.connection import Database
from opora.adapters.sql.mapping import load
from opora.core.audit.model import AuditEntry, AuditFilter, Verification
from opora.core.audit.ports import AuditLog
from opora.core.kernel.errors import Invalid
from opora.core.kernel.model import Page, PageRequest

FIELDS = """id, created_at, user_id, key_id, action, entity_type, entity_id, old_values, new_values,
 address AS ip_address, user_agent, request_id, seal_number"""
CONDITIONS = {
    "user_id": "user_id = :user_id",
    "action": "action = :action",
    "entity_type": "entity_type = :entity_type",
    "entity_id": "entity_id = :entity_id",
    "created_after": "created_at >= :created_after",
    "created_before": "created_at < :created_before",
}
COUNT_MAX = 10_000


class SqlAuditLog(AuditLog):
    """Entries by id, which is nearly the order of their making."""

    def __init__(self, database: Database, key: AuditKey) -> None:
        self._database = database
        self._key = key

    async def page(self, wanted: AuditFilter, request: PageRequest) -> Page[AuditEntry]:
        parameters: dict[str, Any] = {
            name: getattr(wanted, name) for name in CONDITIONS if getattr(wanted, name) is not None
        }
        where = " AND ".join(CONDITIONS[name] for name in parameters) or "true"
        count = await self._database.read.fetch_value(
            f"SELECT count(*) FROM (SELECT 1 FROM audit_log WHERE {where} LIMIT {COUNT_MAX + 1}) AS found", **parameters
        )
        if request.cursor:
            where, parameters["before"] = f"{where} AND id < :before", position(request.cursor)
        rows = await self._database.read.fetch(
            f"SELECT {FIELDS} FROM audit_log WHERE {where} ORDER BY id DESC LIMIT :limit OFFSET :offset",
            **parameters,
            limit=request.limit + 1,
            offset=request.offset,
        )
        items = [load(AuditEntry, row) for row in rows[: request.limit]]
        return Page(
            items,
            min(count, COUNT_MAX),
            more=len(rows) > request.limit,
            cursor=str(items[-1].id) if items else None,
            count_exact=count <= COUNT_MAX,
        )

    async def verify(self) -> Verification:
        return await verify(self._database, self._key)


def position(cursor: str) -> int:
    """Read where a page starts; raises Invalid for what `page` did not give out."""
    if not cursor.isascii() or not cursor.isdecimal():
        raise Invalid(errors={"cursor": ["was not given out by this list"]})
    return int(cursor)
