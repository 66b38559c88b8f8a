"""Checks what Opora's gateway says of a caller: for other services, with nothing but PyJWT beside the standard library.

    verifier = IdentityVerifier("https://opora.internal/.well-known/identity-jwks.json", audience="ai-service")
    caller = verifier.verify(request.headers["X-Opora-Identity"])
    if not caller.may("generate:write"): ...

The other headers of the gateway (`X-User-Id`, `X-Scopes`, …) say the same, and are worth what the network is worth
that they came over. This one cannot be made up. The module imports nothing else of Opora: it may be copied.
"""

import json
import re
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jwt

TYPE = "opora-identity+jwt"
ALGORITHM = "ES256"
KEYS_KEPT_S = 300.0
LOOKS_APART_S = 10.0
"""Between two looks for a key that was not there: made-up keys cost no more."""
TIMEOUT_S = 5.0
LEEWAY_S = 10
ANSWER_BYTES_MAX = 65_536
SHAPE = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+){2}", re.ASCII)
"""Three unpadded parts: PyJWT would take padded ones too, and so several texts for one identity."""
TEXT_LENGTH_MAX = 8192

type KeySet = Mapping[str, Any]


class IdentityRefused(Exception):
    """The text is no identity, is not for this service, or its minute is over."""


class KeysUnavailable(Exception):
    """The published keys could not be read, and none are remembered."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling. A key without an owner has no `user_id`; a person without a key no `api_key_id`."""

    user_id: int | None
    api_key_id: int | None
    scopes: frozenset[str]
    roles: frozenset[str]
    tier: str
    email_verified: bool
    expires_at_s: int

    def may(self, scope: str) -> bool:
        """Tell whether a scope was granted; `admin` grants every scope."""
        return scope in self.scopes or "admin" in self.scopes


class IdentityVerifier:
    """Checks identities for one service; one instance serves all threads of a process."""

    def __init__(
        self,
        keys_url: str,
        audience: str,
        *,
        issuer: str | None = None,
        fetch: Callable[[str], KeySet] | None = None,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """`audience` is what the gateway calls this service (`?upstream=`); `fetch` reads the key set another way."""
        if fetch is None and not keys_url.startswith(("https://", "http://")):
            raise ValueError("the address of the keys begins with https:// or http://")
        self._keys_url = keys_url
        self._audience = audience
        self._issuer = issuer
        self._fetch = fetch or fetched
        self._clock_s = clock_s
        self._lock = threading.Lock()
        self._keys: dict[str, Any] = {}
        self._read_s = float("-inf")
        self._looked_s = float("-inf")

    def verify(self, text: str | None) -> Caller:
        """Return the caller; raise IdentityRefused, or KeysUnavailable when nothing can be told."""
        if not text or len(text) > TEXT_LENGTH_MAX or not SHAPE.fullmatch(text):
            raise IdentityRefused("there is no identity")
        try:
            header = jwt.get_unverified_header(text)
        except jwt.InvalidTokenError as error:
            raise IdentityRefused("this is no identity") from error
        if header.get("typ") != TYPE or header.get("alg") != ALGORITHM or "crit" in header:
            raise IdentityRefused("this is no identity")
        key = self._key(str(header.get("kid", "")))
        if key is None:
            raise IdentityRefused("no published key has signed it")
        try:
            claims = jwt.decode(
                text,
                key,
                algorithms=[ALGORITHM],
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY_S,
                options={"require": ["iss", "aud", "sub", "iat", "exp"], "strict_aud": True},
            )
        except jwt.InvalidTokenError as error:
            raise IdentityRefused(str(error)) from error
        return caller_of(claims)

    def _key(self, key_id: str) -> Any:
        """Return the public key of this id, reading the key set when it is old or lacks the key."""
        now_s = self._clock_s()
        is_old = now_s - self._read_s > KEYS_KEPT_S
        if (is_old or key_id not in self._keys) and now_s - self._looked_s > LOOKS_APART_S:
            with self._lock:
                if now_s - self._looked_s > LOOKS_APART_S:
                    self._looked_s = now_s
                    self._read(now_s)
        if not self._keys:
            raise KeysUnavailable(self._keys_url)
        return self._keys.get(key_id)

    def _read(self, now_s: float) -> None:
        try:
            found = self._fetch(self._keys_url)
            keys = {key["kid"]: jwt.PyJWK(key, ALGORITHM).key for key in found["keys"] if key.get("alg") == ALGORITHM}
        except (OSError, ValueError, KeyError, TypeError, jwt.PyJWTError):
            return  # what is remembered goes on counting: an outage of the key set is none of this service
        self._keys = keys
        self._read_s = now_s


def fetched(url: str) -> KeySet:
    """Read a key set over HTTP; raise OSError or ValueError."""
    with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:  # noqa: S310  # the scheme was checked
        found: KeySet = json.loads(answer.read(ANSWER_BYTES_MAX))
        return found


def caller_of(claims: Mapping[str, Any]) -> Caller:
    """Read the claims of an identity whose signature holds."""
    try:
        user_id, key_id = claims.get("user_id"), claims.get("api_key_id")
        return Caller(
            user_id=None if user_id is None else int(user_id),
            api_key_id=None if key_id is None else int(key_id),
            scopes=frozenset(str(claims.get("scope", "")).split()),
            roles=frozenset(map(str, claims.get("roles", []))),
            tier=str(claims.get("tier", "")),
            email_verified=claims.get("email_verified") is True,
            expires_at_s=int(claims["exp"]),
        )
    except (TypeError, ValueError) as error:
        raise IdentityRefused("a claim is not what it should be") from error
