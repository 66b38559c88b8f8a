"""HTTP face of OAuth 2.0: tokens for forms, what a token is, and taking it back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from dishka import FromDishka
from litestar import Controller, Request, Response, get, post
from litestar.datastructures import ResponseHeader
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema
from msgspec import UNSET, Struct, UnsetType

from opora.api import oauth
from opora.api.details import details
from opora.api.policy import EXEMPT, PUBLIC, UNREPEATABLE, needs, takes
from opora.core.access.errors import ClientUnknown, GrantNotAllowed, GrantUnsupported
from opora.core.access.model.scopes import SCOPES
from opora.core.access.model.tokens import ClientGrant, Introspection, TokenPair
from opora.core.access.rules.grants import GrantPolicy
from opora.core.access.usecases.clients import AuthenticateClient, GrantToClient, NarrowGrant
from opora.core.access.usecases.introspection import Introspect, RevokeToken
from opora.core.access.usecases.login import LogIn
from opora.core.access.usecases.sessions import RefreshSession
from opora.core.kernel.model import Actor

NO_STORE = [ResponseHeader(name="cache-control", value="no-store")]
AT_THE_DOOR = {
    **PUBLIC,
    **takes(oauth.FORM),
    "refused_as": oauth.refused_at_the_door,
    **details(refusals=(401,)),
}
REVOKES = {**AT_THE_DOOR, **details(refusals=(401,), is_empty=True)}
TO_CLIENTS = {**UNREPEATABLE, **takes(oauth.FORM), "refused_as": oauth.refused_to_a_client, "takes_basic": True}
BY_SECRET = ("client_secret_basic", "client_secret_post", "none")
HOUR = {"cache-control": "public, max-age=3600"}


class Grant(Struct, frozen=True, omit_defaults=True):
    """A token (RFC 6749 section 5.1)."""

    access_token: str
    token_type: str
    expires_in: int
    scope: str
    refresh_token: str | UnsetType = UNSET


class Told(Struct, frozen=True, omit_defaults=True):
    """What a token is (RFC 7662 section 2.2); of one that is no good, that it is not active and nothing else."""

    active: bool
    scope: str | UnsetType = UNSET
    client_id: str | UnsetType = UNSET
    username: str | UnsetType = UNSET
    token_type: str | UnsetType = UNSET
    exp: int | UnsetType = UNSET
    iat: int | UnsetType = UNSET
    nbf: int | UnsetType = UNSET
    sub: str | UnsetType = UNSET
    aud: str | UnsetType = UNSET
    iss: str | UnsetType = UNSET
    jti: str | UnsetType = UNSET
    user_id: int | UnsetType = UNSET
    api_key_id: int | UnsetType = UNSET
    sid: int | UnsetType = UNSET
    roles: list[str] | UnsetType = UNSET
    subscription_tier: str | UnsetType = UNSET
    email_verified: bool | UnsetType = UNSET


class Metadata(Struct, frozen=True):
    """Where and how tokens are given out (RFC 8414 section 2)."""

    issuer: str
    token_endpoint: str
    jwks_uri: str
    introspection_endpoint: str
    revocation_endpoint: str
    service_documentation: str
    grant_types_supported: tuple[str, ...]
    scopes_supported: tuple[str, ...]
    response_types_supported: tuple[str, ...] = ()
    token_endpoint_auth_methods_supported: tuple[str, ...] = BY_SECRET
    revocation_endpoint_auth_methods_supported: tuple[str, ...] = BY_SECRET
    introspection_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


@dataclass
class FormOperation(Operation):
    """Describes a form that its handler reads itself."""

    fields: ClassVar[tuple[str, ...]] = ()
    wanted: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        text = {name: Schema(type=OpenAPIType.STRING) for name in self.fields}
        form = Schema(type=OpenAPIType.OBJECT, properties=dict(text), required=list(self.wanted))
        self.request_body = RequestBody({oauth.FORM: OpenAPIMediaType(form)}, required=True)


@dataclass
class TokenOperation(FormOperation):
    """Describes what asks for a token."""

    fields: ClassVar[tuple[str, ...]] = (
        "grant_type",
        "username",
        "password",
        "refresh_token",
        "scope",
        "client_id",
        "client_secret",
    )
    wanted: ClassVar[tuple[str, ...]] = ("grant_type",)


@dataclass
class OneTokenOperation(FormOperation):
    """Describes what is about a token."""

    fields: ClassVar[tuple[str, ...]] = ("token", "token_type_hint", "client_id", "client_secret")
    wanted: ClassVar[tuple[str, ...]] = ("token",)


class OAuthController(Controller):
    """OAuth 2.0 (RFC 6749, 7009, 7662): an API key is a client, its id the client's id and its text the secret."""

    path = "/"
    tags = ["OAuth 2.0"]  # noqa: RUF012  # Litestar reads a plain list

    @post("/token", status_code=200, opt=AT_THE_DOOR, response_headers=NO_STORE, operation_class=TokenOperation)
    async def token(
        self,
        request: Request[Any, Any, Any],
        actor: FromDishka[Actor],
        policy: FromDishka[GrantPolicy],
        log_in: FromDishka[LogIn],
        refresh: FromDishka[RefreshSession],
        narrow: FromDishka[NarrowGrant],
        to_client: FromDishka[GrantToClient],
    ) -> Grant:
        """Give a token for a password (of this service's own users), a refresh token, or a client's own name."""
        fields = await oauth.form(request)
        client, scopes = oauth.client_of(request, fields), oauth.scopes_of(fields)
        match oauth.needed(fields, "grant_type", 64):
            case "password" if policy.by_password:
                if client is not None:
                    raise GrantNotAllowed("passwords are for this service itself: send no client secret")
                name, password = oauth.needed(fields, "username", 320), oauth.needed(fields, "password", 1024)
                pair = await log_in(name, password, actor.origin)
                return granted(pair if scopes is None else await narrow(pair, scopes, whole_session=True))
            case "refresh_token":
                pair = await refresh(oauth.needed(fields, "refresh_token", 256), actor.origin)
                return granted(pair if scopes is None else await narrow(pair, scopes, whole_session=False))
            case "client_credentials":
                if client is None:
                    raise ClientUnknown("send the key's id and the key, by Basic or as client_id and client_secret")
                return granted(await to_client(*client, actor.origin, scopes))
        raise GrantUnsupported

    @post(
        "/oauth/introspect",
        status_code=200,
        opt={**needs("tokens:introspect"), **TO_CLIENTS},
        response_headers=NO_STORE,
        operation_class=OneTokenOperation,
    )
    async def introspect(self, request: Request[Any, Any, Any], introspect: FromDishka[Introspect]) -> Told:
        """Tell what an access token, a refresh token or an API key is good for now."""
        fields = await oauth.form(request)
        return told(await introspect(oauth.needed(fields, "token")))

    @post("/oauth/revoke", status_code=200, opt=REVOKES, operation_class=OneTokenOperation)
    async def revoke(
        self,
        request: Request[Any, Any, Any],
        actor: FromDishka[Actor],
        authenticate: FromDishka[AuthenticateClient],
        revoke: FromDishka[RevokeToken],
    ) -> Response[bytes]:
        """Take a token back: who holds it may; a refresh token takes its session with it."""
        fields = await oauth.form(request)
        client = oauth.client_of(request, fields)
        if client is not None:
            await authenticate(*client, actor.origin)
        await revoke(oauth.needed(fields, "token"), actor.origin)
        return Response(b"", media_type="text/plain")


class MetadataController(Controller):
    """What OAuth clients read before they ask for anything."""

    path = "/.well-known"
    tags = ["OAuth 2.0"]  # noqa: RUF012  # Litestar reads a plain list

    @get("/oauth-authorization-server", opt=EXEMPT)
    async def metadata(self, policy: FromDishka[GrantPolicy]) -> Response[Metadata]:
        """Tell where and how tokens are given out (RFC 8414)."""
        issuer = policy.issuer
        found = Metadata(
            issuer=issuer,
            token_endpoint=f"{issuer}/api/v1/token",
            jwks_uri=f"{issuer}/.well-known/jwks.json",
            introspection_endpoint=f"{issuer}/api/v1/oauth/introspect",
            revocation_endpoint=f"{issuer}/api/v1/oauth/revoke",
            service_documentation=f"{issuer}/docs",
            grant_types_supported=policy.grant_types,
            scopes_supported=tuple(sorted(SCOPES)),
        )
        return Response(found, headers=HOUR)


def granted(given: TokenPair | ClientGrant) -> Grant:
    """Write a grant."""
    refresh = given.refresh_token if isinstance(given, TokenPair) else UNSET
    return Grant(given.access_token, given.token_type, given.expires_in, given.scope, refresh)


def told(found: Introspection | None) -> Told:
    """Write what was found of a token."""
    if found is None:
        return Told(active=False)
    return Told(
        active=True,
        scope=" ".join(sorted(found.scopes)),
        token_type="bearer",  # noqa: S106  # a kind of token
        sub=found.subject,
        roles=sorted(found.roles),
        **_known(
            {
                "client_id": found.client_id,
                "username": found.username,
                "exp": _seconds(found.expires_at),
                "iat": _seconds(found.issued_at),
                "nbf": _seconds(found.not_before),
                "aud": found.audience,
                "iss": found.issuer,
                "jti": found.token_id,
                "user_id": found.user_id,
                "api_key_id": found.key_id,
                "sid": found.session_id,
                "subscription_tier": found.tier,
                "email_verified": found.email_verified,
            }
        ),
    )


def _known(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _seconds(at: datetime | None) -> int | None:
    return None if at is None else int(at.timestamp())
