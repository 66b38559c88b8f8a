"""What an access token must say, and what becomes of a refresh token."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from opora.core.access.errors import TokenExpired, TokenInvalid, TokenRevoked
from opora.core.access.model.people import RefreshToken, Session, User
from opora.core.access.model.scopes import scopes_of, shared_scopes
from opora.core.access.model.tokens import Algorithm, Claims, TokenStanding

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
        scopes=scopes_of(user.roles),
        roles=user.roles,
        session_id=session.id,
        authenticated_at=session.created_at.replace(microsecond=0),
        methods=("pwd",),
    )


def refuse_bad_claims(claims: Claims, now: datetime, policy: TokenPolicy) -> None:
    """Raise TokenInvalid or TokenExpired unless the token is ours, for us and of this time, give or take the leeway."""
    leeway = timedelta(seconds=policy.leeway_s)
    if claims.issuer != policy.issuer or claims.audience != policy.audience:
        raise TokenInvalid("the token is not of this issuer and for this audience")
    if now >= claims.expires_at + leeway:
        raise TokenExpired(expired_at=claims.expires_at.isoformat())
    if max(claims.not_before, claims.issued_at) > now + leeway:
        raise TokenInvalid("the token is not valid yet")


def token_rights(claims: Claims, standing: TokenStanding | None) -> frozenset[str]:
    """Return what a token grants now: its scopes, as far as its owner still holds them; raise TokenRevoked."""
    if standing is None or standing.revoked or not standing.is_active:
        raise TokenRevoked
    # A token's times are whole seconds: one of the epoch's own second may be younger than the epoch.
    if standing.epoch_at is not None and claims.issued_at < standing.epoch_at.replace(microsecond=0):
        raise TokenRevoked
    return shared_scopes(scopes_of(standing.roles), claims.scopes)


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
