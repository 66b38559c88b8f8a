"""Access tokens as JWS (RFC 7515) with the claims of RFC 9068."""

import asyncio
import contextlib
import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from opora.adapters.crypto.key_ring import KeyRing, encoded
from opora.adapters.crypto.sealing import AesSeal
from opora.adapters.crypto.signing_keys import base64url, sign, signature_holds, unbase64url
from opora.adapters.crypto.threads import BoundedThreads
from opora.core.access.errors import SigningKeyMissing, TokenInvalid, TokenMalformed
from opora.core.access.model.scopes import Role
from opora.core.access.model.tokens import NOBODY, Claims, KeyPurpose, SigningKey, looks_like_token
from opora.core.access.ports.tokens import TokenIssuer, TokenVerifier
from opora.core.access.rules.tokens import ACCESS_TOKEN_TYPE, TokenPolicy, refuse_bad_claims

KEY_SUBJECT = "key:"
REMEMBERED_MAX = 10_000
REMEMBERED_FOR = timedelta(seconds=5)


class JwtTokens(TokenIssuer, TokenVerifier):
    """Signs in a thread, checks on the spot, and remembers for seconds what it has checked."""

    def __init__(self, policy: TokenPolicy, seal: AesSeal, threads: BoundedThreads, *, patience_s: float = 0.0) -> None:
        """`patience_s` is how long issuing waits for the first key of all, which takes seconds to make."""
        self._policy = policy
        self._threads = threads
        self._ring = KeyRing(seal, KeyPurpose.ACCESS, ACCESS_TOKEN_TYPE)
        self._patience_s = patience_s
        # By the digest of a token's text; dropped whole when full, and whenever the keys change.
        self._remembered: dict[bytes, tuple[Claims, datetime]] = {}

    def take(self, keys: Sequence[SigningKey]) -> None:
        """Work with these keys from now on and no others."""
        if self._ring.take(keys):
            self._remembered = {}

    def jwks(self) -> Mapping[str, object]:
        """Return the public parts of the keys."""
        return self._ring.jwks()

    def lacks(self, text: str) -> bool:
        """Tell whether a token names a key that is not here."""
        try:
            return (
                looks_like_token(text) and str(_decoded(text.partition(".")[0]).get("kid", "")) not in self._ring.keys
            )
        except TokenMalformed:
            return False

    async def issue(self, claims: Claims) -> str:
        if not self._ring.signs.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ring.signs.wait(), self._patience_s)
        key = self._ring.signer
        if key is None:
            raise SigningKeyMissing
        payload = f"{key.header}.{encoded(_written(claims))}"
        signature = await self._threads.run(lambda: sign(key.private, payload.encode()))
        return f"{payload}.{base64url(signature)}"

    def verify(self, text: str, now: datetime) -> Claims:
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
        remembered = self._remembered.get(digest)
        if remembered is not None and now < remembered[1]:
            claims = remembered[0]
            if now < claims.expires_at:
                return claims
        claims = self._checked(text)
        refuse_bad_claims(claims, now, self._policy)
        if len(self._remembered) >= REMEMBERED_MAX:
            self._remembered.clear()
        self._remembered[digest] = (claims, now + REMEMBERED_FOR)
        return claims

    def _checked(self, text: str) -> Claims:
        if not looks_like_token(text):
            raise TokenMalformed
        payload, _, signature = text.rpartition(".")
        header_text, _, claims_text = payload.partition(".")
        header = _decoded(header_text)
        key = self._ring.keys.get(str(header.get("kid", "")))
        if key is None or header.get("alg") != key.algorithm:
            raise TokenInvalid("no key of this service signed the token")
        # `crit` names extensions that must be understood (RFC 7515 section 4.1.11); there are none here.
        if header.get("typ") != ACCESS_TOKEN_TYPE or "crit" in header:
            raise TokenInvalid("this is no access token")
        if not signature_holds(key.public, _bytes(signature), payload.encode()):
            raise TokenInvalid("the signature does not hold")
        return _read(_decoded(claims_text))


def _bytes(text: str) -> bytes:
    try:
        return unbase64url(text)
    except ValueError as error:
        raise TokenMalformed from error


def _decoded(text: str) -> dict[str, object]:
    try:
        values = json.loads(_bytes(text))
    except (ValueError, RecursionError) as error:
        raise TokenMalformed from error
    if not isinstance(values, dict):
        raise TokenMalformed
    return values


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def _written(claims: Claims) -> dict[str, object]:
    values: dict[str, object] = {
        "iss": claims.issuer,
        "aud": claims.audience,
        "sub": str(claims.subject) if claims.key_id is None else f"{KEY_SUBJECT}{claims.key_id}",
        "client_id": claims.client_id,
        "iat": _seconds(claims.issued_at),
        "nbf": _seconds(claims.not_before),
        "exp": _seconds(claims.expires_at),
        "jti": claims.token_id,
        "scope": " ".join(sorted(claims.scopes)),
        "roles": sorted(role.value for role in claims.roles),
        "amr": list(claims.methods),
    }
    if claims.session_id is not None:
        values["sid"] = str(claims.session_id)
    if claims.authenticated_at is not None:
        values["auth_time"] = _seconds(claims.authenticated_at)
    return values


def _read(values: Mapping[str, object]) -> Claims:
    """Build the claims of a token whose signature holds; what we did not write so is no token of ours."""
    try:
        session, authenticated, subject = values.get("sid"), values.get("auth_time"), _text(values["sub"])
        key_id = int(subject.removeprefix(KEY_SUBJECT)) if subject.startswith(KEY_SUBJECT) else None
        return Claims(
            issuer=_text(values["iss"]),
            audience=_text(values["aud"]),
            subject=int(subject) if key_id is None else NOBODY,
            client_id=_text(values["client_id"]),
            issued_at=_moment(values["iat"]),
            not_before=_moment(values["nbf"]),
            expires_at=_moment(values["exp"]),
            token_id=_text(values["jti"]),
            scopes=frozenset(_text(values["scope"]).split()),
            roles=frozenset(Role(role) for role in _texts(values.get("roles", []))),
            session_id=None if session is None else int(_text(session)),
            key_id=key_id,
            authenticated_at=None if authenticated is None else _moment(authenticated),
            methods=_texts(values.get("amr", [])),
        )
    except (KeyError, TypeError, ValueError, OverflowError, OSError) as error:
        raise TokenInvalid("a claim is missing or is not what it should be") from error


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError("a claim is a text")
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError("a claim is a list of texts")
    return tuple(_text(one) for one in value)


def _moment(value: object) -> datetime:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("a claim is a number of seconds")
    return datetime.fromtimestamp(value, UTC)
