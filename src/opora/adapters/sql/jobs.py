"""Jobs in a relational store: one row each, and it alone decides."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import msgspec

from opora.adapters.sql.connection import Connection, Row
from opora.adapters.sql.mapping import load, to_json
from opora.adapters.sql.pages import page_of
from opora.core.jobs.errors import LeaseLost
from opora.core.jobs.model import MOVES, Claim, Job, JobFilter, JobState, NewJob
from opora.core.jobs.ports import JobQueue, JobViews
from opora.core.kernel.errors import Stale
from opora.core.kernel.model import Page, PageRequest
from opora.core.kernel.ports import Identifiers

FIELDS = """id, kind, state, payload, priority, attempt, attempts_max, run_at, created_at, lease_until, finished_at,
 cancel_requested, progress_done, progress_total, error, result, dedup_key, request_id"""
ADD = """
INSERT INTO jobs (id, kind, state, priority, run_at, attempt, attempts_max, cancel_requested, progress_done,
 progress_total, payload, dedup_key, request_id, created_at)
VALUES (:id, :kind, 'queued', :priority, COALESCE(:run_at, now()), 0, :attempts_max, false, 0, 0, :payload,
 :dedup_key, :request_id, now())
ON CONFLICT (dedup_key) DO NOTHING
"""
TAKE = """
INSERT INTO jobs (id, kind, state, priority, run_at, attempt, attempts_max, cancel_requested, progress_done,
 progress_total, payload, request_id, created_at, lease_id, lease_until)
VALUES (:id, :kind, 'running', :priority, now(), 1, :attempts_max, false, 0, 0, :payload, :request_id, now(),
 :lease_id, later(:lease_s))
"""
BURY = """
UPDATE jobs SET state = 'dead', error = :error, finished_at = now(), lease_id = NULL, lease_until = NULL
WHERE id = :id AND attempt = :attempt AND lease_id = :lease_id AND state = 'running'
"""
FINISH = """
UPDATE jobs SET state = 'succeeded', result = :result, finished_at = now(), lease_id = NULL, lease_until = NULL,
 error = NULL, progress_done = progress_total
WHERE id = :id AND attempt = :attempt AND lease_id = :lease_id AND state = 'running'
"""
MOVE = """
UPDATE jobs SET state = CAST(:state AS text), run_at = COALESCE(:run_at, run_at), lease_id = NULL, lease_until = NULL,
 cancel_requested = false, attempt = CASE WHEN CAST(:state AS text) = 'queued' THEN 0 ELSE attempt END,
 finished_at = CASE WHEN CAST(:state AS text) = 'queued' THEN NULL ELSE now() END
WHERE id = :id AND state = :previous AND attempt = :attempt
"""
REQUEST_CANCEL = "UPDATE jobs SET cancel_requested = true WHERE id = :id AND state = 'running'"


class SqlJobQueue(JobQueue):
    """Jobs inside one transaction; `added` and `kinds` are what is to be announced after its commit."""

    def __init__(self, connection: Connection, identifiers: Identifiers) -> None:
        self._connection = connection
        self._identifiers = identifiers
        self.added: list[UUID] = []
        self.kinds: set[str] = set()

    async def add(self, job: NewJob) -> UUID:
        values: dict[str, object] = {
            "id": self._identifiers.task_id(),
            "kind": job.kind,
            "priority": int(job.priority),
            "run_at": job.run_at,
            "attempts_max": job.attempts_max,
            "payload": to_json(dict(job.payload)),
            "dedup_key": job.dedup_key,
            "request_id": job.request_id,
        }
        if job.dedup_key is None:
            await self._connection.conclude(ADD, None, **values)
            added = uuid_of(values["id"])
        else:
            row = await self._connection.fetch_one(f"{ADD} RETURNING id", **values)
            if row is None:
                sql = "SELECT id FROM jobs WHERE dedup_key = :key"
                return uuid_of(await self._connection.fetch_value(sql, key=job.dedup_key))
            added = uuid_of(row["id"])
        self.added.append(added)
        self.kinds.add(job.kind)
        return added

    async def take(self, job: NewJob, lease_s: float) -> Claim:
        claim = Claim(
            id=self._identifiers.task_id(),
            kind=job.kind,
            payload=dict(job.payload),
            attempt=1,
            attempts_max=job.attempts_max,
            lease_id=self._identifiers.task_id().hex,
            request_id=job.request_id,
        )
        await self._connection.execute(
            TAKE,
            id=claim.id,
            kind=job.kind,
            priority=int(job.priority),
            attempts_max=job.attempts_max,
            payload=to_json(claim.payload),
            request_id=job.request_id,
            lease_id=claim.lease_id,
            lease_s=float(lease_s),
        )
        return claim

    async def bury(self, claim: Claim, error: str) -> None:
        buried = await self._connection.execute(
            BURY, id=claim.id, attempt=claim.attempt, lease_id=claim.lease_id, error=error
        )
        if not buried:
            raise LeaseLost(job_id=str(claim.id))

    async def finish(self, claim: Claim, result: Mapping[str, object] | None = None) -> None:
        await self._connection.conclude(
            FINISH,
            LeaseLost(job_id=str(claim.id)),
            id=claim.id,
            attempt=claim.attempt,
            lease_id=claim.lease_id,
            result=None if result is None else to_json(dict(result)),
        )

    async def get(self, id: UUID) -> Job | None:
        lock = " FOR UPDATE" if self._connection.dialect == "postgresql" else ""
        row = await self._connection.fetch_one(f"SELECT {FIELDS} FROM jobs WHERE id = :id{lock}", id=id)
        return load(Job, row) if row else None

    async def move(self, job: Job, state: JobState, *, run_at: datetime | None = None) -> None:
        MOVES.check(job.state, state)
        moved = await self._connection.execute(
            MOVE, id=job.id, state=str(state), previous=str(job.state), attempt=job.attempt, run_at=run_at
        )
        if not moved:
            raise Stale(job_id=str(job.id))
        if state is JobState.QUEUED:
            self.added.append(job.id)
            self.kinds.add(job.kind)

    async def request_cancel(self, id: UUID) -> None:
        await self._connection.execute(REQUEST_CANCEL, id=id)


class SqlJobViews(JobViews):
    """Jobs as operators read them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def page(self, wanted: JobFilter, request: PageRequest) -> Page[Job]:
        parameters: dict[str, Any] = {}
        where = "true"
        if wanted.state is not None:
            where, parameters["state"] = f"{where} AND state = :state", str(wanted.state)
        if wanted.kind is not None:
            where, parameters["kind"] = f"{where} AND kind = :kind", wanted.kind
        return await page_of(
            self._connection,
            partial(load, Job),
            f"jobs WHERE {where}",
            f"SELECT {FIELDS} FROM jobs WHERE {where} ORDER BY id DESC",
            request,
            parameters,
        )

    async def one(self, id: UUID) -> Job | None:
        row = await self._connection.fetch_one(f"SELECT {FIELDS} FROM jobs WHERE id = :id", id=id)
        return load(Job, row) if row else None

    async def counts(self) -> Mapping[str, int]:
        rows = await self._connection.fetch("SELECT state, count(*) AS number FROM jobs GROUP BY state")
        return {str(state): 0 for state in JobState} | {row["state"]: row["number"] for row in rows}


def uuid_of(value: Any) -> UUID:
    """Read a task id as both stores give it."""
    return value if isinstance(value, UUID) else UUID(str(value))


def claim_of(row: Row) -> Claim:
    """Read a claim from the row that claiming returned."""
    return Claim(
        id=uuid_of(row["id"]),
        kind=row["kind"],
        payload=msgspec.json.decode(row["payload"]),
        attempt=row["attempt"],
        attempts_max=row["attempts_max"],
        lease_id=row["lease_id"],
        request_id=row["request_id"],
    )


def kinds_text(kinds: Collection[str]) -> str:
    """Encode kinds for `Connection.listed`."""
    return to_json(sorted(kinds))


def ids_text(claims: Sequence[Claim]) -> str:
    """Encode the ids of claims for `Connection.listed`."""
    return to_json([str(claim.id) for claim in claims])
