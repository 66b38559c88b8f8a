"""Figures of one process's calls, kept in memory."""

import time
from collections.abc import Callable, Sequence

from opora.core.access.model.rates import SPANS, RateFigures, Span, SubjectCount, Tally
from opora.core.access.ports.rates import RateStats
from opora.core.access.rules import rates

SUBJECTS_KEPT = 500
"""Subjects that one flush names in a bucket; the rest are added up."""


class MemoryRateStats(RateStats):
    """Counts in buckets, dropped when their span has passed."""

    def __init__(self, now_s: Callable[[], float] = time.time) -> None:
        self._now_s = now_s
        self._tally = Tally()
        self._buckets: dict[tuple[Span, int], list[SubjectCount]] = {}

    def count(self, subject: str, allowed: bool) -> None:
        """See RateStats."""
        self._tally.count(subject, allowed)

    async def flush(self) -> None:
        """See RateStats."""
        now_s = int(self._now_s())
        counts = rates.thinned(self._tally.drain(), SUBJECTS_KEPT)
        for span in SPANS:
            kept = self._buckets.setdefault((span, rates.bucket(span, now_s)), [])
            kept[:] = rates.thinned(rates.merged([*kept, *counts]), SUBJECTS_KEPT)
        for span, start_s in list(self._buckets):
            if start_s < rates.first_bucket(span, now_s):
                del self._buckets[span, start_s]

    async def figures(self, top: int = 10) -> Sequence[RateFigures]:
        """See RateStats."""
        await self.flush()
        return [
            rates.figures(span, (one for (of, _), counts in self._buckets.items() if of is span for one in counts), top)
            for span in SPANS
        ]
