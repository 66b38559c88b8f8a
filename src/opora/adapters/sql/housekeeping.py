"""Rows that are kept only for a while, deleted in small transactions."""

from collections.abc import Awaitable, Callable, Mapping

from opora.adapters.sql.billing.quotas import PRUNE as PRUNE_USAGE
from opora.adapters.sql.connection import Database
from opora.adapters.sql.idempotency import PRUNE as PRUNE_KEYS
from opora.adapters.sql.leases import PRUNE as PRUNE_JOBS
from opora.adapters.sql.outbox import PRUNE as PRUNE_EVENTS
from opora.adapters.sql.proofs import PRUNE_TOKENS
from opora.adapters.sql.sessions import PRUNE_REFUSED, PRUNE_SESSIONS
from opora.core.jobs.ports import Housekeeping

KEEP_S = 7 * 24 * 3600.0
USAGE_KEEP_S = 400 * 24 * 3600.0
"""How long what was used of a plan can be looked at after its period: a year and a month."""
CHUNK = 1000


class SqlHousekeeping(Housekeeping):
    """Deletes a thousand rows a transaction, so that nobody waits long behind it."""

    def __init__(self, database: Database, keep_s: float = KEEP_S) -> None:
        self._database = database
        self._keep_s = keep_s

    async def tidy(self) -> Mapping[str, int]:
        return {
            "jobs": await drained(lambda: self._pruned(PRUNE_JOBS)),
            "events": await drained(lambda: self._pruned(PRUNE_EVENTS)),
            "refused_tokens": await drained(lambda: self._pruned(PRUNE_REFUSED)),
            "sessions": await drained(lambda: self._pruned(PRUNE_SESSIONS)),
            "one_time_tokens": await drained(lambda: self._pruned(PRUNE_TOKENS)),
            "quota_usage": await drained(lambda: self._pruned(PRUNE_USAGE, USAGE_KEEP_S)),
            "idempotency_keys": await self._database.read.execute(PRUNE_KEYS),
        }

    async def _pruned(self, sql: str, keep_s: float | None = None) -> int:
        kept_s = self._keep_s if keep_s is None else keep_s
        return await self._database.read.execute(sql, age_s=-kept_s, limit=CHUNK)


async def drained(prune: Callable[[], Awaitable[int]]) -> int:
    """Prune until a chunk comes back short; returns the sum."""
    total = 0
    while count := await prune():
        total += count
        if count < CHUNK:
            break
    return total
