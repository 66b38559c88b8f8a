"""Finding out who is asking."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from opora.core.access.errors import CredentialsAmbiguous, KeyMalformed, KeyUnknown, TokenInvalid, TokenRevoked
from opora.core.access.model.callers import Caller, Credentials, address_subject
from opora.core.access.model.keys import ImportedKey, KeyDigest, KeyRecord
from opora.core.access.model.keytext import LOOKUP_LENGTH, KeyFormat
from opora.core.access.model.scopes import shared_scopes
from opora.core.access.model.tokens import Claims, looks_like_token
from opora.core.access.ports.keys import KeyDigests, KeyLookup, KeyUsage, RememberedKeys
from opora.core.access.ports.people import PasswordHasher
from opora.core.access.ports.tokens import (
    RememberedStandings,
    SigningKeyNews,
    SigningRing,
    TokenStandings,
    TokenVerifier,
)
from opora.core.access.ports.transaction import AccessTx
from opora.core.access.rules.callers import CallerPolicy
from opora.core.access.rules.keys import Refuse, decide
from opora.core.access.rules.names import (
    key_name,
    key_rights_name,
    key_token_name,
    rights_name,
    session_name,
    token_name,
    user_name,
)
from opora.core.access.rules.tokens import proof_of, token_rights
from opora.core.kernel.model import Actor, Origin
from opora.core.kernel.ports import Clock, UnitOfWork


@dataclass(frozen=True, slots=True)
class FindKey:
    """Find the key that a text is, taking an imported one or one under an old pepper over to the present digest."""

    unit: UnitOfWork[AccessTx]
    lookup: KeyLookup
    digests: KeyDigests
    hasher: PasswordHasher
    format: KeyFormat

    async def __call__(self, text: str) -> KeyRecord:
        """Raise KeyMalformed, before any look-up, or KeyUnknown."""
        ours = self.format.parse(text) is not None
        if not ours and not self.format.foreign(text):
            raise KeyMalformed
        candidates = self.digests.candidates(text)
        record = await self.lookup.find(candidates)
        if record is not None:
            if record.scheme != candidates[0].scheme:
                await self._upgrade(record, next(one for one in candidates if one.scheme == record.scheme), candidates)
            return record
        if not ours:
            for imported in await self.lookup.imported(text[:LOOKUP_LENGTH]):
                if (await self.hasher.check(text, imported.digest.value.decode("ascii", "replace"))).matches:
                    return await self._adopt(imported, candidates)
        raise KeyUnknown

    async def _adopt(self, imported: ImportedKey, candidates: Sequence[KeyDigest]) -> KeyRecord:
        await self._upgrade(imported.record, imported.digest, candidates)
        return imported.record

    async def _upgrade(self, record: KeyRecord, old: KeyDigest, candidates: Sequence[KeyDigest]) -> None:
        async with self.unit() as tx:
            # Where another request was quicker there is nothing left to do.
            await tx.keys.replace_digest(record.key.id, old, candidates[0])


@dataclass(frozen=True, slots=True)
class Authenticate:
    """Tell who is asking, from a key or a token; nobody's credentials make an anonymous caller."""

    keys: FindKey
    usage: KeyUsage
    verifier: TokenVerifier
    ring: SigningRing
    news: SigningKeyNews
    standings: TokenStandings
    policy: CallerPolicy
    clock: Clock

    async def __call__(self, credentials: Credentials, origin: Origin) -> Caller:
        """Raise an Unauthenticated kind with a stable code, or AddressNotAllowed."""
        given = {text for text in (credentials.bearer, credentials.api_key) if text is not None}
        if not given:
            return Caller(Actor(origin=origin), address_subject(origin.address), self.policy.for_anonymous())
        if len(given) > 1:
            raise CredentialsAmbiguous
        text = given.pop()
        now = self.clock.now()
        if credentials.bearer is not None and looks_like_token(text):
            return await self._by_token(text, origin, now)
        record = await self.keys(text)
        if credentials.client_id not in {None, str(record.key.id)}:
            raise KeyUnknown
        return self._by_key(record, origin, now)

    def _by_key(
        self, record: KeyRecord, origin: Origin, now: datetime, scopes: frozenset[str] | None = None, token: str = ""
    ) -> Caller:
        """Let a key in, or a token of its own that grants no more than `scopes`."""
        key = record.key
        verdict = decide(record, now, origin.address)
        if isinstance(verdict, Refuse):
            raise verdict.reason
        self.usage.note(key.id, now)
        notice = (key.rotated_at, key.sunset_at) if key.rotated_at and key.sunset_at else None
        roles = frozenset(map(str, record.owner.roles)) if record.owner else frozenset[str]()
        granted = verdict.scopes if scopes is None else shared_scopes(verdict.scopes, scopes)
        names = [key_name(key.id)]
        if token:
            names.append(key_token_name(key.id, token))
        if record.owner is not None:
            names.append(key_rights_name(key.id, record.owner.version))
        return Caller(
            Actor(key.owner_id, key.id, granted, roles, origin, key.family_id),
            key_name(key.family_id),
            self.policy.for_key(key),
            revocation=tuple(names),
            notice=notice,
        )

    async def claims(self, text: str, now: datetime) -> Claims:
        """Check a token; one of a key that another process has made a moment ago is no stranger's."""
        try:
            return self.verifier.verify(text, now)
        except TokenInvalid:
            if not self.ring.lacks(text):
                raise
        await self.news.look()
        return self.verifier.verify(text, now)

    async def _by_token(self, text: str, origin: Origin, now: datetime) -> Caller:
        claims = await self.claims(text, now)
        if claims.key_id is not None:
            found = await self.keys.lookup.by_id(claims.key_id)
            if found is None or await self.standings.refused(claims.token_id):
                raise TokenRevoked
            return self._by_key(found, origin, now, claims.scopes, claims.token_id)
        user_id, session_id = claims.subject, claims.session_id
        standing = await self.standings.find(user_id, session_id, claims.token_id)
        scopes = token_rights(claims, standing)
        roles = frozenset(map(str, standing.roles)) if standing else frozenset[str]()
        version = standing.version if standing else 0
        names = [user_name(user_id), token_name(user_id, claims.token_id), rights_name(user_id, version)]
        if session_id is not None:
            names.append(session_name(user_id, session_id))
        return Caller(
            Actor(user_id, None, scopes, roles, origin, session_id=session_id),
            user_name(user_id),
            self.policy.for_person(),
            revocation=tuple(names),
            issued_at=claims.issued_at,
            proof=proof_of(claims, standing),
        )


@dataclass(frozen=True, slots=True)
class ForgetCaller:
    """Let a caller be looked up anew, whom the rate gate refuses as who they were."""

    keys: RememberedKeys
    standings: RememberedStandings

    def __call__(self, caller: Caller) -> None:
        """What was remembered of the key or of the person is not used any more."""
        actor = caller.actor
        if actor.key_id is not None:
            self.keys.outdate(actor.key_id)
        elif actor.user_id is not None:
            self.standings.outdate(actor.user_id)
