"""Every refusal as a problem document (RFC 9457): the only place that knows a status for an error."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import ceil

import msgspec
from litestar.exceptions import HTTPException, ValidationException

from opora.api import errors as edge
from opora.api import rate_headers
from opora.core.access.errors import StepUpNeeded
from opora.core.kernel import errors as kernel

MEDIA_TYPE = "application/problem+json"
WAIT_MAX_S = 366 * 86_400
BASE_URL = "https://opora.dev/problems/"
BEARER = (b"www-authenticate", b'Bearer realm="opora"')
BEARER_INVALID = (b"www-authenticate", b'Bearer realm="opora", error="invalid_token"')

STATUS: dict[type[kernel.DomainError], int] = {
    edge.BodyTooSlow: 408,
    edge.UrlTooLong: 414,
    edge.HeadersTooLarge: 431,
    edge.MethodNotAllowed: 405,
    edge.NotAcceptable: 406,
    edge.UnsupportedMediaType: 415,
    edge.PreconditionFailed: 412,
    edge.UnsatisfiableRange: 416,
    edge.InternalFault: 500,
    edge.BadRequest: 400,
    kernel.Invalid: 422,
    kernel.Unauthenticated: 401,
    kernel.PaymentRequired: 402,
    kernel.PermissionDenied: 403,
    kernel.NotFound: 404,
    kernel.Conflict: 409,
    kernel.Gone: 410,
    kernel.TooLarge: 413,
    kernel.WrongMedia: 415,
    kernel.LimitExceeded: 429,
    kernel.Unavailable: 503,
}
"""The status of each kind; a subclass has the status of its nearest ancestor here."""

FROM_HTTP: dict[int, type[kernel.DomainError]] = {
    400: edge.BadRequest,
    401: kernel.Unauthenticated,
    403: kernel.PermissionDenied,
    404: edge.NoSuchRoute,
    405: edge.MethodNotAllowed,
    406: edge.NotAcceptable,
    409: edge.RequestConflict,
    410: kernel.Gone,
    412: edge.PreconditionFailed,
    413: edge.BodyTooLarge,
    415: edge.UnsupportedMediaType,
    416: edge.UnsatisfiableRange,
    422: edge.ValidationFailed,
    429: kernel.LimitExceeded,
    503: kernel.Unavailable,
}
"""The error that stands for a status raised by Litestar's own exceptions."""

_MISSING = re.compile(r"Missing required (\w+) parameter '([^']+)'")
_RESERVED = frozenset({"type", "title", "status", "detail", "instance", "code", "trace_id", "errors"})


@dataclass(frozen=True, slots=True)
class Problem:
    """A refusal, ready to be written: `members` are the extension members, `headers` go out beside it."""

    status: int
    code: str
    title: str
    detail: str
    members: Mapping[str, object] = field(default_factory=dict)
    headers: tuple[tuple[bytes, bytes], ...] = ()
    media_type: str = MEDIA_TYPE

    def body(self, base_url: str, instance: str, trace_id: str) -> bytes:
        """Return the JSON document; `base_url` and the code make its type."""
        document: dict[str, object] = {
            "type": base_url + self.code,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "instance": instance,
            "code": self.code,
            "trace_id": trace_id,
        }
        document.update(self.members)
        return msgspec.json.encode(document, enc_hook=str)

    def line(self, base_url: str, trace_id: str) -> bytes:
        """Return the document for a header, for gateways that pass on no body of whom they ask."""
        document = msgspec.json.decode(self.body(base_url, "", trace_id))
        document.pop("instance", None)
        return json.dumps(document, separators=(",", ":")).encode("ascii")


def title(kind: type[kernel.DomainError]) -> str:
    """Return the first line of an error's docstring."""
    return (kind.__doc__ or kind.__name__).strip().split("\n", maxsplit=1)[0]


def status(kind: type[kernel.DomainError]) -> int:
    """Return the status of an error's nearest ancestor in the table; 500 for an error of no kind."""
    return next((STATUS[ancestor] for ancestor in kind.__mro__ if ancestor in STATUS), 500)


def problem(error: BaseException) -> Problem:
    """Return the refusal that an exception stands for; whatever nobody named is a 500 without its text."""
    named = translated(error)
    kind = type(named)
    facts = {name: value for name, value in named.facts.items() if name not in _RESERVED}
    if isinstance(named, kernel.Invalid) and named.errors:
        facts["errors"] = named.errors
    return Problem(status(kind), named.code, title(kind), str(named), facts, _headers(named))


def translated(error: BaseException) -> kernel.DomainError:
    """Return the named error for any exception: domain errors as they are, Litestar's and the system's by table."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        # Streams run in a task group, which wraps what happened in it.
        error = error.exceptions[0]
    if isinstance(error, kernel.DomainError):
        return error
    if isinstance(error, ValidationException):
        return _validation(error)
    if isinstance(error, HTTPException):
        return _from_http(error)
    if isinstance(error, (ConnectionError, TimeoutError)):
        return kernel.Unavailable("A system Opora depends on does not answer.")
    return edge.InternalFault()


def _from_http(error: HTTPException) -> kernel.DomainError:
    kind = FROM_HTTP.get(error.status_code)
    if kind is None:
        kind = edge.BadRequest if 400 <= error.status_code < 500 else edge.InternalFault  # noqa: PLR2004
    allowed = (error.headers or {}).get("allow")
    if kind is edge.MethodNotAllowed and allowed:
        return kind(allowed=sorted(part.strip() for part in allowed.split(",")))
    # Litestar's own words may quote the request's text; the title says enough.
    return kind()


def _validation(error: ValidationException) -> kernel.DomainError:
    missing = _MISSING.search(error.detail)
    if missing:
        return edge.ValidationFailed(errors={missing[2]: ["is required"]})
    faults: dict[str, list[str]] = {}
    entries = error.extra if isinstance(error.extra, list) else []
    if entries and all(isinstance(entry, dict) and entry.get("source") == "path" for entry in entries):
        return kernel.NotFound()
    for entry in entries:
        if isinstance(entry, dict):
            key, message = str(entry.get("key", "body")), str(entry.get("message", "is not valid"))
            if key == "data":
                key, message = "body", "is required" if message == "'data'" else message
            faults.setdefault(key, []).append(message)
    return edge.ValidationFailed(errors=faults or {"body": ["is not valid"]})


def _headers(error: kernel.DomainError) -> tuple[tuple[bytes, bytes], ...]:
    if isinstance(error, kernel.Unauthenticated):
        return (_challenge(error),)
    if isinstance(error, (kernel.Unavailable, kernel.LimitExceeded, kernel.StillRunning)):
        return ((b"retry-after", b"%d" % _wait_s(error)), *_limit(error))
    if isinstance(error, edge.MethodNotAllowed):
        allowed = error.facts.get("allowed")
        if isinstance(allowed, list):
            return ((b"allow", ", ".join(map(str, allowed)).encode("ascii", "replace")),)
    if isinstance(error, edge.UnsatisfiableRange) and "size" in error.facts:
        return ((b"content-range", f"bytes */{error.facts['size']}".encode("ascii")),)
    return ()


def _challenge(error: kernel.Unauthenticated) -> tuple[bytes, bytes]:
    """Return what asks for other credentials (RFC 6750 section 3; for a fresh sign-in RFC 9470 section 3)."""
    if isinstance(error, StepUpNeeded):
        value = f'Bearer realm="opora", error="insufficient_user_authentication", max_age={error.facts["max_age"]}'
        return (b"www-authenticate", value.encode("ascii"))
    return BEARER if type(error) is kernel.Unauthenticated else BEARER_INVALID


def _limit(error: kernel.DomainError) -> list[tuple[bytes, bytes]]:
    """Return the plain limit fields of a limit of the use case's own; the door tells of its limits by itself."""
    limit, remaining = error.facts.get("limit"), error.facts.get("remaining")
    is_told = isinstance(error, (edge.RateLimited, edge.TooManyFailures))
    if is_told or not isinstance(error, kernel.LimitExceeded) or not isinstance(limit, int):
        return []
    reset_at = _instant(error.facts.get("reset_at"))
    reset_s = _wait_s(error) if reset_at is None else max(1.0, (reset_at - datetime.now(UTC)).total_seconds())
    return rate_headers.plain(limit, remaining if isinstance(remaining, int) else 0, reset_s)


def _instant(told: object) -> datetime | None:
    if isinstance(told, str):
        told = datetime.fromisoformat(told)
    return told if isinstance(told, datetime) else None


def _wait_s(error: kernel.DomainError) -> int:
    """Whole seconds until asking again has a point: what the error says, a limit's `reset_at`, at least one."""
    if isinstance(error, kernel.Unavailable):
        return max(1, ceil(error.retry_after_s))
    wait_s, reset_at = error.facts.get("retry_after_s"), _instant(error.facts.get("reset_at"))
    if isinstance(wait_s, (int, float)):
        return max(1, ceil(min(wait_s, WAIT_MAX_S)))
    if reset_at is not None:
        return max(1, ceil((reset_at - datetime.now(UTC)).total_seconds()))
    return 1
