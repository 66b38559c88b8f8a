"""Staying, and leaving."""

from dataclasses import dataclass
from datetime import datetime

from opora.core.access.errors import RefreshInvalid, RefreshReused
from opora.core.access.events import RefreshTokenReused, UserLoggedOut
from opora.core.access.model.people import RefreshToken, Session, User
from opora.core.access.model.tokens import TokenPair
from opora.core.access.ports.rates import RateGate
from opora.core.access.ports.tokens import (
    RefreshSecrets,
    RememberedStandings,
    TokenIssuer,
    TokenVerifier,
)
from opora.core.access.ports.transaction import AccessTx
from opora.core.access.rules import letters
from opora.core.access.rules.changes import session_change
from opora.core.access.rules.names import own_name, session_name
from opora.core.access.rules.tokens import SpentToken, TokenPolicy, claims_for, judge_spent
from opora.core.access.usecases.login import new_token, pair
from opora.core.access.usecases.refusals import refuse_name
from opora.core.kernel.model import Actor, Origin
from opora.core.kernel.ports import Clock, Identifiers, UnitOfWork


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
                await tx.notices.add(letters.session_stolen(user, origin, now))
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
        await refuse_name(self.gate, own_name(claims), self.policy.refusal_s)
        if session_id is not None:
            await refuse_name(self.gate, session_name(user_id, session_id), self.policy.refusal_s)


def usable(
    token: RefreshToken | None, session: Session | None, user: User | None, now: datetime
) -> tuple[RefreshToken, Session, User]:
    """Return all three; raise RefreshInvalid unless each is there and stands."""
    if token is None or session is None or user is None:
        raise RefreshInvalid
    if now >= token.expires_at or not session.open(now) or not user.is_active:
        raise RefreshInvalid
    return token, session, user
