"""What stands waiting in the store: jobs, events, unsealed entries of the audit log, and since when."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from opora.adapters.sql.connection import Database
from opora.adapters.sql.numbers.rows import instant_or_none

WAITING = """
SELECT now() AS asked_at,
  (SELECT min(run_at) FROM jobs WHERE state = 'queued') AS due_since,
  (SELECT count(*) FROM outbox WHERE dispatched_at IS NULL) AS events,
  (SELECT min(at) FROM outbox WHERE dispatched_at IS NULL) AS events_since,
  (SELECT min(created_at) FROM audit_log WHERE seal_number IS NULL) AS unsealed_since
"""
JOBS = "SELECT state, count(*) AS number FROM jobs GROUP BY state"


@dataclass(frozen=True, slots=True)
class Standing:
    """What stood waiting when it was last read; spans in seconds, nought where nothing waits."""

    jobs: Mapping[str, int] = field(default_factory=dict)
    due_s: float = 0.0
    events: int = 0
    events_s: float = 0.0
    unsealed_s: float = 0.0


@dataclass(slots=True)
class StandingWork:
    """The last reading of what waits; `last` is None until the first."""

    database: Database
    last: Standing | None = None

    async def read(self) -> bool:
        """Read anew, by indexes over what waits; DatabaseUnavailable leaves the last reading as it was."""
        (row,) = await self.database.read.fetch(WAITING)
        counted = await self.database.read.fetch(JOBS)
        now = instant_or_none(row["asked_at"])

        def since_s(column: str) -> float:
            then = instant_or_none(row[column])
            return 0.0 if then is None or now is None else max((now - then).total_seconds(), 0.0)

        jobs = {str(one["state"]): int(one["number"]) for one in counted}
        waits = ("due_since", "events_since", "unsealed_since")
        due_s, events_s, unsealed_s = map(since_s, waits)
        self.last = Standing(jobs, due_s, int(row["events"]), events_s, unsealed_s)
        return False
