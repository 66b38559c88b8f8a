"""The keys that tokens and identities are signed with."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from opora.core.access.events import SigningKeyMade, SigningKeyTurned, SigningKeyWithdrawn
from opora.core.access.model.tokens import KeyPurpose, SigningKey, SigningKeyState
from opora.core.access.ports.tokens import SigningKeyMaker, SigningRing
from opora.core.access.ports.transaction import AccessTx
from opora.core.access.rules import signing
from opora.core.access.rules.changes import signing_key_change
from opora.core.access.rules.signing import IDENTITY_ALGORITHM, SigningPolicy
from opora.core.access.rules.tokens import TokenPolicy
from opora.core.kernel.errors import Stale
from opora.core.kernel.model import SYSTEM, Actor
from opora.core.kernel.ports import Clock, UnitOfWork


@dataclass(frozen=True, slots=True)
class EnsureSigningKey:
    """Have this process sign and check with the stored keys, make the first of them, and turn to those due.

    Called at the start and every few seconds after, so that keys made or retired by others are taken up.
    """

    unit: UnitOfWork[AccessTx]
    clock: Clock
    maker: SigningKeyMaker
    ring: SigningRing
    policy: TokenPolicy
    signing: SigningPolicy

    async def __call__(self) -> None:
        """Of several processes that start with no key at all, one key of each purpose wins and all take it."""
        if await self.take():
            return
        stored = await self._stored()
        for purpose in (one for one in KeyPurpose if not signing.signing(stored, one)):
            algorithm = self.policy.algorithm if purpose is KeyPurpose.ACCESS else IDENTITY_ALGORITHM
            made = await self.maker.make(algorithm, self.clock.now(), purpose)
            await self._keep(made.move(SigningKeyState.ACTIVE))
        await self.take()

    async def take(self) -> bool:
        """Take up the stored keys and tell whether each purpose has one that signs; this does not make any."""
        now = self.clock.now()
        keys = await self._stored()
        if signing.turned(keys, now, self.signing):
            with suppress(Stale):  # another process has turned
                await self._turn(now)
            keys = await self._stored()
        self.ring.take([key for key in keys if key.published(now)])
        return all(signing.signing(keys, purpose) for purpose in KeyPurpose)

    async def _stored(self) -> Sequence[SigningKey]:
        async with self.unit() as tx:
            return await tx.signing_keys.all()

    async def _turn(self, now: datetime) -> None:
        async with self.unit() as tx:
            for key in signing.turned(await tx.signing_keys.all(), now, self.signing):
                await tx.signing_keys.save(key)
                await tx.audit.record(signing_key_change(SYSTEM, "signing_key.turned", key, now))
                if key.state is SigningKeyState.ACTIVE:
                    await tx.outbox.add(SigningKeyTurned(subject=key.id, at=now))

    async def _keep(self, made: SigningKey) -> None:
        now = self.clock.now()
        async with self.unit() as tx:
            if await tx.signing_keys.add(made):
                await tx.audit.record(signing_key_change(SYSTEM, "signing_key.made", made, now))
                await tx.outbox.add(SigningKeyMade(subject=made.id, at=now))


@dataclass(frozen=True, slots=True)
class RotateSigningKey:
    """Make a key that is published at once and signs when everybody who checks has read it."""

    unit: UnitOfWork[AccessTx]
    clock: Clock
    maker: SigningKeyMaker
    policy: TokenPolicy
    signing: SigningPolicy
    ensure: EnsureSigningKey

    async def __call__(
        self, actor: Actor, purpose: KeyPurpose = KeyPurpose.ACCESS, after_s: int | None = None
    ) -> SigningKey:
        """Return the new key, active already when `after_s` is 0; raise RotationUnderWay while another waits."""
        now = self.clock.now()
        signing.refuse_second(await self._stored(), purpose)
        algorithm = self.policy.algorithm if purpose is KeyPurpose.ACCESS else IDENTITY_ALGORITHM
        delay = timedelta(seconds=self.signing.publish_s if after_s is None else after_s)
        made = replace(await self.maker.make(algorithm, now, purpose), activates_at=now + delay)
        async with self.unit() as tx:
            signing.refuse_second(await tx.signing_keys.all(), purpose)
            await tx.signing_keys.add(made)
            await tx.audit.record(signing_key_change(actor, "signing_key.made", made, now))
            await tx.outbox.add(SigningKeyMade(subject=made.id, at=now))
        await self.ensure.take()
        return next(key for key in await self._stored() if key.id == made.id)

    async def _stored(self) -> Sequence[SigningKey]:
        async with self.unit() as tx:
            return await tx.signing_keys.all()


@dataclass(frozen=True, slots=True)
class WithdrawSigningKeys:
    """Refuse all that was signed so far, with a new key in place of the old ones: for a key that got out."""

    unit: UnitOfWork[AccessTx]
    clock: Clock
    maker: SigningKeyMaker
    policy: TokenPolicy
    ensure: EnsureSigningKey

    async def __call__(self, actor: Actor, purpose: KeyPurpose = KeyPurpose.ACCESS) -> SigningKey:
        """Return the new key. Other processes refuse within seconds; nobody has to sign in again who can refresh."""
        now = self.clock.now()
        algorithm = self.policy.algorithm if purpose is KeyPurpose.ACCESS else IDENTITY_ALGORITHM
        made = (await self.maker.make(algorithm, now, purpose)).move(SigningKeyState.ACTIVE)
        async with self.unit() as tx:
            for key in await tx.signing_keys.all():
                if key.purpose is purpose and key.published(now):
                    gone = signing.withdrawn(key, now)
                    await tx.signing_keys.save(gone)
                    await tx.audit.record(signing_key_change(actor, "signing_key.withdrawn", gone, now))
                    await tx.outbox.add(SigningKeyWithdrawn(subject=key.id, at=now))
            await tx.signing_keys.add(made)
            await tx.audit.record(signing_key_change(actor, "signing_key.made", made, now))
            await tx.outbox.add(SigningKeyMade(subject=made.id, at=now))
        await self.ensure.take()
        return made
