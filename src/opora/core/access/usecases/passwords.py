"""Setting a new password: with the token of a letter, or with the present one."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from opora.core.access.errors import CurrentPasswordWrong, OneTimeTokenInvalid
from opora.core.access.events import EmailVerified, PasswordChanged, PasswordReset, SecondFactorRemoved
from opora.core.access.model.people import User
from opora.core.access.model.proofs import OneTimeToken, Purpose
from opora.core.access.ports.people import PasswordHasher
from opora.core.access.ports.proofs import Arrivals, OneTimeSecrets
from opora.core.access.ports.rates import RateGate
from opora.core.access.ports.tokens import RememberedStandings
from opora.core.access.ports.transaction import AccessTx
from opora.core.access.rules import letters
from opora.core.access.rules.changes import user_change
from opora.core.access.rules.letters import LetterPolicy
from opora.core.access.rules.login import DEVICES_KEPT, LoginPolicy, letter, marks_of
from opora.core.access.rules.names import session_name, user_name
from opora.core.access.rules.passwords import PasswordPolicy, refuse_bad_password
from opora.core.access.rules.people import known, login_email, person
from opora.core.access.rules.tokens import TokenPolicy
from opora.core.access.usecases.login import CheckPassword
from opora.core.access.usecases.refusals import outdate_rights, refuse_name, refuse_older
from opora.core.jobs.model import Claim, NewJob, Priority
from opora.core.kernel.errors import Stale
from opora.core.kernel.model import Actor, Origin
from opora.core.kernel.ports import Clock, UnitOfWork

SEND_RESET = "access.send_reset"


@dataclass(frozen=True, slots=True)
class ForgotPassword:
    """Have a letter written to an address if somebody has it; the caller cannot tell whether.

    For an unknown address the same is stored: a job that finds nobody to write to.
    """

    unit: UnitOfWork[AccessTx]
    arrivals: Arrivals
    gate: RateGate
    limits: LoginPolicy

    async def __call__(self, email: str, origin: Origin) -> None:
        """Past the limit of letters nothing is done, and nothing is said of it."""
        address = login_email(email)
        heard = (await self.gate.admit(letter(address, "reset", self.limits))).allowed
        arrival = await self.arrivals.at(address, marks_of(origin, None))
        user_id = arrival.user.id if arrival.user and arrival.user.is_active else 0
        if heard:
            async with self.unit() as tx:
                await tx.jobs.add(NewJob(kind=SEND_RESET, payload={"user_id": user_id}, priority=Priority.HIGH))


@dataclass(frozen=True, slots=True)
class SendReset:
    """Make the token that sets a new password, and write the letter it travels in."""

    unit: UnitOfWork[AccessTx]
    clock: Clock
    secrets: OneTimeSecrets
    letters: LetterPolicy

    async def __call__(self, claim: Claim) -> None:
        """Write to nobody where nobody was found, or where they were shut out meanwhile."""
        now = self.clock.now()
        text = self.secrets.text()
        async with self.unit() as tx:
            user = await tx.users.get(int(str(claim.payload["user_id"])))
            if user is not None and user.is_active:
                token = OneTimeToken(
                    digest=self.secrets.digest(text),
                    purpose=Purpose.RESET_PASSWORD,
                    user_id=user.id,
                    created_at=now,
                    expires_at=now + timedelta(seconds=self.letters.reset_ttl_s),
                )
                await tx.one_time_tokens.add(token)
                await tx.notices.add(letters.reset(user, text, now, self.letters))
            await tx.jobs.finish(claim)


@dataclass(frozen=True, slots=True)
class ResetPassword:
    """Set a new password with the token of a letter, and end every session: whoever was in is out.

    The letter has shown whose the address is. Where that was not known before, a second factor that somebody else may
    have set up is removed. The device is known from now on: nobody's wrong guesses keep the owner out any longer.
    """

    unit: UnitOfWork[AccessTx]
    clock: Clock
    hasher: PasswordHasher
    secrets: OneTimeSecrets
    arrivals: Arrivals
    passwords: PasswordPolicy
    standings: RememberedStandings
    gate: RateGate
    policy: TokenPolicy

    async def __call__(self, token: str, password: str, origin: Origin) -> None:
        """Raise UserInvalid or OneTimeTokenInvalid, which spend nothing, or HashingBusy. A token is good once."""
        now = self.clock.now()
        digest = self.secrets.digest(token)
        refuse_bad_password(password, self.passwords)
        marks = marks_of(origin, None)
        arrival = await self.arrivals.by_token(digest, Purpose.RESET_PASSWORD, now, marks)
        if arrival.user is None or not arrival.user.is_active:
            raise OneTimeTokenInvalid(errors={"token": ["unknown, used or overdue"]})
        refuse_bad_password(password, self.passwords, arrival.user.email)
        fresh = await self.hasher.hash(password)
        async with self.unit() as tx:
            user_id = await tx.one_time_tokens.spend(digest, Purpose.RESET_PASSWORD, now)
            before = None if user_id is None else await tx.users.get(user_id)
            if before is None or not before.is_active:
                raise OneTimeTokenInvalid(errors={"token": ["unknown, used or overdue"]})
            await _replace_password(tx, before, fresh, Actor(user_id=before.id, origin=origin), now)
            await tx.devices.remember(before.id, marks[0], now, DEVICES_KEPT)
        self.standings.outdate(before.id)
        await outdate_rights(self.gate, before)
        await refuse_older(self.gate, user_name(before.id), now, self.policy.refusal_s)


async def _replace_password(tx: AccessTx, before: User, fresh: str, actor: Actor, now: datetime) -> None:
    after = replace(before, password_hash=fresh, epoch_at=now, email_verified=True, version=before.version + 1)
    await tx.users.save(after)
    await tx.sessions.end_all(after.id, now)
    await tx.one_time_tokens.drop(after.id, Purpose.RESET_PASSWORD)
    await tx.one_time_tokens.drop(after.id, Purpose.FINISH_LOGIN)
    await tx.audit.record(user_change(actor, "user.password_reset", before, after, now))
    await tx.outbox.add(PasswordReset(subject=after.id, at=now))
    await tx.notices.add(letters.password_changed(after, actor.origin, now))
    if not before.email_verified:
        await tx.outbox.add(EmailVerified(subject=after.id, at=now))
        await tx.devices.forget(after.id)
        if await tx.second_factors.remove(after.id):
            await tx.outbox.add(SecondFactorRemoved(subject=after.id, at=now))


@dataclass(frozen=True, slots=True)
class ChangePassword:
    """Set a new password with the present one; every other session ends, the caller's own stays."""

    check: CheckPassword
    unit: UnitOfWork[AccessTx]
    clock: Clock
    hasher: PasswordHasher
    passwords: PasswordPolicy
    standings: RememberedStandings
    gate: RateGate
    policy: TokenPolicy

    async def __call__(self, actor: Actor, current: str, password: str) -> None:
        """Raise NoSuchUser for a caller who is no person, UserInvalid, CurrentPasswordWrong, LoginLimited, HashingBusy,
        or Stale where the password was set by another way meanwhile.

        Wrong guesses of the present password are counted as failures to log in.
        """
        user_id = person(actor)
        now = self.clock.now()
        async with self.unit() as tx:
            before = known(await tx.users.get(user_id), user_id)
        refuse_bad_password(password, self.passwords, before.email)
        if not await self.check.fits(before, current, actor.origin):
            raise CurrentPasswordWrong(errors={"current_password": ["not the present password"]})
        fresh = await self.hasher.hash(password)
        async with self.unit() as tx:
            checked, before = before, known(await tx.users.get(user_id), user_id)
            if before.password_hash != checked.password_hash:
                raise Stale(user_id=user_id)
            after = replace(before, password_hash=fresh, version=before.version + 1)
            await tx.users.save(after)
            ended = await tx.sessions.end_others(after.id, actor.session_id, now)
            await tx.one_time_tokens.drop(after.id, Purpose.RESET_PASSWORD)
            await tx.one_time_tokens.drop(after.id, Purpose.FINISH_LOGIN)
            await tx.audit.record(user_change(actor, "user.password_changed", before, after, now))
            await tx.outbox.add(PasswordChanged(subject=after.id, at=now))
            await tx.notices.add(letters.password_changed(after, actor.origin, now))
        self.standings.outdate(after.id)
        for session_id in ended:
            await refuse_name(self.gate, session_name(after.id, session_id), self.policy.refusal_s)
