"""What OAuth 2.0 does in ways of its own: forms, clients who prove themselves by Basic, refusals (RFC 6749)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from litestar import Request

from opora.api.basic import basic
from opora.api.errors import UnsupportedMediaType
from opora.api.problems import Problem
from opora.core.access.errors import GrantInvalid

FORM = "application/x-www-form-urlencoded"
FIELDS_MAX = 20
BASIC = (b"www-authenticate", b'Basic realm="opora"')
JSON_TYPE = "application/json"

ERRORS: Mapping[str, tuple[int, str]] = {
    "oauth_client_unknown": (401, "invalid_client"),
    "grant_not_allowed": (400, "unauthorized_client"),
    "grant_invalid": (400, "invalid_request"),
    "grant_unsupported": (400, "unsupported_grant_type"),
    "scope_beyond_grant": (400, "invalid_scope"),
    "token_type_unsupported": (400, "unsupported_token_type"),
}
"""The refusals that RFC 6749 section 5.2 and RFC 7009 section 2.2.1 have words for."""
BY_STATUS: Mapping[int, tuple[int, str]] = {
    401: (400, "invalid_grant"),
    403: (400, "unauthorized_client"),
    422: (400, "invalid_request"),
    429: (429, "temporarily_unavailable"),
    500: (500, "server_error"),
    503: (503, "temporarily_unavailable"),
}
"""What every other refusal becomes; one of no row keeps its status and is an `invalid_request`."""


@dataclass(frozen=True, slots=True)
class OAuthRefusal(Problem):
    """A refusal in the form of RFC 6749 section 5.2."""

    error: str = "invalid_request"
    media_type: str = JSON_TYPE

    def body(self, base_url: str, instance: str, trace_id: str) -> bytes:
        """Return the JSON document; what a problem would tell besides is told too."""
        del instance
        document = {"error": self.error, "error_description": plain(self.detail or self.title)}
        document |= {"error_uri": base_url + self.code, "trace_id": trace_id}
        return msgspec.json.encode({**self.members, **document}, enc_hook=str)


def refused_at_the_door(found: Problem) -> Problem:
    """Return a refusal as an endpoint tells it that lets anybody come and looks at what they bring."""
    status, error = ERRORS.get(found.code) or BY_STATUS.get(found.status) or (found.status, "invalid_request")
    headers = tuple(pair for pair in found.headers if pair[0] != b"www-authenticate")
    if status == 401:  # noqa: PLR2004
        headers += (BASIC,)
    return OAuthRefusal(status, found.code, found.title, found.detail, found.members, headers, error=error)


def refused_to_a_client(found: Problem) -> Problem:
    """Return a refusal as an endpoint for known clients tells it: a problem, with the words of OAuth beside its own."""
    _, error = ERRORS.get(found.code) or BY_STATUS.get(found.status) or (0, "invalid_request")
    error = {401: "invalid_client", 403: "insufficient_scope"}.get(found.status, error)
    headers = (*found.headers, BASIC) if found.status == 401 else found.headers  # noqa: PLR2004
    members = {**found.members, "error": error, "error_description": plain(found.detail or found.title)}
    return Problem(found.status, found.code, found.title, found.detail, members, headers)


def plain(text: str) -> str:
    """Return a text as error_description may hold it: printable ASCII without quotes and backslashes."""
    return "".join(one if " " <= one <= "~" and one not in '"\\' else "'" for one in text)


async def form(request: Request[Any, Any, Any]) -> dict[str, str]:
    """Return the fields of a form that have a value; raise GrantInvalid, or UnsupportedMediaType for no form."""
    sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = await request.body()
    if sent != FORM and (sent or body):
        raise UnsupportedMediaType(f"Send the body as {FORM}.", expected=FORM)
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=FIELDS_MAX, errors="strict")
    except ValueError as error:
        raise GrantInvalid("the body is not a form") from error
    if len(dict(pairs)) < len(pairs):
        raise GrantInvalid("a field was sent twice")
    return {name: value for name, value in pairs if value}


def needed(fields: Mapping[str, str], name: str, length_max: int = 8192) -> str:
    """Return a field; raise GrantInvalid when it is not there or longer than anything it could be."""
    value = fields.get(name)
    if value is None or len(value) > length_max:
        raise GrantInvalid(f"{name} is missing" if value is None else f"{name} is too long")
    return value


def client_of(request: Request[Any, Any, Any], fields: Mapping[str, str]) -> tuple[str, str] | None:
    """Return the id and the secret of a client (RFC 6749 section 2.3.1); None for one without a secret.

    Raises ClientUnknown for what cannot be read, GrantInvalid for a client that proves itself in two ways.
    """
    authorization = request.headers.get("authorization", "")
    if authorization[:6].lower() == "basic ":
        client_id, secret = basic(authorization[6:])
        if "client_secret" in fields and fields["client_secret"] != secret:
            raise GrantInvalid("the client proves itself in two ways")
        return (client_id, secret) if secret else None
    if "client_secret" not in fields:
        return None
    return needed(fields, "client_id", 256), fields["client_secret"]


def scopes_of(fields: Mapping[str, str]) -> frozenset[str] | None:
    """Return the scopes that are asked for, None where none are named."""
    found = frozenset(fields.get("scope", "").split())
    return found or None
