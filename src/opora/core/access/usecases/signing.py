"""The keys that access tokens are signed with."""

from dataclasses import dataclass

from opora.core.access.events import SigningKeyMade
from opora.core.access.model.tokens import SigningKey, SigningKeyState
from opora.core.access.ports.tokens import SigningKeyMaker, SigningRing
from opora.core.access.ports.transaction import AccessTx
from opora.core.access.rules.changes import signing_key_change
from opora.core.access.rules.tokens import TokenPolicy
from opora.core.kernel.model import SYSTEM
from opora.core.kernel.ports import Clock, UnitOfWork


@dataclass(frozen=True, slots=True)
class EnsureSigningKey:
    """Have this process sign and check with the stored keys, and make the first of them.

    Called at the start and every minute after, so that keys made or retired by others are taken up.
    """

    unit: UnitOfWork[AccessTx]
    clock: Clock
    maker: SigningKeyMaker
    ring: SigningRing
    policy: TokenPolicy

    async def __call__(self) -> None:
        """Of several processes that start with no key at all, one key wins and all take it."""
        if await self.take():
            return
        made = await self.maker.make(self.policy.algorithm, self.clock.now())
        await self._keep(made.move(SigningKeyState.ACTIVE))
        await self.take()

    async def take(self) -> bool:
        """Take up the stored keys and tell whether one of them signs; making one takes seconds, this does not."""
        now = self.clock.now()
        async with self.unit() as tx:
            keys = await tx.signing_keys.all()
        self.ring.take([key for key in keys if key.published(now)])
        return any(key.state is SigningKeyState.ACTIVE for key in keys)

    async def _keep(self, made: SigningKey) -> None:
        now = self.clock.now()
        async with self.unit() as tx:
            if await tx.signing_keys.add(made):
                await tx.audit.record(signing_key_change(SYSTEM, "signing_key.made", made, now))
                await tx.outbox.add(SigningKeyMade(subject=made.id, at=now))
