"""Becoming known, and showing that an address is one's own."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from opora.core.access.errors import EmailTaken, OneTimeTokenInvalid
from opora.core.access.events import EmailVerified, UserRegistered
from opora.core.access.model.people import NewUser, User
from opora.core.access.model.proofs import OneTimeToken, Purpose
from opora.core.access.ports.people import PasswordHasher
from opora.core.access.ports.proofs import OneTimeSecrets
from opora.core.access.ports.rates import RateGate
from opora.core.access.ports.transaction import AccessTx
from opora.core.access.rules import letters
from opora.core.access.rules.changes import user_change
from opora.core.access.rules.letters import LetterPolicy
from opora.core.access.rules.login import LoginPolicy, letter
from opora.core.access.rules.passwords import PasswordPolicy
from opora.core.access.rules.people import known, new_user, person
from opora.core.kernel.model import Actor, Origin
from opora.core.kernel.ports import Clock, UnitOfWork


@dataclass(frozen=True, slots=True)
class Register:
    """Take in a new client, or, where the address has an owner, write to the owner; the caller cannot tell which."""

    unit: UnitOfWork[AccessTx]
    clock: Clock
    hasher: PasswordHasher
    secrets: OneTimeSecrets
    gate: RateGate
    passwords: PasswordPolicy
    letters: LetterPolicy
    limits: LoginPolicy

    async def __call__(self, wanted: NewUser, origin: Origin) -> str:
        """Return the address as it is kept; raise UserInvalid listing every field at fault, or HashingBusy.

        Of many who register one address at once one is taken in.
        """
        now = self.clock.now()
        password = wanted.password or ""
        asked = NewUser(email=wanted.email, password=password, full_name=wanted.full_name, locale=wanted.locale)
        user = new_user(asked, self.passwords, now)
        user = replace(user, password_hash=await self.hasher.hash(password))
        heard = (await self.gate.admit(letter(user.email, "taken", self.limits))).allowed
        try:
            await self._take_in(user, origin, now)
        except EmailTaken:
            await self._tell_owner(user.email, origin, now, heard=heard)
        return user.email

    async def _take_in(self, user: User, origin: Origin, now: datetime) -> None:
        text = self.secrets.text()
        async with self.unit() as tx:
            user = replace(user, id=await tx.users.next_id())
            await tx.users.add(user)
            await tx.one_time_tokens.add(verification(self.secrets.digest(text), user, now, self.letters))
            await tx.notices.add(letters.welcome(user, text, now, self.letters))
            actor = Actor(user_id=user.id, origin=origin)
            await tx.audit.record(user_change(actor, "user.registered", None, user, now))
            await tx.outbox.add(UserRegistered(subject=user.id, at=now))

    async def _tell_owner(self, email: str, origin: Origin, now: datetime, *, heard: bool) -> None:
        async with self.unit() as tx:
            owner = await tx.users.with_email(email)
            if owner is not None:
                await tx.audit.record(user_change(Actor(origin=origin), "user.register_refused", None, owner, now))
                if heard and owner.is_active:
                    await tx.notices.add(letters.address_taken(owner, origin, now))


@dataclass(frozen=True, slots=True)
class VerifyEmail:
    """Take the token of a letter as proof that letters to the address arrive."""

    unit: UnitOfWork[AccessTx]
    clock: Clock
    secrets: OneTimeSecrets

    async def __call__(self, token: str, origin: Origin) -> None:
        """Raise OneTimeTokenInvalid; a token is good once."""
        now = self.clock.now()
        digest = self.secrets.digest(token)
        async with self.unit() as tx:
            user_id = await tx.one_time_tokens.spend(digest, Purpose.VERIFY_EMAIL, now)
            before = None if user_id is None else await tx.users.get(user_id)
            if before is None:
                raise OneTimeTokenInvalid(errors={"token": ["unknown, used or overdue"]})
            await tx.one_time_tokens.drop(before.id, Purpose.VERIFY_EMAIL)
            if not before.email_verified:
                after = replace(before, email_verified=True, version=before.version + 1)
                await tx.users.save(after)
                actor = Actor(user_id=after.id, origin=origin)
                await tx.audit.record(user_change(actor, "user.email_verified", before, after, now))
                await tx.outbox.add(EmailVerified(subject=after.id, at=now))


@dataclass(frozen=True, slots=True)
class AskVerification:
    """Write the letter with the token once more, to a person whose address was not verified yet."""

    unit: UnitOfWork[AccessTx]
    clock: Clock
    secrets: OneTimeSecrets
    gate: RateGate
    letters: LetterPolicy
    limits: LoginPolicy

    async def __call__(self, actor: Actor) -> None:
        """Raise NoSuchUser for a caller who is no person; past the limit of letters none is written."""
        user_id = person(actor)
        now = self.clock.now()
        text = self.secrets.text()
        heard = (await self.gate.admit(letter(str(user_id), "verify", self.limits))).allowed
        async with self.unit() as tx:
            user = known(await tx.users.get(user_id), user_id)
            if heard and not user.email_verified:
                await tx.one_time_tokens.add(verification(self.secrets.digest(text), user, now, self.letters))
                await tx.notices.add(letters.verify_again(user, text, now, self.letters))


def verification(digest: bytes, user: User, now: datetime, policy: LetterPolicy) -> OneTimeToken:
    """Return what is kept of a token that verifies the user's address."""
    return OneTimeToken(
        digest=digest,
        purpose=Purpose.VERIFY_EMAIL,
        user_id=user.id,
        created_at=now,
        expires_at=now + timedelta(seconds=policy.verify_ttl_s),
    )
