"""Setting a second factor up and removing it."""

import json
from base64 import b32encode
from dataclasses import dataclass, replace

from opora.core.access.errors import ConfirmationWrong, NoSecondFactor, SecondFactorPresent
from opora.core.access.events import SecondFactorAdded, SecondFactorRemoved
from opora.core.access.model.proofs import Enrolment, RecoveryCodes, SecondFactor
from opora.core.access.ports.proofs import FactorSecrets
from opora.core.access.ports.tokens import RememberedStandings
from opora.core.access.ports.transaction import AccessTx
from opora.core.access.rules import letters
from opora.core.access.rules.changes import factor_change
from opora.core.access.rules.people import known, person
from opora.core.access.rules.totp import (
    RECOVERY_BYTES,
    RECOVERY_CODES,
    SECRET_BYTES,
    FactorPolicy,
    matching_step,
    otpauth_uri,
    recovery_codes,
    recovery_digest,
)
from opora.core.kernel.model import Actor
from opora.core.kernel.ports import Clock, Randomness, UnitOfWork


@dataclass(frozen=True, slots=True)
class EnrolSecondFactor:
    """Show a new secret and recovery codes; nothing is asked for until a code has confirmed them."""

    unit: UnitOfWork[AccessTx]
    clock: Clock
    randomness: Randomness
    secrets: FactorSecrets
    policy: FactorPolicy

    async def __call__(self, actor: Actor) -> Enrolment:
        """Raise NoSuchUser for a caller who is no person, SecondFactorPresent. Asking again shows another secret."""
        user_id = person(actor)
        now = self.clock.now()
        secret = self.randomness.token_bytes(SECRET_BYTES)
        codes = tuple(recovery_codes(self.randomness.token_bytes(RECOVERY_BYTES * RECOVERY_CODES)))
        shown = json.dumps({"secret": secret.hex(), "codes": codes}).encode()
        factor = SecondFactor(user_id=user_id, sealed=self.secrets.seal(shown, user_id), created_at=now)
        async with self.unit() as tx:
            user = known(await tx.users.get(user_id), user_id)
            if not await tx.second_factors.put(factor):
                raise SecondFactorPresent
        return Enrolment(
            secret=b32encode(secret).decode(),
            uri=otpauth_uri(secret, user.email, self.policy.issuer),
            recovery_codes=codes,
        )


@dataclass(frozen=True, slots=True)
class ConfirmSecondFactor:
    """Ask for codes from now on, once a code has shown that the device holds the secret."""

    unit: UnitOfWork[AccessTx]
    clock: Clock
    secrets: FactorSecrets
    standings: RememberedStandings

    async def __call__(self, actor: Actor, code: str) -> RecoveryCodes:
        """Return the recovery codes once more, for the last time.

        Raises NoSuchUser, NoSecondFactor where none waits for it, SecondFactorPresent, or ConfirmationWrong.
        """
        user_id = person(actor)
        now = self.clock.now()
        async with self.unit() as tx:
            user = known(await tx.users.get(user_id), user_id)
            factor = await tx.second_factors.get(user_id)
            if factor is None:
                raise NoSecondFactor
            if factor.confirmed_at is not None:
                raise SecondFactorPresent
            shown = json.loads(self.secrets.open(factor.sealed, user_id))
            secret = bytes.fromhex(shown["secret"])
            step = matching_step(secret, code.strip(), now, factor.last_step)
            if step is None:
                raise ConfirmationWrong(errors={"code": ["not the code of this moment"]})
            confirmed = replace(factor, sealed=self.secrets.seal(secret, user_id), confirmed_at=now, last_step=step)
            if not await tx.second_factors.confirm(confirmed, [recovery_digest(one) for one in shown["codes"]]):
                raise SecondFactorPresent
            await tx.audit.record(factor_change(actor, "second_factor.added", user_id, now))
            await tx.outbox.add(SecondFactorAdded(subject=user_id, at=now))
            await tx.notices.add(letters.factor_added(user, actor.origin, now))
        self.standings.outdate(user_id)
        return RecoveryCodes(recovery_codes=tuple(shown["codes"]))


@dataclass(frozen=True, slots=True)
class RemoveSecondFactor:
    """Let the password alone suffice again."""

    unit: UnitOfWork[AccessTx]
    clock: Clock
    standings: RememberedStandings

    async def __call__(self, actor: Actor) -> None:
        """Raise NoSuchUser for a caller who is no person, or NoSecondFactor."""
        user_id = person(actor)
        now = self.clock.now()
        async with self.unit() as tx:
            user = known(await tx.users.get(user_id), user_id)
            if not await tx.second_factors.remove(user_id):
                raise NoSecondFactor
            await tx.audit.record(factor_change(actor, "second_factor.removed", user_id, now))
            await tx.outbox.add(SecondFactorRemoved(subject=user_id, at=now))
            await tx.notices.add(letters.factor_removed(user, actor.origin, now))
        self.standings.outdate(user_id)
