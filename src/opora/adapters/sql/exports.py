"""Exports in a relational store: one row each, its progress read from its job."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from opora.adapters.sql.connection import Connection, Row
from opora.adapters.sql.jobs import uuid_of
from opora.adapters.sql.mapping import columns, insertion, load, to_json
from opora.adapters.sql.pages import page_of
from opora.core.jobs.model import JobState
from opora.core.kernel.errors import Stale
from opora.core.kernel.model import Page, PageRequest
from opora.core.profiles.model.exports import Export, ExportReport, ExportStatus, Reach
from opora.core.profiles.ports.exports import ExportRepository, ExportViews
from opora.core.profiles.rules.exports import report

NAMES = (
    "id", "job_id", "owner", "profile_ids", "format", "status", "requested_at", "completed_at", "expires_at", "error",
    "size", "sha256", "is_file_removed",
)  # fmt: skip
FIELDS = ", ".join(f"e.{name}" for name in NAMES)
SAVE = """
UPDATE exports SET status = :status, completed_at = :completed_at, expires_at = :expires_at, error = :error,
 size = :size, sha256 = :sha256, is_file_removed = :is_file_removed
WHERE id = :id AND status = :previous
"""
ORPHANS = f"""
SELECT {FIELDS}, COALESCE(j.state, 'dead') AS job_state FROM exports e LEFT JOIN jobs j ON j.id = e.job_id
WHERE e.status IN ('queued', 'running') AND COALESCE(j.state, 'dead') IN ('dead', 'cancelled')
ORDER BY e.id LIMIT :limit
"""
EXPIRED = f"""
SELECT {FIELDS} FROM exports e
WHERE e.status = 'completed' AND NOT e.is_file_removed AND e.expires_at <= :now ORDER BY e.expires_at LIMIT :limit
"""
REPORTS = f"""
SELECT {FIELDS}, COALESCE(j.progress_done, 0) AS done, COALESCE(j.progress_total, 0) AS total, now() AS now
FROM exports e LEFT JOIN jobs j ON j.id = e.job_id
"""
WITH_FILE = """
SELECT id FROM exports WHERE NOT is_file_removed AND NOT (status = 'failed' AND completed_at < :failed_before)
 AND id IN
"""


class SqlExportRepository(ExportRepository):
    """Exports inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = " FOR UPDATE OF e" if connection.dialect == "postgresql" else ""

    async def add(self, export: Export) -> None:
        await self._connection.execute(insertion("exports", NAMES), **columns(export))

    async def get(self, id: UUID) -> Export | None:
        return await self._one("e.id = :id", id=id)

    async def of_job(self, job_id: UUID) -> Export | None:
        return await self._one("e.job_id = :job_id", job_id=job_id)

    async def _one(self, where: str, **parameters: object) -> Export | None:
        row = await self._connection.fetch_one(
            f"SELECT {FIELDS} FROM exports e WHERE {where}{self._lock}", **parameters
        )
        return load(Export, row) if row else None

    async def save(self, export: Export, previous: ExportStatus) -> None:
        values = columns(export)
        changed = ("id", "status", "completed_at", "expires_at", "error", "size", "sha256", "is_file_removed")
        parameters = {name: values[name] for name in changed}
        if not await self._connection.execute(SAVE, **parameters, previous=str(previous)):
            raise Stale(export_id=str(export.id))

    async def orphans(self, limit: int) -> Sequence[tuple[Export, JobState]]:
        rows = await self._connection.fetch(ORPHANS + self._lock, limit=limit)
        return [(load(Export, row), JobState(row["job_state"])) for row in rows]

    async def expired(self, now: datetime, limit: int) -> Sequence[Export]:
        return [load(Export, row) for row in await self._connection.fetch(EXPIRED, now=now, limit=limit)]


class SqlExportViews(ExportViews):
    """Exports as their owners see them; single statements."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def page(self, reach: Reach, request: PageRequest) -> Page[ExportReport]:
        where, parameters = within(reach)
        return await page_of(
            self._connection,
            report_of,
            f"exports e WHERE {where}",
            f"{REPORTS} WHERE {where} ORDER BY e.id DESC",
            request,
            parameters,
        )

    async def one(self, id: UUID, reach: Reach) -> ExportReport | None:
        where, parameters = within(reach)
        row = await self._connection.fetch_one(f"{REPORTS} WHERE {where} AND e.id = :id", **parameters, id=id)
        return report_of(row) if row else None

    async def with_file(self, ids: Sequence[UUID], failed_before: datetime) -> frozenset[UUID]:
        sql = WITH_FILE + self._connection.listed("ids", "uuid")
        text = to_json([str(one) for one in ids])
        rows = await self._connection.fetch(sql, ids=text, failed_before=failed_before)
        return frozenset(uuid_of(row["id"]) for row in rows)


def within(reach: Reach) -> tuple[str, Mapping[str, Any]]:
    """Return the condition that a row is within reach, and its parameters."""
    return ("true", {}) if reach.owner is None else ("e.owner = :owner", {"owner": reach.owner})


def report_of(row: Row) -> ExportReport:
    """Read an export with how much its job has done."""
    return report(load(Export, row), row["done"], row["total"], msgspec.convert(row["now"], datetime))
