"""Figures over every process that shares a store of limits: a row a subject and bucket, added to every few seconds."""

import json
import time
from collections.abc import Callable, Sequence

from opora.adapters.sql.limits import LimitStore
from opora.core.access.model.rates import SPANS, RateFigures, Span, SubjectCount, Tally
from opora.core.access.ports.rates import RateStats
from opora.core.access.rules import rates
from opora.core.kernel.errors import Unavailable

SUBJECTS_KEPT = 200
ROWS_MAX = 2_000
"""Subjects a bucket may name; one past this is added to everybody else."""


def added(each: str) -> str:
    """Return the statement that adds a JSON list of (subject, allowed, refused), unfolded by `each`, to a bucket."""
    bucket = "span = :span AND start_s = CAST(:start AS bigint)"
    known = f"EXISTS (SELECT 1 FROM rate_counts WHERE {bucket} AND subject = one.value ->> 0)"
    room = f"(SELECT count(*) FROM rate_counts WHERE {bucket}) < {ROWS_MAX}"
    return (
        "INSERT INTO rate_counts AS kept (span, start_s, subject, allowed, refused)"
        " SELECT :span, CAST(:start AS bigint), named, sum(allowed), sum(refused) FROM ("
        f"SELECT CASE WHEN {room} OR {known} THEN one.value ->> 0 ELSE '' END AS named,"
        " CAST(one.value ->> 1 AS bigint) AS allowed, CAST(one.value ->> 2 AS bigint) AS refused"
        f" FROM {each} AS one) AS counted WHERE true GROUP BY named"
        " ON CONFLICT (span, start_s, subject) DO UPDATE SET"
        " allowed = kept.allowed + excluded.allowed, refused = kept.refused + excluded.refused RETURNING 1"
    )


class SqlRateStats(RateStats):
    """Three buckets are added to at a time: a minute's, an hour's and a day's."""

    def __init__(self, store: LimitStore, now_s: Callable[[], float] = time.time) -> None:
        self._store = store
        self._now_s = now_s
        self._tally = Tally()
        self._add = added(store.unfolded("counts"))

    def count(self, subject: str, allowed: bool) -> None:
        """See RateStats."""
        self._tally.count(subject, allowed)

    async def flush(self) -> None:
        """See RateStats."""
        counts = rates.thinned(self._tally.drain(), SUBJECTS_KEPT)
        if not counts:
            return
        now_s = int(self._now_s())
        told = json.dumps([(one.subject, one.allowed, one.refused) for one in counts])
        statements = [
            (self._add, {"span": span.name, "start": rates.bucket(span, now_s), "counts": told}) for span in SPANS
        ]
        try:
            await self._store.all_or_none(statements)
        except Unavailable:
            self._tally.restore(counts)
            raise
        for span in SPANS:
            await self._forget(span, now_s)

    async def figures(self, top: int = 10) -> Sequence[RateFigures]:
        """See RateStats."""
        await self.flush()
        now_s = int(self._now_s())
        return [rates.figures(span, await self._counts(span, now_s), top) for span in SPANS]

    async def _counts(self, span: Span, now_s: int) -> list[SubjectCount]:
        rows = await self._store.fetch(
            "SELECT subject, CAST(sum(allowed) AS bigint), CAST(sum(refused) AS bigint) FROM rate_counts"
            " WHERE span = :span AND start_s >= CAST(:first AS bigint) GROUP BY subject",
            {"span": span.name, "first": rates.first_bucket(span, now_s)},
        )
        return [SubjectCount(*row) for row in rows]

    async def _forget(self, span: Span, now_s: int) -> None:
        await self._store.fetch(
            "DELETE FROM rate_counts WHERE span = :span AND start_s < CAST(:first AS bigint) RETURNING 1",
            {"span": span.name, "first": rates.first_bucket(span, now_s)},
        )
