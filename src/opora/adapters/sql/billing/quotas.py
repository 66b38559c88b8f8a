"""Counters of limits and holds on them in a relational store, which itself refuses to let a limit be passed."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime

from opora.adapters.sql.connection import Connection
from opora.adapters.sql.mapping import columns, insertion, load
from opora.core.billing.model.quotas import QuotaHold, Usage, Window
from opora.core.billing.ports.plans import QuotaRepository, UsageViews

HELD = tuple(field.name for field in fields(QuotaHold))
COUNTED = tuple(field.name for field in fields(Usage))
# The first to come makes the counter; on it everybody queues, and whoever would pass the bound changes no row.
TAKE = """
INSERT INTO quota_usage (person_id, feature, period, starts_at, ends_at, units, used, held, overage)
VALUES (:person_id, :feature, :period, :starts_at, :ends_at, :bound, 0, :wanted, 0)
ON CONFLICT (person_id, feature, period, starts_at) DO UPDATE
SET held = quota_usage.held + excluded.held, units = excluded.units
WHERE excluded.units IS NULL OR quota_usage.used + quota_usage.held + excluded.held <= excluded.units
"""
HOLD = insertion("quota_holds", HELD)
END = f"DELETE FROM quota_holds WHERE hold_id = :hold_id RETURNING {', '.join(HELD)}"
OF = "WHERE person_id = :person_id AND feature = :feature AND period = :period AND starts_at = :starts_at"
COUNT = f"""
UPDATE quota_usage SET held = held - :units, used = used + :used, overage = overage + :overage {OF}
"""
PRUNE = """
DELETE FROM quota_usage WHERE (person_id, feature, period, starts_at) IN (
 SELECT person_id, feature, period, starts_at FROM quota_usage
 WHERE ends_at < later(:age_s) AND held = 0 ORDER BY ends_at LIMIT :limit)
"""
USAGE = f"SELECT {', '.join(COUNTED)} FROM quota_usage"


class SqlQuotaRepository(QuotaRepository):
    """Counters and holds inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def hold(self, hold: QuotaHold, window: Window, bound: int | None) -> bool:
        if bound is not None and hold.units > bound:
            return False
        taken = await self._connection.execute(
            TAKE,
            person_id=hold.person_id,
            feature=hold.feature,
            period=str(hold.period),
            starts_at=window.starts_at,
            ends_at=window.ends_at,
            bound=bound,
            wanted=hold.units,
        )
        if not taken:
            return False
        await self._connection.execute(HOLD, **columns(hold))
        return True

    async def end(self, hold_id: str) -> Sequence[QuotaHold]:
        ended = [load(QuotaHold, row) for row in await self._connection.fetch(END, hold_id=hold_id)]
        return sorted(ended, key=lambda one: (one.feature, one.period))

    async def count(self, hold: QuotaHold, used: int, overage: int) -> None:
        await self._connection.execute(COUNT, units=hold.units, used=used, overage=overage, **of(hold))

    async def since(self, user_id: int, now: datetime) -> Sequence[Usage]:
        return await SqlUsageViews(self._connection).since(user_id, now)

    async def of_period(self, hold: QuotaHold) -> Usage | None:
        row = await self._connection.fetch_one(f"{USAGE} {OF}", **of(hold))
        return load(Usage, row) if row else None


class SqlUsageViews(UsageViews):
    """Counters as they are read; single statements."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def since(self, user_id: int, now: datetime) -> Sequence[Usage]:
        sql = f"{USAGE} WHERE person_id = :user_id AND starts_at <= :now AND ends_at > :now ORDER BY feature, period"
        return [load(Usage, row) for row in await self._connection.fetch(sql, user_id=user_id, now=now)]


def of(hold: QuotaHold) -> dict[str, object]:
    """Return the name of the counter that a hold is on."""
    return {
        "person_id": hold.person_id,
        "feature": hold.feature,
        "period": str(hold.period),
        "starts_at": hold.starts_at,
    }
