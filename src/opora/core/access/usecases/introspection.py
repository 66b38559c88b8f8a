"""Telling programs what a token or key is, and taking tokens back (RFC 7662, RFC 7009)."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from opora.core.access.errors import TokenTypeUnsupported
from opora.core.access.events import UserLoggedOut
from opora.core.access.model.keys import KeyRecord
from opora.core.access.model.keytext import KeyFormat
from opora.core.access.model.rates import Admission
from opora.core.access.model.scopes import shared_scopes
from opora.core.access.model.tokens import Claims, Introspection, looks_like_token
from opora.core.access.ports.identities import Contacts, SubscriptionTiers, TokenNotes
from opora.core.access.ports.rates import RateGate
from opora.core.access.ports.tokens import RefreshSecrets, RememberedStandings, TokenStandings, TokenVerifier
from opora.core.access.ports.transaction import AccessTx
from opora.core.access.rules.changes import session_change
from opora.core.access.rules.keys import Allow, decide
from opora.core.access.rules.names import key_name, key_token_name, own_name, session_name, token_name, user_name
from opora.core.access.rules.tokens import TokenPolicy, session_scopes, token_rights
from opora.core.access.usecases.authenticate import Authenticate, FindKey
from opora.core.access.usecases.refusals import refuse_name
from opora.core.kernel.errors import Unauthenticated, Unavailable
from opora.core.kernel.model import Actor, Origin
from opora.core.kernel.ports import Clock, UnitOfWork


@dataclass(frozen=True, slots=True)
class Introspect:
    """Tell what an access token, a refresh token or an API key is good for now."""

    unit: UnitOfWork[AccessTx]
    authenticate: Authenticate
    keys: FindKey
    format: KeyFormat
    secrets: RefreshSecrets
    standings: TokenStandings
    contacts: Contacts
    tiers: SubscriptionTiers
    gate: RateGate
    policy: TokenPolicy
    clock: Clock

    async def __call__(self, text: str) -> Introspection | None:
        """Return what it is; None when it is not good, whatever the reason."""
        now = self.clock.now()
        try:
            if looks_like_token(text):
                return await self._access_token(await self.authenticate.claims(text, now), now)
            if self.format.parse(text) is not None:
                return await self._key(await self.keys(text), now)
        except Unauthenticated:
            return None
        return await self._refresh_token(text, now)

    async def _access_token(self, claims: Claims, now: datetime) -> Introspection | None:
        if claims.key_id is not None:
            record = await self.keys.lookup.by_id(claims.key_id)
            if record is None or await self.standings.refused(claims.token_id):
                return None
            return await self._key(record, now, claims)
        user_id, session_id = claims.subject, claims.session_id
        scopes = token_rights(claims, await self.standings.find(user_id, session_id, claims.token_id))
        names = [user_name(user_id), token_name(user_id, claims.token_id)]
        if session_id is not None:
            names.append(session_name(user_id, session_id))
        if await self._is_denied(
            Admission(user_name(user_id), (), 0, tuple(names), user_name(user_id), claims.issued_at)
        ):
            return None
        contact = await self.contacts.find(user_id)
        return (
            None
            if contact is None
            else Introspection(
                scopes=scopes,
                subject=str(user_id),
                client_id=claims.client_id,
                username=contact.email,
                issued_at=claims.issued_at,
                not_before=claims.not_before,
                expires_at=claims.expires_at,
                token_id=claims.token_id,
                issuer=claims.issuer,
                audience=claims.audience,
                user_id=user_id,
                session_id=session_id,
                roles=contact.roles,
                tier=await self.tiers.tier_of(user_id),
                email_verified=contact.email_verified,
            )
        )

    async def _key(self, record: KeyRecord, now: datetime, claims: Claims | None = None) -> Introspection | None:
        """Tell of a key, or of a token that it asked for in its own name."""
        key = record.key
        verdict = decide(record, now, None)
        names = (key_name(key.id), *([key_token_name(key.id, claims.token_id)] if claims else ()))
        if not isinstance(verdict, Allow) or await self._is_denied(Admission(key_name(key.id), (), 0, names)):
            return None
        ends = [one for one in (key.expires_at, key.sunset_at, claims.expires_at if claims else None) if one]
        return Introspection(
            scopes=shared_scopes(verdict.scopes, claims.scopes) if claims else verdict.scopes,
            subject=f"key:{key.id}",
            client_id=str(key.id),
            issued_at=claims.issued_at if claims else key.created_at,
            expires_at=min(ends, default=None),
            token_id=claims.token_id if claims else None,
            issuer=self.policy.issuer,
            audience=claims.audience if claims else None,
            user_id=key.owner_id,
            key_id=key.id,
            roles=frozenset(map(str, record.owner.roles)) if record.owner else frozenset(),
        )

    async def _refresh_token(self, text: str, now: datetime) -> Introspection | None:
        async with self.unit() as tx:
            token = await tx.sessions.token(self.secrets.digest(text))
            session = await tx.sessions.get(token.session_id) if token else None
            user = await tx.users.get(session.user_id) if session else None
        if token is None or session is None or user is None:
            return None
        if token.used_at is not None or now >= token.expires_at or not session.open(now) or not user.is_active:
            return None
        return Introspection(
            scopes=session_scopes(user, session),
            subject=str(user.id),
            username=user.email,
            issued_at=token.issued_at,
            expires_at=token.expires_at,
            user_id=user.id,
            session_id=session.id,
        )

    async def _is_denied(self, admission: Admission) -> bool:
        try:
            return (await self.gate.peek(admission)).revoked
        except Unavailable:
            return False  # the database has been asked, and has not refused


@dataclass(frozen=True, slots=True)
class RevokeToken:
    """Take a token back for whoever holds it: an access token alone, a refresh token with its whole session."""

    unit: UnitOfWork[AccessTx]
    verifier: TokenVerifier
    secrets: RefreshSecrets
    format: KeyFormat
    standings: RememberedStandings
    notes: TokenNotes
    gate: RateGate
    policy: TokenPolicy
    clock: Clock

    async def __call__(self, text: str, origin: Origin) -> None:
        """Raise TokenTypeUnsupported for an API key. A token that is no good is taken back already."""
        if self.format.parse(text) is not None:
            raise TokenTypeUnsupported("an API key is revoked by DELETE /api/v1/admin/api-keys/{id}")
        if looks_like_token(text):
            await self._access_token(text)
        else:
            await self._session(self.secrets.digest(text), origin)

    async def _access_token(self, text: str) -> None:
        try:
            claims = self.verifier.verify(text, self.clock.now())
        except Unauthenticated:
            return
        async with self.unit() as tx:
            await tx.sessions.refuse_token_id(claims.token_id, claims.expires_at)
        self.standings.outdate(claims.subject)
        await refuse_name(self.gate, own_name(claims), self.policy.refusal_s)
        with suppress(Unavailable):
            await self.notes.drop(claims.subject, claims.token_id)

    async def _session(self, digest: bytes, origin: Origin) -> None:
        now = self.clock.now()
        async with self.unit() as tx:
            token = await tx.sessions.token(digest)
            session = await tx.sessions.get(token.session_id) if token else None
            if session is None or not await tx.sessions.end(session.id, now):
                return
            actor = Actor(user_id=session.user_id, origin=origin)
            await tx.audit.record(session_change(actor, "session.ended", session.user_id, session.id, now))
            await tx.outbox.add(UserLoggedOut(subject=session.user_id, at=now, session_id=session.id))
        self.standings.outdate(session.user_id)
        await refuse_name(self.gate, session_name(session.user_id, session.id), self.policy.refusal_s)
