"""Access tokens after RFC 9068 and the keys that sign them."""

import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

from opora.core.access.model.scopes import Role
from opora.core.kernel.model import Moves

_SHAPE = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+){2}", re.ASCII)
TOKEN_LENGTH_MAX = 8192


def looks_like_token(text: str) -> bool:
    """Tell whether the text has the form of a compact JWS (RFC 7515): three unpadded base64url parts."""
    return len(text) <= TOKEN_LENGTH_MAX and _SHAPE.fullmatch(text) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What an access token says (RFC 9068 section 2.2); times have whole seconds.

    A token that an API key asked for in its own name has its `key_id`, and nobody's id as its subject.
    """

    issuer: str
    audience: str
    subject: int
    client_id: str
    issued_at: datetime
    not_before: datetime
    expires_at: datetime
    token_id: str
    scopes: frozenset[str]
    roles: frozenset[Role] = frozenset()
    session_id: int | None = None
    key_id: int | None = None
    authenticated_at: datetime | None = None
    methods: tuple[str, ...] = ()


NOBODY = 0
"""The subject of a key's own token: no user has this id."""


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What a log-in and a refresh give (RFC 6749 section 5.1)."""

    access_token: str = field(repr=False)
    token_type: str
    expires_in: int
    refresh_token: str = field(repr=False)
    scope: str


@dataclass(frozen=True, slots=True)
class ClientGrant:
    """What a client gets that asks in its own name; it can ask again, so there is nothing to refresh."""

    access_token: str = field(repr=False)
    token_type: str
    expires_in: int
    scope: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Introspection:
    """What is told of a token or key that is good (RFC 7662 section 2.2), with what the gateway tells besides."""

    scopes: frozenset[str]
    subject: str
    client_id: str | None = None
    username: str | None = None
    issued_at: datetime | None = None
    not_before: datetime | None = None
    expires_at: datetime | None = None
    token_id: str | None = None
    issuer: str | None = None
    audience: str | None = None
    user_id: int | None = None
    key_id: int | None = None
    session_id: int | None = None
    roles: frozenset[str] = frozenset()
    tier: str | None = None
    email_verified: bool | None = None


@dataclass(frozen=True, slots=True)
class TokenStanding:
    """What has become of a token since it was signed: its owner as of now, and whether it was taken back.

    `version` is that of the owner's record.
    """

    user_id: int
    roles: frozenset[Role]
    is_active: bool
    epoch_at: datetime | None
    revoked: bool
    has_second_factor: bool = False
    version: int = 0


class Algorithm(StrEnum):
    """How a token is signed (RFC 7518, RFC 8037); a signing key has exactly one."""

    RS256 = "RS256"
    ES256 = "ES256"
    EDDSA = "EdDSA"


class KeyPurpose(StrEnum):
    """What a signing key signs; a key has exactly one, and each has a published set of its own."""

    ACCESS = "access"
    IDENTITY = "identity"


class SigningKeyState(StrEnum):
    """Where a signing key is in its life; the public part of each is published."""

    PENDING = "pending"
    ACTIVE = "active"
    RETIRED = "retired"


SIGNING_KEY_MOVES = Moves(
    {
        SigningKeyState.PENDING: frozenset({SigningKeyState.ACTIVE, SigningKeyState.RETIRED}),
        SigningKeyState.ACTIVE: frozenset({SigningKeyState.RETIRED}),
        SigningKeyState.RETIRED: frozenset(),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A pair that signs and checks access tokens.

    `id` is the RFC 7638 thumbprint of its public part and the `kid` of its tokens; `public_jwk` is JSON text
    (RFC 7517), `private_sealed` the private part encrypted. A pending key is published and signs from `activates_at`
    on, when everybody who checks has read it. A retired key signs nothing but checks until `retires_at`, when the last
    token it signed is gone.
    """

    id: str
    algorithm: Algorithm
    state: SigningKeyState
    public_jwk: str
    private_sealed: bytes = field(repr=False)
    created_at: datetime
    purpose: KeyPurpose = KeyPurpose.ACCESS
    activates_at: datetime | None = None
    retires_at: datetime | None = None
    version: int = 1

    def move(self, target: SigningKeyState) -> Self:
        """Return the key in its next state; raise IllegalMove where the table has none."""
        SIGNING_KEY_MOVES.check(self.state, target)
        return replace(self, state=target, version=self.version + 1)

    def published(self, now: datetime) -> bool:
        """Tell whether tokens of this key may still be about."""
        return self.retires_at is None or now < self.retires_at
