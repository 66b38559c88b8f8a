"""Telling every process whom to refuse, after the database was told."""

import asyncio
from collections.abc import Collection
from contextlib import suppress
from datetime import datetime

from opora.core.access.model.people import User
from opora.core.access.ports.rates import RateGate
from opora.core.access.rules.names import key_rights_name, rights_name
from opora.core.kernel.errors import Unavailable

OUTDATED_S = 5
"""Longer than any process takes a caller for who they were, and than a look-up that is under way."""
OUTDATED_VERSIONS = 3
"""Changes of one person that may follow each other while a process remembers the state before the first."""

# In all cases the database says the same half a second later: a silent gate delays, it lets nobody in.


async def refuse_name(gate: RateGate, name: str, ttl_s: int) -> None:
    """Have every process refuse the name from the next call on."""
    with suppress(Unavailable):
        await gate.deny(name, ttl_s)


async def refuse_older(gate: RateGate, subject: str, epoch: datetime, ttl_s: int) -> None:
    """Have every process refuse tokens of the subject from before the epoch."""
    with suppress(Unavailable):
        # A token's times are whole seconds: one of the epoch's own second may be younger than the epoch.
        await gate.end_before(subject, epoch.replace(microsecond=0), ttl_s)


async def outdate_rights(gate: RateGate, before: User, key_ids: Collection[int] = ()) -> None:
    """Have every process look the person and these keys up anew on their next call: what they may has changed."""
    versions = range(max(before.version - OUTDATED_VERSIONS + 1, 0), before.version + 1)
    names = [rights_name(before.id, version) for version in versions]
    names += [key_rights_name(key_id, version) for key_id in key_ids for version in versions]
    await asyncio.gather(*(refuse_name(gate, name, OUTDATED_S) for name in names))
