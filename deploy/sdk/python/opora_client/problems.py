"""How a call can end badly: a problem (RFC 9457) by its status and `code`, no answer, or one that cannot be read."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import msgspec


class OporaError(Exception):
    """Anything that this client raises of a call."""


class NoAnswer(OporaError):
    """The service could not be reached, or the connection broke or was too slow."""


class Unreadable(OporaError):
    """The answer is not what the API document says."""


class Problem(OporaError):
    """A refusal: branch on `code`, show `detail`, quote `trace_id` to whoever runs the service."""

    def __init__(self, status: int, document: Mapping[str, Any], headers: Mapping[str, str]) -> None:
        self.status = status
        self.document = document
        self.headers = headers
        self.code = str(document.get("code") or "unknown")
        self.title = str(document.get("title") or "")
        self.detail = str(document.get("detail") or self.title)
        self.type = str(document.get("type") or "about:blank")
        self.instance = str(document.get("instance") or "")
        self.trace_id = str(document.get("trace_id") or "")
        self.errors: Mapping[str, list[str]] = document.get("errors") or {}
        super().__init__(f"{status} {self.code}: {self.detail}")

    @property
    def retry_after_s(self) -> float | None:
        """The seconds after which the service asks to be called again."""
        return seconds_until(self.headers.get("retry-after"))


class BadRequest(Problem):
    """400: the request cannot be read."""


class Unauthenticated(Problem):
    """401: nobody is known to be asking, or the credential is no longer good."""


class PaymentRequired(Problem):
    """402: the balance does not cover it."""


class PermissionDenied(Problem):
    """403: the caller may see this but not do it."""


class NotFound(Problem):
    """404: there is no such thing, or the caller may not see it."""


class Conflict(Problem):
    """409: the present state forbids it."""


class Gone(Problem):
    """410: it was there, but is not kept any more."""


class PreconditionFailed(Problem):
    """412: the record is not in the version that was named."""


class Invalid(Problem):
    """422: fields are at fault; `errors` names every one of them."""


class RateLimited(Problem):
    """429: too many calls; `retry_after_s` says when to come back."""


class Unavailable(Problem):
    """503: the service cannot answer now."""


class Failed(Problem):
    """Another 5xx: the service failed."""


BY_STATUS: dict[int, type[Problem]] = {
    400: BadRequest, 401: Unauthenticated, 402: PaymentRequired, 403: PermissionDenied, 404: NotFound, 409: Conflict,
    410: Gone, 412: PreconditionFailed, 422: Invalid, 429: RateLimited, 503: Unavailable,
}  # fmt: skip


def problem(status: int, content: bytes, headers: Mapping[str, str]) -> Problem:
    """Read a refusal: a problem document, or one in the words of OAuth 2.0 or of OpenAI's API."""
    try:
        read = msgspec.json.decode(content)
    except msgspec.DecodeError:
        read = None
    document = read if isinstance(read, dict) else {}
    refusal = document.get("error")
    if isinstance(refusal, dict):
        document = {**refusal, "detail": refusal.get("message"), "type": refusal.get("doc_url")}
    elif isinstance(refusal, str):
        document = {**document, "code": refusal, "detail": document.get("error_description")}
    kind = BY_STATUS.get(status, Failed if status >= httpx.codes.INTERNAL_SERVER_ERROR else Problem)
    return kind(status, document, headers)


def seconds_until(retry_after: str | None) -> float | None:
    """Read a Retry-After, which is seconds or a date."""
    if not retry_after:
        return None
    if retry_after.strip().isdigit():
        return float(retry_after)
    try:
        when = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    return max(0.0, (when - datetime.now(UTC)).total_seconds()) if when.tzinfo else None
