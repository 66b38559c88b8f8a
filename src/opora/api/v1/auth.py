"""HTTP face of coming in, staying and leaving, and of the keys that tokens are checked with."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any
from urllib.parse import parse_qsl

import msgspec
from dishka import FromDishka
from litestar import Controller, Request, Response, get, post
from litestar.datastructures import ResponseHeader
from litestar.openapi.spec import (
    OpenAPIMediaType,
    OpenAPIType,
    Operation,
    Reference,
    RequestBody,
    Schema,
)
from litestar.params import JSONBody
from msgspec import Meta, Struct

from opora.api.bodies import JSON
from opora.api.cookies import REFRESH, BrowserCookies, cleared
from opora.api.decoding import Shape
from opora.api.details import details
from opora.api.errors import ValidationFailed
from opora.api.policy import EXEMPT, PUBLIC, SIGNED_IN, UNREPEATABLE, takes
from opora.api.values import Secret
from opora.core.access.model.tokens import KeyPurpose, TokenPair
from opora.core.access.ports.tokens import SigningKeyNews, SigningRing
from opora.core.access.usecases.login import LogIn
from opora.core.access.usecases.sessions import LogOut, RefreshSession
from opora.core.kernel.errors import Unavailable
from opora.core.kernel.model import Actor

FORM = "application/x-www-form-urlencoded"
FORM_FIELDS_MAX = 20
JWKS_MAX_AGE_S = 300
KEY_SET = {
    "type": "object",
    "required": ["keys"],
    "properties": {"keys": {"type": "array", "items": {"type": "object"}}},
}
NO_STORE = [ResponseHeader(name="cache-control", value="no-store")]
"""RFC 6749 section 5.1 asks for it on every answer with a token."""

BY_SECRET = {**PUBLIC, **details(refusals=(401,))}
"""Open to anyone, for what is sent in the body is the proof."""
LoginName = Annotated[str, Meta(min_length=1, max_length=320)]


class Login(Struct, frozen=True, forbid_unknown_fields=True):
    """An address, under either name, and the password."""

    password: Secret
    email: LoginName | None = None
    username: LoginName | None = None


class Refresh(Struct, frozen=True, forbid_unknown_fields=True):
    """The refresh token to be spent; left out where a cookie brings it."""

    refresh_token: Annotated[str, Meta(min_length=1, max_length=256)] | None = None


LOGIN = Shape(Login, None)


@dataclass
class LoginOperation(Operation):
    """Describes the body of a log-in, which its handler reads itself because it comes in either of two forms."""

    def __post_init__(self) -> None:
        text = Schema(type=OpenAPIType.STRING)
        person = {"email": text, "username": text, "password": text}
        form = {name: person[name] for name in ("username", "password")}
        form |= {"grant_type": Schema(const="password"), "scope": text, "client_id": text, "client_secret": text}
        self.request_body = RequestBody(
            {"application/json": _described(person, ["password"]), FORM: _described(form, ["username", "password"])},
            required=True,
        )


def _described(properties: Mapping[str, Schema | Reference], required: list[str]) -> OpenAPIMediaType:
    return OpenAPIMediaType(Schema(type=OpenAPIType.OBJECT, properties=dict(properties), required=required))


class AuthController(Controller):
    """Sessions: begun with a password, prolonged with refresh tokens, ended by leaving."""

    path = "/auth"
    tags = ["Sessions"]  # noqa: RUF012  # Litestar reads a plain list

    @post(
        "/login",
        status_code=200,
        opt={**BY_SECRET, **takes(JSON, FORM)},
        response_headers=NO_STORE,
        operation_class=LoginOperation,
    )
    async def log_in(
        self,
        request: Request[Any, Any, Any],
        actor: FromDishka[Actor],
        log_in: FromDishka[LogIn],
        browser: FromDishka[BrowserCookies],
    ) -> Response[TokenPair]:
        """Log in with JSON (`email` or `username`, `password`) or with the OAuth2 password form."""
        name, password = await login_of(request)
        device = browser.device(request)
        return browser.answer(await log_in(name, password, actor.origin, device), device)

    @post("/refresh", status_code=200, opt=BY_SECRET, response_headers=NO_STORE)
    async def refresh(
        self,
        request: Request[Any, Any, Any],
        data: JSONBody[Refresh],
        actor: FromDishka[Actor],
        refresh: FromDishka[RefreshSession],
        browser: FromDishka[BrowserCookies],
    ) -> Response[TokenPair]:
        """Spend a refresh token for a new pair; repeated within ten seconds it gives the same refresh token again."""
        sent = data.refresh_token
        if sent is not None:
            return browser.answer(await refresh(sent, actor.origin), None)
        kept = browser.refresh_token(request)
        if kept is None:
            raise ValidationFailed(errors={"refresh_token": ["is required"]})
        return browser.answer(await refresh(kept, actor.origin), browser.device(request))

    @post("/logout", status_code=204, opt={**SIGNED_IN, **UNREPEATABLE})
    async def log_out(
        self, request: Request[Any, Any, Any], actor: FromDishka[Actor], log_out: FromDishka[LogOut]
    ) -> Response[None]:
        """End the session of the access token; it and its family are refused from now on."""
        _, _, token = request.headers.get("authorization", "").partition(" ")
        await log_out(token.strip(), actor.origin)
        return cleared() if REFRESH in request.cookies else Response(None, status_code=204)


class WellKnownController(Controller):
    """What is published of this service under names that are known everywhere (RFC 8615)."""

    path = "/.well-known"
    tags = ["Sessions"]  # noqa: RUF012  # Litestar reads a plain list

    @get("/jwks.json", opt={**EXEMPT, **details(media={"application/json": KEY_SET})})
    async def jwks(self, ring: FromDishka[SigningRing], news: FromDishka[SigningKeyNews]) -> Response[bytes]:
        """The public keys that access tokens are checked with (RFC 7517), by `kid`."""
        return await key_set(ring, news, KeyPurpose.ACCESS)

    @get("/identity-jwks.json", opt={**EXEMPT, **details(media={"application/json": KEY_SET})})
    async def identity_jwks(self, ring: FromDishka[SigningRing], news: FromDishka[SigningKeyNews]) -> Response[bytes]:
        """The public keys that X-Opora-Identity is checked with (RFC 7517), by `kid`."""
        return await key_set(ring, news, KeyPurpose.IDENTITY)


async def key_set(ring: SigningRing, news: SigningKeyNews, purpose: KeyPurpose) -> Response[bytes]:
    """Write a key set as of now, for a key is published from the moment it is made, by whichever process made it.

    It may be kept for less time than a new key is published before it signs.
    """
    with suppress(Unavailable):  # what this process knows is better than nothing
        await news.look()
    body = msgspec.json.encode(ring.jwks(purpose))
    headers = {"cache-control": f"public, max-age={JWKS_MAX_AGE_S}", "etag": f'"{sha256(body).hexdigest()[:32]}"'}
    return Response(body, media_type="application/json", headers=headers)


async def login_of(request: Request[Any, Any, Any]) -> tuple[str, str]:
    """Return the name and the password of a JSON body or of the OAuth2 password form (RFC 6749 section 4.3.2)."""
    body = await request.body()
    sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    text = form_fields(body) if sent == FORM else body
    try:
        login: Login = LOGIN.decode(text)
    except ValidationFailed as error:
        raise ValidationFailed(errors=name_faults(msgspec.json.decode(text)) | error.errors) from None
    faults = name_faults(msgspec.structs.asdict(login))
    if faults:
        raise ValidationFailed(errors=faults)
    return login.email or login.username or "", login.password


def name_faults(given: object) -> dict[str, list[str]]:
    """Return what is wrong with the name of a log-in: it is given once, under either of its names."""
    if not isinstance(given, dict) or bool(given.get("email")) != bool(given.get("username")):
        return {}
    return {"email": ["give either `email` or `username`"]}


def form_fields(body: bytes) -> bytes:
    """Return a form's fields as JSON; what else OAuth2 clients send along (scope, client id) is passed over."""
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=FORM_FIELDS_MAX, errors="strict")
        fields = dict(pairs)
        if len(fields) < len(pairs):
            raise ValidationFailed(errors={"body": ["a field was sent twice"]})
    except ValueError as error:
        raise ValidationFailed(errors={"body": ["not a form"]}) from error
    if fields.get("grant_type", "password") != "password":
        raise ValidationFailed(errors={"grant_type": ["only `password`"]})
    wanted = {name: fields[name] for name in ("username", "email", "password") if name in fields}
    return msgspec.json.encode(wanted)
