"""Identities signed for other services: short-lived JWTs for one of them each."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from secrets import token_hex

from opora.adapters.crypto.key_ring import KeyRing, encoded
from opora.adapters.crypto.sealing import AesSeal
from opora.adapters.crypto.signing_keys import base64url, sign
from opora.adapters.crypto.tokens import JwtTokens
from opora.core.access.errors import SigningKeyMissing
from opora.core.access.model.identities import Identity
from opora.core.access.model.tokens import KeyPurpose, SigningKey
from opora.core.access.ports.identities import IdentitySigner
from opora.core.access.ports.tokens import SigningRing
from opora.core.access.rules.identities import IDENTITY_TTL_S, IDENTITY_TYPE


class JwtIdentities(IdentitySigner):
    """Signs on the spot: with ES256 that costs less than a change of threads."""

    def __init__(self, issuer: str, seal: AesSeal) -> None:
        self._issuer = issuer
        self._ring = KeyRing(seal, KeyPurpose.IDENTITY, IDENTITY_TYPE)

    def take(self, keys: Sequence[SigningKey]) -> None:
        """Work with these keys from now on and no others."""
        self._ring.take(keys)

    def jwks(self) -> Mapping[str, object]:
        """Return the public parts of the keys."""
        return self._ring.jwks()

    def sign(self, identity: Identity, audience: str, now: datetime) -> str:
        key = self._ring.signer
        if key is None:
            raise SigningKeyMissing
        issued_at = int(now.timestamp())
        payload = f"{key.header}.{encoded(written(identity, self._issuer, audience, issued_at))}"
        return f"{payload}.{base64url(sign(key.private, payload.encode()))}"


def written(identity: Identity, issuer: str, audience: str, issued_at_s: int) -> dict[str, object]:
    """Write an identity as claims."""
    values: dict[str, object] = {
        "iss": issuer,
        "aud": audience,
        "sub": identity.subject,
        "iat": issued_at_s,
        "exp": issued_at_s + IDENTITY_TTL_S,
        "jti": token_hex(8),
        "scope": " ".join(sorted(identity.scopes)),
        "roles": sorted(identity.roles),
        "tier": identity.tier,
        "email_verified": identity.email_verified,
    }
    named = {"user_id": identity.user_id, "api_key_id": identity.key_id, "sid": identity.session_id}
    return values | {name: value for name, value in named.items() if value is not None}


class SigningRings(SigningRing):
    """Both kinds of signing keys of a process."""

    def __init__(self, tokens: JwtTokens, identities: JwtIdentities) -> None:
        self._tokens = tokens
        self._identities = identities

    def take(self, keys: Sequence[SigningKey]) -> None:
        self._tokens.take(keys)
        self._identities.take(keys)

    def jwks(self, purpose: KeyPurpose = KeyPurpose.ACCESS) -> Mapping[str, object]:
        return self._tokens.jwks() if purpose is KeyPurpose.ACCESS else self._identities.jwks()

    def lacks(self, text: str) -> bool:
        return self._tokens.lacks(text)
