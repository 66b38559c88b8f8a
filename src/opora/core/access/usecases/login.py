"""Coming in: with a password, and with a code where the person has a second factor."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from opora.core.access.errors import CodeWrong, CredentialsWrong, MfaRequired, MfaTokenInvalid
from opora.core.access.events import UserLoggedIn
from opora.core.access.model.people import RefreshToken, Session, User
from opora.core.access.model.proofs import Arrival, OneTimeToken, Purpose
from opora.core.access.model.tokens import Claims, TokenPair
from opora.core.access.ports.people import PasswordHasher
from opora.core.access.ports.proofs import Arrivals, FactorSecrets, OneTimeSecrets
from opora.core.access.ports.rates import RateGate
from opora.core.access.ports.tokens import RefreshSecrets, TokenIssuer
from opora.core.access.ports.transaction import AccessTx
from opora.core.access.rules import letters
from opora.core.access.rules.changes import refusal_change, session_change
from opora.core.access.rules.login import (
    DEVICES_KEPT,
    Charges,
    LoginPolicy,
    code_failures,
    failures,
    judged_after,
    marks_of,
    refuse_spent,
)
from opora.core.access.rules.passwords import refuse_long_password
from opora.core.access.rules.people import login_email
from opora.core.access.rules.stepup import SECOND_FACTOR
from opora.core.access.rules.tokens import TokenPolicy, claims_for, refresh_expiry
from opora.core.access.rules.totp import FactorPolicy, matching_step, recovery_digest
from opora.core.kernel.model import Actor, Origin
from opora.core.kernel.ports import Clock, Identifiers, UnitOfWork

USER_AGENT_LENGTH_MAX = 400
PASSWORD = "pwd"  # noqa: S105  # how a password is named in `amr` (RFC 8176)


@dataclass(frozen=True, slots=True)
class CheckPassword:
    """Tell who has an address and a password, with a limit on failures that parallel attempts cannot outrun."""

    unit: UnitOfWork[AccessTx]
    arrivals: Arrivals
    hasher: PasswordHasher
    gate: RateGate
    policy: LoginPolicy
    clock: Clock

    async def __call__(
        self, email: str, password: str, origin: Origin, device: str | None = None
    ) -> tuple[User, Arrival]:
        """Raise CredentialsWrong, LoginLimited or HashingBusy; for a known and an unknown address all is alike."""
        refuse_long_password(password)
        email = login_email(email)
        arrival = await self.arrivals.at(email, marks_of(origin, device))
        charges = failures(email, origin.address, self.policy, arrival.known_mark)
        user = arrival.user
        if not await self._tried(user, password, charges) or user is None:
            await self._refuse(user, origin)
            raise CredentialsWrong
        return user, arrival

    async def fits(self, user: User, password: str, origin: Origin) -> bool:
        """Tell whether this is the password of somebody who is in already; failures count all the same.

        Raises LoginLimited or HashingBusy.
        """
        refuse_long_password(password)
        arrival = await self.arrivals.at(user.email, marks_of(origin, None))
        charges = failures(user.email, origin.address, self.policy, arrival.known_mark)
        return await self._tried(user, password, charges)

    async def _tried(self, user: User | None, password: str, charges: Charges) -> bool:
        refuse_spent([await self.gate.peek(one) for one in charges.judged], self.clock.now())
        stored = user.password_hash if user else None
        check = await self.hasher.check(password, stored)
        if user is None or stored is None or not check.matches or not user.is_active:
            # Of many guesses at once, those past the limit learn nothing but that they are past it.
            decisions = [await self.gate.admit(one) for one in charges.charged]
            refuse_spent(judged_after(charges, decisions), self.clock.now())
            return False
        refuse_spent([await self.gate.peek(one) for one in charges.judged], self.clock.now())
        if check.outdated:
            await self._rehash(user.id, stored, password)
        return True

    async def _rehash(self, user_id: int, stored: str, password: str) -> None:
        fresh = await self.hasher.hash(password)
        async with self.unit() as tx:
            # Where the password was changed meanwhile, the change stands.
            await tx.users.replace_hash(user_id, stored, fresh)

    async def _refuse(self, user: User | None, origin: Origin) -> None:
        now = self.clock.now()
        async with self.unit() as tx:
            await tx.audit.record(refusal_change(origin, user, "password", now))


@dataclass(frozen=True, slots=True)
class OpenSession:
    """Begins the stay of somebody who has proved who they are."""

    issuer: TokenIssuer
    secrets: RefreshSecrets
    policy: TokenPolicy
    clock: Clock
    identifiers: Identifiers

    async def within(
        self, tx: AccessTx, arrival: Arrival, user: User, origin: Origin, methods: tuple[str, ...], mark: bytes
    ) -> tuple[Session, str]:
        """Keep the session with its first refresh token, and remember the device; return both."""
        now = self.clock.now()
        actor = Actor(user_id=user.id, origin=origin)
        session = Session(
            id=await tx.sessions.next_id(),
            user_id=user.id,
            address=origin.address,
            user_agent=origin.user_agent[:USER_AGENT_LENGTH_MAX],
            created_at=now,
            expires_at=now + timedelta(seconds=self.policy.session_ttl_s),
            methods=methods,
        )
        refresh = self.secrets.first(session.id)
        await tx.sessions.add(session)
        await tx.sessions.add_token(new_token(self.secrets, refresh, session, 1, now, self.policy))
        is_new = await tx.devices.remember(user.id, mark, now, DEVICES_KEPT)
        if is_new and arrival.known_mark is None and arrival.has_devices:
            await tx.notices.add(letters.new_device(user, origin, now))
        await tx.audit.record(session_change(actor, "session.opened", user.id, session.id, now))
        await tx.outbox.add(UserLoggedIn(subject=user.id, at=now, session_id=session.id))
        return session, refresh

    async def answer(self, user: User, session: Session, refresh: str) -> TokenPair:
        """Return the session's first pair of tokens."""
        claims = claims_for(user, session, str(self.identifiers.task_id()), self.clock.now(), self.policy)
        return pair(await self.issuer.issue(claims), refresh, claims)


@dataclass(frozen=True, slots=True)
class LogIn:
    """Open a session for who has the password, and give its first pair of tokens; or ask for a code first."""

    check: CheckPassword
    unit: UnitOfWork[AccessTx]
    sessions: OpenSession
    one_time: OneTimeSecrets
    factors: FactorPolicy
    clock: Clock

    async def __call__(self, email: str, password: str, origin: Origin, device: str | None = None) -> TokenPair:
        """Raise CredentialsWrong, LoginLimited, UserInvalid for a password past any bound, HashingBusy, or MfaRequired.

        MfaRequired brings the `mfa_token` that FinishLogIn takes with a code. `device` is what the device was given at
        an earlier log-in, where it keeps such a thing.
        """
        user, arrival = await self.check(email, password, origin, device)
        if arrival.has_second_factor:
            await self._ask_code(user)
        mark = marks_of(origin, device)[0]
        async with self.unit() as tx:
            session, refresh = await self.sessions.within(tx, arrival, user, origin, (PASSWORD,), mark)
        return await self.sessions.answer(user, session, refresh)

    async def _ask_code(self, user: User) -> None:
        now = self.clock.now()
        text = self.one_time.text()
        token = OneTimeToken(
            digest=self.one_time.digest(text),
            purpose=Purpose.FINISH_LOGIN,
            user_id=user.id,
            created_at=now,
            expires_at=now + timedelta(seconds=self.factors.login_wait_s),
        )
        async with self.unit() as tx:
            await tx.one_time_tokens.add(token)
        raise MfaRequired(mfa_token=text, expires_in=self.factors.login_wait_s)


@dataclass(frozen=True, slots=True)
class FinishLogIn:
    """Open the session of a log-in that waits for a code: one of this moment, or a recovery code.

    A code is short, so every try is counted, right or wrong, before it is looked at.
    """

    unit: UnitOfWork[AccessTx]
    arrivals: Arrivals
    sessions: OpenSession
    one_time: OneTimeSecrets
    factor_secrets: FactorSecrets
    gate: RateGate
    limits: LoginPolicy
    clock: Clock

    async def __call__(self, mfa_token: str, code: str, origin: Origin, device: str | None = None) -> TokenPair:
        """Raise MfaTokenInvalid, LoginLimited, or CodeWrong, after which the same token may be tried again."""
        now = self.clock.now()
        marks = marks_of(origin, device)
        digest = self.one_time.digest(mfa_token)
        arrival = await self.arrivals.by_token(digest, Purpose.FINISH_LOGIN, now, marks)
        user = arrival.user
        if user is None or not user.is_active:
            raise MfaTokenInvalid
        charges = code_failures(user.id, self.limits, arrival.known_mark)
        refuse_spent([await self.gate.admit(one) for one in charges.judged], now)
        opened = None
        async with self.unit() as tx:
            if await takes_code(tx, self.factor_secrets, user.id, code, now):
                if await tx.one_time_tokens.spend(digest, Purpose.FINISH_LOGIN, now) is None:
                    raise MfaTokenInvalid
                methods = (PASSWORD, SECOND_FACTOR)
                opened = await self.sessions.within(tx, arrival, user, origin, methods, marks[0])
            else:
                await tx.audit.record(refusal_change(origin, user, "code", now))
        if opened is None:
            raise CodeWrong
        return await self.sessions.answer(user, *opened)


async def takes_code(tx: AccessTx, secrets: FactorSecrets, user_id: int, code: str, now: datetime) -> bool:
    """Take a code or a recovery code, which is then good no more; tell whether it was good."""
    factor = await tx.second_factors.get(user_id)
    if factor is None or factor.confirmed_at is None:
        return False
    step = matching_step(secrets.open(factor.sealed, user_id), code.strip(), now, factor.last_step)
    if step is not None:
        return await tx.second_factors.take_step(user_id, step)
    return await tx.second_factors.take_recovery_code(user_id, recovery_digest(code))


def new_token(
    secrets: RefreshSecrets, text: str, session: Session, number: int, now: datetime, policy: TokenPolicy
) -> RefreshToken:
    """Return what is kept of a refresh token."""
    return RefreshToken(
        session_id=session.id,
        number=number,
        digest=secrets.digest(text),
        issued_at=now,
        expires_at=refresh_expiry(session, now, policy),
    )


def pair(access_token: str, refresh_token: str, claims: Claims) -> TokenPair:
    """Return the answer of RFC 6749 section 5.1."""
    lifetime_s = int((claims.expires_at - claims.issued_at).total_seconds())
    return TokenPair(access_token, "bearer", lifetime_s, refresh_token, " ".join(sorted(claims.scopes)))
