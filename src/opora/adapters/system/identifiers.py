"""UUIDv7 (RFC 9562, 5.7): 48 bits of milliseconds, then a counter and randomness."""

import secrets
import time
from uuid import UUID

from opora.core.kernel.ports import Identifiers

COUNTER_BITS = 12
RANDOM_BITS = 62


class TimeOrderedIdentifiers(Identifiers):
    """UUIDs that sort by their making: method 1 of RFC 9562, 6.2, a counter in `rand_a` within one millisecond."""

    def __init__(self) -> None:
        self._last = 0

    def task_id(self) -> UUID:
        stamp = (time.time_ns() // 1_000_000) << COUNTER_BITS
        self._last = stamp = max(stamp + secrets.randbits(COUNTER_BITS - 3), self._last + 1)
        milliseconds, counter = stamp >> COUNTER_BITS, stamp & ((1 << COUNTER_BITS) - 1)
        high = milliseconds << 16 | 0x7 << COUNTER_BITS | counter
        return UUID(int=high << 64 | 0b10 << RANDOM_BITS | secrets.randbits(RANDOM_BITS))
