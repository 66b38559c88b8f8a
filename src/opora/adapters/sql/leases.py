"""Claims on jobs: lease, heartbeat, failure and release, each a short transaction by the store's clock."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from uuid import UUID

from opora.adapters.sql.connection import Connection, Database, carried
from opora.adapters.sql.jobs import claim_of, ids_text, kinds_text, uuid_of
from opora.adapters.sql.outbox import SqlOutbox
from opora.core.jobs.errors import JobCancelled, LeaseLost
from opora.core.jobs.events import JobDied
from opora.core.jobs.model import Claim, JobState, Priority
from opora.core.jobs.ports import JobLeases, JobProgress
from opora.core.kernel.ports import Clock, Identifiers, Randomness

# A lease that ended: the attempt is over. Queued again while attempts are left, else dead or, if asked for, cancelled.
RECLAIM = """
UPDATE jobs SET
 state = CASE WHEN cancel_requested THEN 'cancelled' WHEN attempt >= attempts_max THEN 'dead' ELSE 'queued' END,
 error = COALESCE(error, 'the lease ended: its worker died or hung'),
 finished_at = CASE WHEN cancel_requested OR attempt >= attempts_max THEN now() ELSE NULL END,
 lease_id = NULL, lease_until = NULL
WHERE id IN (SELECT id FROM jobs WHERE state = 'running' AND lease_until < now()
 ORDER BY lease_until LIMIT 1000 {lock})
RETURNING id, kind, state
"""
CLAIM = """
UPDATE jobs SET state = 'running', attempt = attempt + 1, lease_id = :lease_id, lease_until = later(:lease_s)
WHERE id IN (SELECT id FROM jobs
 WHERE state = 'queued' AND priority = {priority} AND run_at <= now() AND kind IN {kinds}
 ORDER BY run_at, id LIMIT :limit {lock})
RETURNING id, kind, payload, attempt, attempts_max, lease_id, request_id, run_at
"""
CLAIM_AT_ONCE = """
WITH ended AS MATERIALIZED (
 SELECT EXISTS (SELECT 1 FROM jobs WHERE state = 'running' AND lease_until < now()) AS is_any),
taken AS MATERIALIZED (
 SELECT due.id FROM unnest(CAST(:priorities AS smallint[])) AS level(priority)
 CROSS JOIN LATERAL (SELECT id FROM jobs
  WHERE state = 'queued' AND priority = level.priority AND run_at <= now() AND kind = ANY(CAST(:kinds AS text[]))
  ORDER BY run_at, id LIMIT {limit} FOR UPDATE SKIP LOCKED) AS due
 WHERE NOT (SELECT is_any FROM ended) LIMIT {limit}),
claimed AS (
 UPDATE jobs SET state = 'running', attempt = attempt + 1, lease_id = :lease_id, lease_until = later(:lease_s)
 FROM taken WHERE jobs.id = taken.id
 RETURNING jobs.id, kind, payload, attempt, attempts_max, lease_id, request_id, run_at, priority)
SELECT ended.is_any AS some_ended, claimed.* FROM ended LEFT JOIN claimed ON true ORDER BY priority DESC, run_at, id
"""
"""Claims by one statement where no lease has ended; where one has, it claims nothing and says so.

The limit goes in as a number: the planner then finds one plan good for every call, and plans no more.
"""
HELD = "attempt = :attempt AND lease_id = :lease_id AND state = 'running'"
BEAT = """
UPDATE jobs SET lease_until = later(:lease_s)
WHERE lease_id = :lease_id AND state = 'running' AND id IN {ids} RETURNING id, cancel_requested
"""
# An attempt that failed or was given back after somebody asked to cancel is not tried again.
FAIL = f"""
UPDATE jobs SET state = CASE WHEN cancel_requested THEN 'cancelled' ELSE {{state}} END,
 run_at = later(:delay_s), error = :error, lease_id = NULL, lease_until = NULL,
 finished_at = CASE WHEN {{state}} = 'queued' AND NOT cancel_requested THEN NULL ELSE now() END
WHERE id = :id AND {HELD} RETURNING state
"""
RELEASE = """
UPDATE jobs SET state = CASE WHEN cancel_requested THEN 'cancelled' ELSE 'queued' END, attempt = attempt - 1,
 finished_at = CASE WHEN cancel_requested THEN now() ELSE NULL END, lease_id = NULL, lease_until = NULL
WHERE state = 'running' AND lease_id = :lease_id AND id IN {ids}
"""
NEXT = """
SELECT MIN(due) FROM (
 SELECT (SELECT run_at FROM jobs WHERE state = 'queued' AND kind IN {kinds} ORDER BY run_at LIMIT 1) AS due
 UNION ALL SELECT MIN(lease_until) FROM jobs WHERE state = 'running') AS times
"""
PRUNE = """
DELETE FROM jobs WHERE id IN (
 SELECT id FROM jobs WHERE state IN ('succeeded', 'cancelled') AND finished_at < later(:age_s)
 ORDER BY id LIMIT :limit)
"""
PROGRESS = f"""
UPDATE jobs SET progress_done = :done, progress_total = :total WHERE id = :id AND {HELD} RETURNING cancel_requested
"""
PROGRESS_PAUSE_S = 0.5
PROGRESS_KEPT_MAX = 1000
SKIP = {"postgresql": "FOR UPDATE SKIP LOCKED", "sqlite": ""}
"""What keeps one claimer from waiting for another; on SQLite one transaction writes at a time."""


class SqlJobLeases(JobLeases):
    """Claims over a database. Every claim of one call shares one random lease id, so that a beat is one statement."""

    def __init__(
        self,
        database: Database,
        identifiers: Identifiers,
        randomness: Randomness,
        clock: Clock,
        *,
        to_bus: bool = False,
    ) -> None:
        """With `to_bus` the death of a job is queued for the event bus, as other events are by the unit of work."""
        self._database = database
        self._identifiers = identifiers
        self._to_bus = to_bus
        self._randomness = randomness
        self._clock = clock

    async def claim(self, kinds: Collection[str], limit: int, lease_s: float) -> Sequence[Claim]:
        if self._database.dialect == "postgresql":
            rows = await self._database.read.fetch(
                CLAIM_AT_ONCE.format(limit=int(limit)),
                priorities=sorted(Priority, reverse=True),
                kinds=sorted(kinds),
                lease_id=self._randomness.token_bytes(16).hex(),
                lease_s=float(lease_s),
            )
            if not rows[0]["some_ended"]:
                return [claim_of(row) for row in rows if row["id"] is not None]
        async with carried(await self._database.begin()) as connection:
            await self._reclaim(connection)
            return await self._lease(connection, kinds, limit, lease_s)

    async def _reclaim(self, connection: Connection) -> None:
        outbox = SqlOutbox(connection, self._identifiers, to_bus=self._to_bus)
        for row in await connection.fetch(RECLAIM.format(lock=SKIP[connection.dialect])):
            if row["state"] == "dead":
                error = "every attempt ended with its worker"
                at = self._clock.now()
                await outbox.add(JobDied(subject=str(row["id"]), at=at, kind=row["kind"], error=error))

    async def _lease(
        self, connection: Connection, kinds: Collection[str], limit: int, lease_s: float
    ) -> Sequence[Claim]:
        lease_id = self._randomness.token_bytes(16).hex()
        claims: list[Claim] = []
        for priority in sorted(Priority, reverse=True):  # one index range each: later jobs of a higher one cost nothing
            rows = await connection.fetch(
                CLAIM.format(
                    priority=int(priority), kinds=connection.listed("kinds", "text"), lock=SKIP[connection.dialect]
                ),
                kinds=kinds_text(kinds),
                limit=limit - len(claims),
                lease_id=lease_id,
                lease_s=float(lease_s),
            )
            claims += [claim_of(row) for row in sorted(rows, key=lambda row: (row["run_at"], str(row["id"])))]
            if len(claims) == limit:
                break
        return claims

    async def beat(self, claims: Sequence[Claim], lease_s: float) -> Mapping[UUID, bool]:
        held: dict[UUID, bool] = {}
        for lease_id in sorted({claim.lease_id for claim in claims}):
            same = [claim for claim in claims if claim.lease_id == lease_id]
            rows = await self._database.read.fetch(
                BEAT.format(ids=self._database.read.listed("ids", "uuid")),
                lease_id=lease_id,
                lease_s=float(lease_s),
                ids=ids_text(same),
            )
            held |= {uuid_of(row["id"]): bool(row["cancel_requested"]) for row in rows}
        return held

    async def fail(self, claim: Claim, state: JobState, delay_s: float, error: str) -> bool:
        transaction = await self._database.begin()
        connection = transaction.connection
        try:
            row = await connection.fetch_one(
                FAIL.format(state=f"'{state}'"),
                id=claim.id,
                attempt=claim.attempt,
                lease_id=claim.lease_id,
                delay_s=float(delay_s),
                error=error,
            )
            if row is not None and row["state"] == JobState.DEAD:
                died = JobDied(subject=str(claim.id), at=self._clock.now(), kind=claim.kind, error=error)
                await SqlOutbox(connection, self._identifiers, to_bus=self._to_bus).add(died)
        except BaseException:
            await transaction.rollback()
            raise
        await transaction.commit()
        return row is not None

    async def release(self, claims: Sequence[Claim]) -> None:
        for lease_id in sorted({claim.lease_id for claim in claims}):
            same = [claim for claim in claims if claim.lease_id == lease_id]
            sql = RELEASE.format(ids=self._database.read.listed("ids", "uuid"))
            await self._database.read.execute(sql, lease_id=lease_id, ids=ids_text(same))

    async def next_due_s(self, kinds: Collection[str]) -> float | None:
        read = self._database.read
        due = NEXT.format(kinds=read.listed("kinds", "text"))
        if read.dialect == "postgresql":
            sql = f"SELECT EXTRACT(EPOCH FROM ({due}) - now())"
        else:
            sql = f"SELECT seconds_between(now(), ({due}))"
        seconds = await read.fetch_value(sql, kinds=kinds_text(kinds))
        return None if seconds is None else max(float(seconds), 0.0)

    async def prune(self, keep_s: float, limit: int) -> int:
        return await self._database.read.execute(PRUNE, age_s=-float(keep_s), limit=limit)


class SqlJobProgress(JobProgress):
    """Progress written to the job's row, throttled in this process."""

    def __init__(self, database: Database, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._monotonic = monotonic
        self._last: dict[UUID, float] = {}

    async def report(self, claim: Claim, done: int, total: int) -> None:
        now_s = self._monotonic()
        if done != total and now_s - self._last.get(claim.id, float("-inf")) < PROGRESS_PAUSE_S:
            return
        self._remember(claim.id, now_s)
        rows = await self._database.read.fetch(
            PROGRESS, id=claim.id, attempt=claim.attempt, lease_id=claim.lease_id, done=done, total=total
        )
        if not rows:
            raise LeaseLost(job_id=str(claim.id))
        if rows[0]["cancel_requested"]:
            raise JobCancelled(job_id=str(claim.id))

    def _remember(self, id: UUID, now_s: float) -> None:
        """Keep when a job last wrote; forget the quiet ones before they are many."""
        if len(self._last) >= PROGRESS_KEPT_MAX:
            self._last = {one: at_s for one, at_s in self._last.items() if now_s - at_s < PROGRESS_PAUSE_S}
        self._last[id] = now_s
