"""Programs that ask in their own name: API keys as OAuth 2.0 clients."""

from dataclasses import dataclass, replace

from opora.core.access.errors import ClientUnknown
from opora.core.access.model.keys import KeyRecord
from opora.core.access.model.tokens import ClientGrant, TokenPair
from opora.core.access.ports.tokens import TokenIssuer, TokenVerifier
from opora.core.access.ports.transaction import AccessTx
from opora.core.access.rules.keys import Refuse, decide
from opora.core.access.rules.tokens import TokenPolicy, claims_for_key, refuse_beyond_grant
from opora.core.access.usecases.authenticate import FindKey
from opora.core.kernel.errors import Unauthenticated
from opora.core.kernel.model import Origin
from opora.core.kernel.ports import Clock, Identifiers, UnitOfWork


@dataclass(frozen=True, slots=True)
class AuthenticateClient:
    """Tell which key a client id and a secret are."""

    keys: FindKey
    clock: Clock

    async def __call__(self, client_id: str, secret: str, origin: Origin) -> tuple[KeyRecord, frozenset[str]]:
        """Return the key and what it grants now; raise ClientUnknown whatever is wrong with it."""
        try:
            record = await self.keys(secret)
        except Unauthenticated as error:
            raise ClientUnknown from error
        verdict = decide(record, self.clock.now(), origin.address)
        if isinstance(verdict, Refuse):
            raise ClientUnknown(str(verdict.reason))
        if client_id != str(record.key.id):
            raise ClientUnknown
        return record, verdict.scopes


@dataclass(frozen=True, slots=True)
class GrantToClient:
    """Give a key an access token in its own name (RFC 6749 section 4.4): what it opens, the key could open."""

    client: AuthenticateClient
    issuer: TokenIssuer
    policy: TokenPolicy
    clock: Clock
    identifiers: Identifiers

    async def __call__(
        self, client_id: str, secret: str, origin: Origin, scopes: frozenset[str] | None = None
    ) -> ClientGrant:
        """Raise ClientUnknown, or ScopeBeyondGrant for scopes that the key does not hold."""
        record, granted = await self.client(client_id, secret, origin)
        if scopes is not None:
            refuse_beyond_grant(scopes, granted)
            granted = scopes
        token_id = str(self.identifiers.task_id())
        claims = claims_for_key(record.key, granted, token_id, self.clock.now(), self.policy)
        text = await self.issuer.issue(claims)
        return ClientGrant(text, "bearer", self.policy.access_ttl_s, " ".join(sorted(granted)))


@dataclass(frozen=True, slots=True)
class NarrowGrant:
    """Have a pair of tokens grant less than all: what the client asked for and no more."""

    unit: UnitOfWork[AccessTx]
    verifier: TokenVerifier
    issuer: TokenIssuer
    clock: Clock

    async def __call__(self, pair: TokenPair, scopes: frozenset[str], *, whole_session: bool) -> TokenPair:
        """Return the pair with its access token made anew; raise ScopeBeyondGrant, ending a session just opened.

        With `whole_session` what the session's refresh tokens give is narrowed too (RFC 6749 section 6).
        """
        claims = self.verifier.verify(pair.access_token, self.clock.now())
        try:
            refuse_beyond_grant(scopes, claims.scopes)
        except Exception:
            if whole_session and claims.session_id is not None:
                async with self.unit() as tx:
                    await tx.sessions.end(claims.session_id, self.clock.now())
            raise
        if whole_session and claims.session_id is not None:
            async with self.unit() as tx:
                await tx.sessions.narrow(claims.session_id, scopes)
        text = await self.issuer.issue(replace(claims, scopes=scopes))
        return replace(pair, access_token=text, scope=" ".join(sorted(scopes)))
