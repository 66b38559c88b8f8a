"""What the gate reads from a request's headers, and what it refuses to let through."""

import re
from collections.abc import Sequence

from opora.api.basic import basic
from opora.api.errors import AmbiguousCredentials, BadRequest, HeadersTooLarge, IdentityHeader, PreconditionFailed
from opora.core.access.errors import CredentialsAmbiguous
from opora.core.access.model.callers import Credentials

COUNT_MAX = 100
SIZE_MAX_BYTES = 16 * 1024

Headers = Sequence[tuple[bytes, bytes]]

READ = frozenset(
    {
        b"authorization",
        b"x-api-key",
        b"x-request-id",
        b"traceparent",
        b"x-forwarded-for",
        b"user-agent",
        b"origin",
        b"content-length",
        b"content-type",
        b"content-encoding",
        b"transfer-encoding",
        b"idempotency-key",
        b"if-match",
        b"access-control-request-method",
        b"host",
        b"x-gateway-client",
        b"x-gateway-charge",
    }
)
ONCE = frozenset({b"authorization", b"x-api-key", b"idempotency-key", b"content-length", b"content-type", b"host"})
ONCE |= {b"x-gateway-client", b"x-gateway-charge"}
IDENTITY = frozenset(
    {
        b"x-user-id",
        b"x-scopes",
        b"x-roles",
        b"x-subscription-tier",
        b"x-email-verified",
        b"x-auth-method",
        b"x-key-id",
        b"x-api-key-id",
        b"x-opora-identity",
    }
)
"""What the gateway states of a caller. Opora never believes them: a client's own are dropped."""

_OTHER, _READ, _IDENTITY = 0, 1, 2
_kinds: dict[bytes, int] = {**dict.fromkeys(READ, _READ), **dict.fromkeys(IDENTITY, _IDENTITY)}
"""What is known of a header's name: one look-up a header, as most requests bring the same ones."""
_KINDS_MAX = 1000

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,128}")
_TRACEPARENT = re.compile(rb"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?")


class Head:
    """The headers the gate reads, by lower-case name; `identity` tells whether some must be dropped."""

    __slots__ = ("found", "identity")

    def __init__(self, found: dict[bytes, bytes], identity: bool) -> None:
        self.found = found
        self.identity = identity


def read(headers: Headers) -> Head:
    """Return the headers that matter.

    Raises HeadersTooLarge, AmbiguousCredentials for a credential sent twice, BadRequest for another header that may
    stand only once, and IdentityHeader for an identity spelt with `_` or `.`, which servers further on may read as `-`.
    """
    found: dict[bytes, bytes] = {}
    identity = False
    size = 0
    for name, value in headers:
        size += len(name) + len(value)
        kind = _kinds.get(name)
        if kind is _OTHER:
            continue
        if kind is None:
            _meet(name)
        elif kind is _READ:
            found[name] = _again(name, found[name], value) if name in found else value
        else:
            identity = True
    if size > SIZE_MAX_BYTES or len(headers) > COUNT_MAX:
        raise HeadersTooLarge(f"At most {COUNT_MAX} headers of {SIZE_MAX_BYTES} bytes together.")
    return Head(found, identity)


def refuse_tags(head: Head) -> None:
    """Raise PreconditionFailed for an If-Match that names a tag, where a call compares none."""
    if head.found[b"if-match"].strip() != b"*":
        raise PreconditionFailed("This call compares no tags; send no If-Match, or `*`.")


def without_identity(headers: Headers) -> list[tuple[bytes, bytes]]:
    """Return the headers less those that state an identity."""
    return [pair for pair in headers if pair[0] not in IDENTITY]


def credentials(head: Head, *, takes_basic: bool = False) -> Credentials | None:
    """Return the bearer and the key that were sent, or None; schemes other than Bearer are left to the route.

    Raises CredentialsAmbiguous for a key beside such a scheme, and where Basic is taken ClientUnknown.
    """
    found = head.found
    authorization, key = found.get(b"authorization"), found.get(b"x-api-key")
    if authorization is None and key is None:
        return None
    bearer: str | None = None
    if authorization is not None and authorization[:7].lower() == b"bearer ":
        # latin-1 never fails: what is no token is refused as one, not as a fault of ours.
        bearer = authorization[7:].strip().decode("latin-1")
    elif authorization is not None and key is not None:
        raise CredentialsAmbiguous
    elif authorization is not None and takes_basic and authorization[:6].lower() == b"basic ":
        client_id, secret = basic(authorization[6:].decode("latin-1"))
        return Credentials(api_key=secret, client_id=client_id)
    if bearer is None and key is None:
        return None
    return Credentials(bearer, None if key is None else key.strip().decode("latin-1"))


def request_id(head: Head) -> str | None:
    """Return the X-Request-Id that was sent if it is fit for logs and headers."""
    sent = head.found.get(b"x-request-id")
    return sent.decode("ascii") if sent is not None and _REQUEST_ID.fullmatch(sent) else None


def trace_id(head: Head) -> str | None:
    """Return the trace id of a valid W3C traceparent."""
    sent = head.found.get(b"traceparent")
    match = _TRACEPARENT.fullmatch(sent) if sent is not None else None
    return match[1].decode("ascii") if match else None


def _again(name: bytes, first: bytes, second: bytes) -> bytes:
    if name not in ONCE:
        return first + b"," + second
    if name in {b"authorization", b"x-api-key"}:
        raise AmbiguousCredentials(f"{name.decode('ascii').title()} was sent twice.")
    raise BadRequest(f"{name.decode('ascii').title()} was sent twice.")


def _meet(name: bytes) -> None:
    """Judge a name seen for the first time; raises IdentityHeader for another spelling of an identity header."""
    if name.replace(b"_", b"-").replace(b".", b"-") in IDENTITY:
        raise IdentityHeader
    if len(_kinds) < _KINDS_MAX:
        _kinds[name] = _OTHER
