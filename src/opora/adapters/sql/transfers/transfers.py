"""Transfers in a relational store: one row each, its progress read from its job."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from opora.adapters.sql.connection import Connection, Database, Row
from opora.adapters.sql.jobs import uuid_of
from opora.adapters.sql.mapping import columns, insertion, load, to_json
from opora.adapters.sql.numbers.reach import within
from opora.adapters.sql.pages import page_of
from opora.core.jobs.errors import JobCancelled, LeaseLost
from opora.core.jobs.model import JobState
from opora.core.kernel.errors import Stale
from opora.core.kernel.model import Page, PageRequest
from opora.core.numbers.model.projects import ProjectReach
from opora.core.numbers.model.tables import Refusal, RefusedRow
from opora.core.numbers.model.transfers import (
    MergedRange,
    Tally,
    Transfer,
    TransferFilter,
    TransferReport,
    TransferStatus,
)
from opora.core.numbers.ports.transfers import TransferRepository, TransferViews
from opora.core.numbers.rules.transfers import report

COUNTS = ("records", "created", "duplicates_in_file", "duplicates", "suppressed", "invalid")
CHANGED = (
    "status", "format", "attempt", "started_at", "completed_at", "expires_at", "error", "error_code", "size", "sha256",
    "is_file_removed", "undone_at",
)  # fmt: skip
NAMES = (
    "id", "number", "job_id", "kind", "channel", "project_id", "owner", "file_name", "provider_id", "mapping",
    "filter", "requested_at", "removed", *CHANGED, *COUNTS,
)  # fmt: skip
FIELDS = ", ".join(f"t.{name}" for name in NAMES)
SAVE = f"""
UPDATE transfers SET {", ".join(f"{name} = :{name}" for name in CHANGED)} WHERE id = :id AND status = :previous
"""
RECORD = f"""
UPDATE transfers SET {", ".join(f"{name} = {name} + :{name}" for name in COUNTS)}
WHERE id = :id AND attempt = :attempt AND status = 'running'
"""
REMEMBER = insertion("transfer_ranges", ("transfer_number", "first", "last", "first_id", "last_id", "created"))
REFUSE = """
INSERT INTO transfer_refusals (transfer_number, line, field, reason, value)
SELECT CAST(:number AS integer), {item} FROM {rows} WHERE true ON CONFLICT (transfer_number, line) DO NOTHING
"""
ORPHANS = f"""
SELECT {FIELDS}, COALESCE(j.state, 'dead') AS job_state FROM transfers t LEFT JOIN jobs j ON j.id = t.job_id
WHERE t.status IN ('pending', 'running') AND COALESCE(j.state, 'dead') IN ('dead', 'cancelled')
ORDER BY t.id LIMIT :limit
"""
EXPIRED = f"""
SELECT {FIELDS} FROM transfers t
WHERE t.expires_at <= :now AND NOT t.is_file_removed ORDER BY t.expires_at LIMIT :limit
"""
REPORTS = f"""
SELECT {FIELDS}, COALESCE(j.progress_done, 0) AS done, COALESCE(j.progress_total, 0) AS total, now() AS now,
 j.error AS failure
FROM transfers t LEFT JOIN jobs j ON j.id = t.job_id
"""
FORGET = """
DELETE FROM transfer_refusals WHERE transfer_number = :number AND line IN
 (SELECT line FROM transfer_refusals WHERE transfer_number = :number ORDER BY line LIMIT :limit)
"""
REFUSED = """
SELECT line, field, reason, value FROM transfer_refusals WHERE transfer_number = :number AND line > :after
ORDER BY line LIMIT :limit
"""
REFUSED_AT_ONCE = 5000


class SqlTransferRepository(TransferRepository):
    """Transfers inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = " FOR UPDATE OF t" if connection.dialect == "postgresql" else ""

    async def next_number(self) -> int:
        return await self._connection.next_id("transfers")

    async def add(self, transfer: Transfer) -> None:
        await self._connection.execute(insertion("transfers", NAMES), **columns(transfer))

    async def get(self, id: UUID, reach: ProjectReach) -> Transfer | None:
        where, parameters = within("t.project_id", reach)
        return await self._one(f"t.id = :id AND {where}", id=id, **parameters)

    async def of_job(self, job_id: UUID) -> Transfer | None:
        return await self._one("t.job_id = :job_id", job_id=job_id)

    async def _one(self, where: str, **parameters: object) -> Transfer | None:
        row = await self._connection.fetch_one(
            f"SELECT {FIELDS} FROM transfers t WHERE {where}{self._lock}", **parameters
        )
        return load(Transfer, row) if row else None

    async def save(self, transfer: Transfer, previous: TransferStatus) -> None:
        values = columns(transfer)
        parameters = {name: values[name] for name in ("id", *CHANGED)}
        if not await self._connection.execute(SAVE, **parameters, previous=str(previous)):
            raise Stale(transfer_id=str(transfer.id))

    async def record(self, transfer: Transfer, tally: Tally, merged: MergedRange | None = None) -> None:
        if merged is not None:
            await self._connection.execute(REMEMBER, transfer_number=transfer.number, **columns(merged))
        changed = await self._connection.execute(RECORD, id=transfer.id, attempt=transfer.attempt, **columns(tally))
        if changed:
            return
        status = await self._connection.fetch_value("SELECT status FROM transfers WHERE id = :id", id=transfer.id)
        if status == TransferStatus.CANCELLED:
            raise JobCancelled(job_id=str(transfer.job_id))
        raise LeaseLost(job_id=str(transfer.job_id))

    async def refuse(self, transfer: Transfer, rows: Sequence[RefusedRow]) -> int:
        given = to_json([[row.line, row.column, row.reason, row.value] for row in rows])
        item = "CAST(value ->> 0 AS bigint), value ->> 1, value ->> 2, value ->> 3"
        if self._connection.dialect == "postgresql":
            sql = REFUSE.format(item=item, rows="json_array_elements(CAST(:rows AS json)) AS given(value)")
        else:
            sql = REFUSE.format(item=item, rows="json_each(:rows)")
        return await self._connection.execute(sql, number=transfer.number, rows=given)

    async def refused_count(self, number: int) -> int:
        sql = "SELECT count(*) FROM transfer_refusals WHERE transfer_number = :number"
        return int(await self._connection.fetch_value(sql, number=number))

    async def merged(self, number: int) -> Sequence[MergedRange]:
        rows = await self._connection.fetch(
            "SELECT first, last, first_id, last_id, created FROM transfer_ranges"
            " WHERE transfer_number = :number ORDER BY first",
            number=number,
        )
        return [load(MergedRange, row) for row in rows]

    async def count_removed(self, number: int, removed: int) -> None:
        sql = "UPDATE transfers SET removed = removed + :removed WHERE number = :number"
        await self._connection.execute(sql, number=number, removed=removed)

    async def orphans(self, limit: int) -> Sequence[tuple[Transfer, JobState]]:
        rows = await self._connection.fetch(ORPHANS + self._lock, limit=limit)
        return [(load(Transfer, row), JobState(row["job_state"])) for row in rows]

    async def expired(self, now: datetime, limit: int) -> Sequence[Transfer]:
        return [load(Transfer, row) for row in await self._connection.fetch(EXPIRED, now=now, limit=limit)]

    async def forget_rows(self, number: int, limit: int) -> int:
        return await self._connection.execute(FORGET, number=number, limit=limit)


class SqlTransferViews(TransferViews):
    """Transfers as callers see them; single statements."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, reach: ProjectReach, wanted: TransferFilter, request: PageRequest) -> Page[TransferReport]:
        where, given = within("t.project_id", reach)
        parameters: dict[str, Any] = dict(given)
        for name, value in (("project_id", wanted.project_id), ("kind", wanted.kind), ("status", wanted.status)):
            if value is not None:
                where += f" AND t.{name} = :{name}"
                parameters[name] = value if isinstance(value, int) else str(value)
        read = self._database.read
        return await page_of(
            read,
            report_of,
            f"transfers t WHERE {where}",
            f"{REPORTS} WHERE {where} ORDER BY t.id DESC",
            request,
            parameters,
        )

    async def one(self, id: UUID, reach: ProjectReach) -> TransferReport | None:
        where, parameters = within("t.project_id", reach)
        row = await self._database.read.fetch_one(f"{REPORTS} WHERE {where} AND t.id = :id", **parameters, id=id)
        return report_of(row) if row else None

    async def refused(self, number: int) -> AsyncGenerator[Sequence[RefusedRow]]:
        after = 0
        while True:
            rows = await self._database.read.fetch(REFUSED, number=number, after=after, limit=REFUSED_AT_ONCE)
            if rows:
                after = rows[-1]["line"]
                yield [RefusedRow(row["line"], row["field"], Refusal(row["reason"]), row["value"]) for row in rows]
            if len(rows) < REFUSED_AT_ONCE:
                return

    async def with_file(self, ids: Sequence[UUID]) -> frozenset[UUID]:
        listed = self._database.read.listed("ids", "uuid")
        sql = f"SELECT id FROM transfers WHERE NOT is_file_removed AND id IN {listed}"
        rows = await self._database.read.fetch(sql, ids=to_json([str(one) for one in ids]))
        return frozenset(uuid_of(row["id"]) for row in rows)


def report_of(row: Row) -> TransferReport:
    """Read a transfer with how much its job has done."""
    told: Mapping[str, Any] = {name: row[name] for name in ("done", "total", "now", "failure")}
    now = msgspec.convert(told["now"], datetime)
    return report(load(Transfer, row), told["done"], told["total"], now, told["failure"])
