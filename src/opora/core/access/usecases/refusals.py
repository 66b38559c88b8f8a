"""Telling every process whom to refuse, after the database was told."""

from contextlib import suppress
from datetime import datetime

from opora.core.access.ports.rates import RateGate
from opora.core.kernel.errors import Unavailable

# In both cases the database says the same half a second later: a silent gate delays, it lets nobody in.


async def refuse_name(gate: RateGate, name: str, ttl_s: int) -> None:
    """Have every process refuse the name from the next call on."""
    with suppress(Unavailable):
        await gate.deny(name, ttl_s)


async def refuse_older(gate: RateGate, subject: str, epoch: datetime, ttl_s: int) -> None:
    """Have every process refuse tokens of the subject from before the epoch."""
    with suppress(Unavailable):
        # A token's times are whole seconds: one of the epoch's own second may be younger than the epoch.
        await gate.end_before(subject, epoch.replace(microsecond=0), ttl_s)
