"""One prefix rule instead of three sets of routes: `/v1/x`, `/api/x` and `/api/v1/x` are one route."""

import re
from functools import lru_cache

from opora.api.errors import MalformedPath, UrlTooLong

PATH_MAX = 4096
"""Longest path, in characters after percent-decoding."""

_VERSION = re.compile(r"v\d{1,4}(?=/|$)")
ALIASES = {
    "/token": "/api/v1/token",
    "/oauth/introspect": "/api/v1/oauth/introspect",
    "/oauth/revoke": "/api/v1/oauth/revoke",
    "/authz/forward": "/api/v1/authz/forward",
    "/api/v1/openapi.json": "/openapi.json",
    "/api/v1/.well-known/jwks.json": "/.well-known/jwks.json",
    "/api/v1/.well-known/oauth-authorization-server": "/.well-known/oauth-authorization-server",
}
"""Addresses that answer at another one too."""
CALENDAR = ".ics"
"""The end of a calendar's address: `/appointments/5.ics` is `/appointments/5/ics`, for programs that go by the end."""


def canonical(path: str, newest: str = "v1") -> str:
    """Return the one address of a route: versioned prefix, no slash at the end.

    `newest` is the version that an unversioned `/api/x` means. Raises MalformedPath for NUL and undecodable bytes,
    UrlTooLong past the bound.
    """
    if len(path) > PATH_MAX:
        raise UrlTooLong(f"At most {PATH_MAX} characters.")
    if not path.isprintable() or "\ufffd" in path:
        raise MalformedPath
    if path[-1:] == "/":
        path = path.rstrip("/") or "/"
    if path.startswith("/api/"):
        if not path.startswith("/api/v1/") and not _VERSION.match(path, 5):
            path = f"/api/{newest}/{path[5:]}"
    elif _VERSION.match(path, 1):
        path = "/api" + path
    if path.endswith(CALENDAR) and path.startswith("/api/"):
        path = f"{path.removesuffix(CALENDAR)}/ics"
    return ALIASES.get(path, path)


@lru_cache(64)
def _prefix(text: str) -> str | None:
    match = _VERSION.match(text)
    return match[0] if match else None


def version(path: str) -> str | None:
    """Return the version in a canonical path (`v1`), or None at the root."""
    if not path.startswith("/api/"):
        return None
    return _prefix(path[5 : path.find("/", 5) if path.find("/", 5) > 0 else None])
