"""What an access token must say, and what becomes of a refresh token."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from urllib.parse import urlsplit

from opora.core.access.errors import ScopeBeyondGrant, TokenExpired, TokenInvalid, TokenRevoked
from opora.core.access.model.keys import ApiKey
from opora.core.access.model.people import RefreshToken, Session, User
from opora.core.access.model.proofs import Proof
from opora.core.access.model.scopes import scopes_of, shared_scopes
from opora.core.access.model.tokens import NOBODY, Algorithm, Claims, TokenStanding
from opora.core.access.rules.scopes import unknown_scopes
from opora.core.kernel.rules import instant

ACCESS_TOKEN_TYPE = "at+jwt"  # noqa: S105  # a media type
"""RFC 9068 section 2.1: tells access tokens from every other JWT."""


@dataclass(frozen=True, slots=True)
class TokenPolicy:
    """How long tokens and sessions live, and who signs for whom."""

    issuer: str = "opora"
    audience: str = "opora"
    algorithm: Algorithm = Algorithm.RS256
    access_ttl_s: int = 15 * 60
    refresh_ttl_s: int = 14 * 24 * 3600
    session_ttl_s: int = 90 * 24 * 3600
    refresh_grace_s: int = 10
    leeway_s: int = 30

    @property
    def refusal_s(self) -> int:
        """How long what was taken back must be refused by name: until the last token of it has expired."""
        return self.access_ttl_s + self.leeway_s


def claims_for(user: User, session: Session, token_id: str, now: datetime, policy: TokenPolicy) -> Claims:
    """Return what a new access token of the session says; its times are whole seconds."""
    second = now.replace(microsecond=0)
    return Claims(
        issuer=policy.issuer,
        audience=policy.audience,
        subject=user.id,
        client_id=policy.audience,
        issued_at=second,
        not_before=second,
        expires_at=second + timedelta(seconds=policy.access_ttl_s),
        token_id=token_id,
        scopes=session_scopes(user, session),
        roles=user.roles,
        session_id=session.id,
        authenticated_at=session.created_at.replace(microsecond=0),
        methods=session.methods,
    )


def claims_for_key(key: ApiKey, scopes: frozenset[str], token_id: str, now: datetime, policy: TokenPolicy) -> Claims:
    """Return what a token says that a key asks for in its own name."""
    second = now.replace(microsecond=0)
    return Claims(
        issuer=policy.issuer,
        audience=policy.audience,
        subject=NOBODY,
        client_id=str(key.id),
        issued_at=second,
        not_before=second,
        expires_at=second + timedelta(seconds=policy.access_ttl_s),
        token_id=token_id,
        scopes=scopes,
        key_id=key.id,
    )


def refuse_beyond_grant(wanted: frozenset[str], granted: frozenset[str]) -> None:
    """Raise ScopeBeyondGrant unless every wanted scope is granted."""
    beyond = sorted(wanted - shared_scopes(granted, wanted))
    if beyond or unknown_scopes(wanted):
        raise ScopeBeyondGrant(f"not granted here: {', '.join(beyond or sorted(wanted))}", scopes=beyond)


def session_scopes(user: User, session: Session) -> frozenset[str]:
    """Return what the tokens of a session grant: all that the user's roles do, or what of it was asked for."""
    granted = scopes_of(user.roles)
    return granted if session.scopes is None else shared_scopes(granted, session.scopes)


def refuse_bad_claims(claims: Claims, now: datetime, policy: TokenPolicy) -> None:
    """Raise TokenInvalid or TokenExpired unless the token is ours, for us and of this time, give or take the leeway."""
    leeway = timedelta(seconds=policy.leeway_s)
    if not same_service(claims.issuer, policy.issuer) or claims.audience != policy.audience:
        raise TokenInvalid("the token is not of this issuer and for this audience")
    if now >= claims.expires_at + leeway:
        raise TokenExpired(expired_at=instant(claims.expires_at))
    if max(claims.not_before, claims.issued_at) > now + leeway:
        raise TokenInvalid("the token is not valid yet")


@lru_cache(maxsize=64)
def same_service(issuer: str, ours: str) -> bool:
    """Tell whether an issuer is this service; of an address the port does not count.

    Processes of one machine that were not told the public address name their own, and share the keys that sign.
    """
    if issuer == ours:
        return True
    try:
        one, other = urlsplit(issuer), urlsplit(ours)
        return bool(one.hostname) and (one.scheme, one.hostname, one.path) == (other.scheme, other.hostname, other.path)
    except ValueError:
        return False


def token_rights(claims: Claims, standing: TokenStanding | None) -> frozenset[str]:
    """Return what a token grants now: its scopes, as far as its owner still holds them; raise TokenRevoked."""
    if standing is None or standing.revoked or not standing.is_active:
        raise TokenRevoked
    # A token's times are whole seconds: one of the epoch's own second may be younger than the epoch.
    if standing.epoch_at is not None and claims.issued_at < standing.epoch_at.replace(microsecond=0):
        raise TokenRevoked
    return shared_scopes(scopes_of(standing.roles), claims.scopes)


def proof_of(claims: Claims, standing: TokenStanding | None) -> Proof:
    """Return when and how the token's owner proved who they are; a token that does not say is as old as can be."""
    at = claims.authenticated_at or datetime.min.replace(tzinfo=claims.issued_at.tzinfo)
    return Proof(at, claims.methods, standing is not None and standing.has_second_factor)


class SpentToken(StrEnum):
    """What a refresh token that was used before means when it comes again."""

    REPEAT = "repeat"
    REUSE = "reuse"


def judge_spent(token: RefreshToken, now: datetime, policy: TokenPolicy) -> SpentToken:
    """Tell a client whose answer was lost from a thief: by the time since the token was spent."""
    used_at = token.used_at or now
    return SpentToken.REPEAT if now - used_at <= timedelta(seconds=policy.refresh_grace_s) else SpentToken.REUSE


def refresh_expiry(session: Session, now: datetime, policy: TokenPolicy) -> datetime:
    """Return until when a refresh token issued now may be used; the session's end is the end of all."""
    return min(now + timedelta(seconds=policy.refresh_ttl_s), session.expires_at)
