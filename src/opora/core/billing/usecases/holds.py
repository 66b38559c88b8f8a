"""Holds on balances whose time is over."""

from dataclasses import dataclass
from typing import Protocol

from opora.core.billing.model.ledger import HoldState
from opora.core.billing.ports.ledger import LedgerTx
from opora.core.billing.usecases.posting import void
from opora.core.jobs.model import Claim
from opora.core.jobs.ports import JobQueue
from opora.core.kernel.ports import Clock, UnitOfWork

EXPIRE = "billing.expire_holds"
"""The kind of the job that lets go of holds whose time is over."""
EXPIRED_AT_ONCE = 200


class HoldTx(LedgerTx, Protocol):
    """What a transaction over holds shows."""

    @property
    def jobs(self) -> JobQueue: ...


@dataclass(frozen=True, slots=True)
class ExpireHolds:
    """Let go of every hold whose time is over; a cron slot runs it."""

    unit: UnitOfWork[HoldTx]
    clock: Clock

    async def __call__(self, claim: Claim) -> None:
        """End the job with how many were let go; one that is resolved meanwhile is let be."""
        now = self.clock.now()
        expired = 0
        async with self.unit() as tx:
            for key in await tx.ledger.expired_holds(now, EXPIRED_AT_ONCE):
                expired += await void(tx, key, now, HoldState.EXPIRED)
            await tx.jobs.finish(claim, {"expired": expired})


USE_CASES = (ExpireHolds,)
