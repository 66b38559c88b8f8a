"""Coming in, staying, and leaving."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from opora.core.access.errors import CredentialsWrong, RefreshInvalid, RefreshReused
from opora.core.access.events import RefreshTokenReused, UserLoggedIn, UserLoggedOut
from opora.core.access.model.people import RefreshToken, Session, User
from opora.core.access.model.tokens import Claims, TokenPair
from opora.core.access.ports.people import PasswordHasher
from opora.core.access.ports.rates import RateGate
from opora.core.access.ports.tokens import (
    RefreshSecrets,
    RememberedStandings,
    TokenIssuer,
    TokenVerifier,
)
from opora.core.access.ports.transaction import AccessTx
from opora.core.access.rules.changes import session_change
from opora.core.access.rules.login import LoginPolicy, failures, refuse_spent
from opora.core.access.rules.names import session_name, token_name
from opora.core.access.rules.people import login_email, refuse_long_password
from opora.core.access.rules.tokens import SpentToken, TokenPolicy, claims_for, judge_spent, refresh_expiry
from opora.core.access.usecases.refusals import refuse_name
from opora.core.kernel.model import Actor, Origin
from opora.core.kernel.ports import Clock, Identifiers, UnitOfWork

USER_AGENT_LENGTH_MAX = 400


@dataclass(frozen=True, slots=True)
class CheckPassword:
    """Tell who has an address and a password, with a limit on failures that parallel attempts cannot outrun."""

    unit: UnitOfWork[AccessTx]
    hasher: PasswordHasher
    gate: RateGate
    policy: LoginPolicy
    clock: Clock

    async def __call__(self, email: str, password: str, origin: Origin) -> User:
        """Raise CredentialsWrong, LoginLimited or HashingBusy; for a known and an unknown address all is alike."""
        refuse_long_password(password)
        email = login_email(email)
        charges = failures(email, origin.address, self.policy)
        refuse_spent([await self.gate.peek(one) for one in charges], self.clock.now())
        async with self.unit() as tx:
            user = await tx.users.with_email(email)
        stored = user.password_hash if user else None
        check = await self.hasher.check(password, stored)
        if user is None or stored is None or not check.matches or not user.is_active:
            # Of many guesses at once, those past the limit learn nothing but that they are past it.
            refuse_spent([await self.gate.admit(one) for one in charges], self.clock.now())
            raise CredentialsWrong
        refuse_spent([await self.gate.peek(one) for one in charges], self.clock.now())
        if check.outdated:
            await self._rehash(user.id, stored, password)
        return user

    async def _rehash(self, user_id: int, stored: str, password: str) -> None:
        fresh = await self.hasher.hash(password)
        async with self.unit() as tx:
            # Where the password was changed meanwhile, the change stands.
            await tx.users.replace_hash(user_id, stored, fresh)


@dataclass(frozen=True, slots=True)
class LogIn:
    """Open a session for who has the password, and give its first pair of tokens."""

    check: CheckPassword
    unit: UnitOfWork[AccessTx]
    issuer: TokenIssuer
    secrets: RefreshSecrets
    policy: TokenPolicy
    clock: Clock
    identifiers: Identifiers

    async def __call__(self, email: str, password: str, origin: Origin) -> TokenPair:
        """Raise CredentialsWrong, LoginLimited, UserInvalid for a password past any bound, or HashingBusy."""
        user = await self.check(email, password, origin)
        now = self.clock.now()
        actor = Actor(user_id=user.id, origin=origin)
        async with self.unit() as tx:
            session = Session(
                id=await tx.sessions.next_id(),
                user_id=user.id,
                address=origin.address,
                user_agent=origin.user_agent[:USER_AGENT_LENGTH_MAX],
                created_at=now,
                expires_at=now + timedelta(seconds=self.policy.session_ttl_s),
            )
            refresh = self.secrets.first(session.id)
            token = new_token(self.secrets, refresh, session, 1, now, self.policy)
            await tx.sessions.add(session)
            await tx.sessions.add_token(token)
            await tx.audit.record(session_change(actor, "session.opened", user.id, session.id, now))
            await tx.outbox.add(UserLoggedIn(subject=user.id, at=now, session_id=session.id))
        claims = claims_for(user, session, str(self.identifiers.task_id()), now, self.policy)
        return pair(await self.issuer.issue(claims), refresh, claims)


@dataclass(frozen=True, slots=True)
class RefreshSession:
    """Give the next pair of tokens for a refresh token, and spend it.

    Within the grace a spent token gives its successor once more; later it ends the session, whoever brought it.
    """

    unit: UnitOfWork[AccessTx]
    issuer: TokenIssuer
    secrets: RefreshSecrets
    policy: TokenPolicy
    clock: Clock
    identifiers: Identifiers
    standings: RememberedStandings
    gate: RateGate

    async def __call__(self, refresh_token: str, origin: Origin) -> TokenPair:
        """Raise RefreshInvalid, or RefreshReused when it ended the session."""
        now = self.clock.now()
        digest = self.secrets.digest(refresh_token)
        reused = False
        async with self.unit() as tx:
            spent = await tx.sessions.spend(digest, now)
            token = spent or await tx.sessions.token(digest)
            session = await tx.sessions.get(token.session_id) if token else None
            user = await tx.users.get(session.user_id) if session else None
            token, session, user = usable(token, session, user, now)
            successor = self.secrets.successor(refresh_token, session.id, token.number + 1)
            if spent:
                following = new_token(self.secrets, successor, session, token.number + 1, now, self.policy)
                await tx.sessions.add_token(following)
            elif judge_spent(token, now, self.policy) is SpentToken.REUSE:
                reused = True
                actor = Actor(origin=origin)
                await tx.sessions.end(session.id, now)
                await tx.audit.record(session_change(actor, "session.refresh_reused", user.id, session.id, now))
                await tx.outbox.add(RefreshTokenReused(subject=user.id, at=now, session_id=session.id))
        if reused:
            self.standings.outdate(user.id)
            await refuse_name(self.gate, session_name(user.id, session.id), self.policy.refusal_s)
            raise RefreshReused
        claims = claims_for(user, session, str(self.identifiers.task_id()), now, self.policy)
        return pair(await self.issuer.issue(claims), successor, claims)


@dataclass(frozen=True, slots=True)
class LogOut:
    """End the session of an access token: the token and all that came of its log-in are refused from now on."""

    unit: UnitOfWork[AccessTx]
    verifier: TokenVerifier
    standings: RememberedStandings
    gate: RateGate
    policy: TokenPolicy
    clock: Clock

    async def __call__(self, access_token: str, origin: Origin) -> None:
        """Raise TokenMalformed, TokenInvalid or TokenExpired. Leaving twice is as good as once."""
        now = self.clock.now()
        claims = self.verifier.verify(access_token, now)
        user_id, session_id = claims.subject, claims.session_id
        actor = Actor(user_id=user_id, origin=origin)
        async with self.unit() as tx:
            await tx.sessions.refuse_token_id(claims.token_id, claims.expires_at)
            if session_id is not None and await tx.sessions.end(session_id, now):
                await tx.audit.record(session_change(actor, "session.ended", user_id, session_id, now))
                await tx.outbox.add(UserLoggedOut(subject=user_id, at=now, session_id=session_id))
        self.standings.outdate(user_id)
        await refuse_name(self.gate, token_name(user_id, claims.token_id), self.policy.refusal_s)
        if session_id is not None:
            await refuse_name(self.gate, session_name(user_id, session_id), self.policy.refusal_s)


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


def usable(
    token: RefreshToken | None, session: Session | None, user: User | None, now: datetime
) -> tuple[RefreshToken, Session, User]:
    """Return all three; raise RefreshInvalid unless each is there and stands."""
    if token is None or session is None or user is None:
        raise RefreshInvalid
    if now >= token.expires_at or not session.open(now) or not user.is_active:
        raise RefreshInvalid
    return token, session, user


def pair(access_token: str, refresh_token: str, claims: Claims) -> TokenPair:
    """Return the answer of RFC 6749 section 5.1."""
    lifetime_s = int((claims.expires_at - claims.issued_at).total_seconds())
    return TokenPair(access_token, "bearer", lifetime_s, refresh_token, " ".join(sorted(claims.scopes)))
