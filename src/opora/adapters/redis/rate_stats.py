"""Figures over every process that shares a Redis: one hash a bucket, added to every few seconds."""

import asyncio
import time
from collections.abc import Callable, Sequence

from opora.adapters.redis.connection import RedisConnection
from opora.adapters.redis.rates import Script, answered
from opora.core.access.model.rates import SPANS, RateFigures, Span, SubjectCount, Tally
from opora.core.access.ports.rates import RateStats
from opora.core.access.rules import rates
from opora.core.kernel.errors import Unavailable

SUBJECTS_KEPT = 500
FIELDS_MAX = 4_000
"""Two a subject; a subject past this is added to everybody else."""


def bucket_key(span: Span, start_s: int) -> str:
    """Return where a bucket is kept; every bucket is alone in its slot of a cluster."""
    return f"rlcount:{{{span.name}:{start_s}}}"


class RedisRateStats(RateStats):
    """Fields `+subject` and `-subject` count who was let in and who was refused."""

    def __init__(
        self, connection: RedisConnection, *, prefix: str = "", now_s: Callable[[], float] = time.time
    ) -> None:
        """Put `prefix` before every key, as the gate does."""
        self._prefix = prefix
        self._connection = connection
        self._now_s = now_s
        self._add = Script(connection, "tally.lua")
        self._tally = Tally()

    def count(self, subject: str, allowed: bool) -> None:
        """See RateStats."""
        self._tally.count(subject, allowed)

    async def flush(self) -> None:
        """See RateStats."""
        counts = rates.thinned(self._tally.drain(), SUBJECTS_KEPT)
        if not counts:
            return
        now_s = int(self._now_s())
        pairs: list[str | int] = []
        for one in counts:
            pairs += (f"+{one.subject}", one.allowed) if one.allowed else ()
            pairs += (f"-{one.subject}", one.refused) if one.refused else ()
        for span in SPANS:
            kept_s = span.length_s + 2 * span.bucket_s
            try:
                await self._add(
                    [self._prefix + bucket_key(span, rates.bucket(span, now_s))], kept_s, FIELDS_MAX, "", *pairs
                )
            except Unavailable:
                if span is SPANS[0]:  # nothing was written: past that, adding again would count twice
                    self._tally.restore(counts)
                raise

    async def figures(self, top: int = 10) -> Sequence[RateFigures]:
        """See RateStats."""
        await self.flush()
        now_s = int(self._now_s())
        return [rates.figures(span, await self._counts(span, now_s), top) for span in SPANS]

    async def _counts(self, span: Span, now_s: int) -> list[SubjectCount]:
        starts = range(rates.first_bucket(span, now_s), now_s + 1, span.bucket_s)
        buckets = await answered(
            asyncio.gather(
                *(self._connection.call("HGETALL", self._prefix + bucket_key(span, start)) for start in starts)
            )
        )
        return [
            SubjectCount(field[1:], *((int(amount), 0) if field[0] == "+" else (0, int(amount))))
            for bucket in buckets
            for field, amount in zip(map(bytes.decode, bucket[::2]), bucket[1::2], strict=True)
        ]
