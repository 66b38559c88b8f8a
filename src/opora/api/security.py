"""Headers that every answer carries, and the ones that depend on who asked from where."""

from collections.abc import Sequence
from dataclasses import dataclass

from opora.api.headers import Head

API_CSP = b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
DOCS_CSP = (
    b"default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; "
    b"connect-src 'self'; worker-src 'self' blob:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
"""The viewers write styles into elements; scripts come from the package alone."""
GUIDE_CSP = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    b"frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
"""Pages of our own need no exception."""
PICTURE_CSP = b"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
"""A drawing brings its own styles and nothing else."""
EXPOSED = (
    b"X-Request-Id, Retry-After, RateLimit, RateLimit-Policy, X-RateLimit-Limit, X-RateLimit-Remaining, "
    b"X-RateLimit-Reset, Idempotent-Replayed, Deprecation, Sunset, Link, Location, ETag, Content-Disposition"
)
ALLOWED = (
    b"Authorization, X-API-Key, Content-Type, Idempotency-Key, X-Request-Id, traceparent, If-Match, If-None-Match, "
    b"Range, Prefer, Last-Event-ID"
)
METHODS = b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
PREFLIGHT_MAX_AGE_S = 600

Pairs = list[tuple[bytes, bytes]]


def standing(hsts_max_age_s: int) -> Pairs:
    """Return the headers of every answer; Strict-Transport-Security only where a time is set."""
    found = [
        (b"x-content-type-options", b"nosniff"),
        (b"x-frame-options", b"DENY"),
        (b"referrer-policy", b"no-referrer"),
        (b"cross-origin-opener-policy", b"same-origin"),
    ]
    if hsts_max_age_s:
        found.append((b"strict-transport-security", b"max-age=%d; includeSubDomains" % hsts_max_age_s))
    return found


@dataclass(frozen=True, slots=True)
class Cors:
    """Which origins' pages may read answers; `*` means any, which is safe as cookies are never used."""

    origins: frozenset[bytes] = frozenset()

    @classmethod
    def of(cls, origins: Sequence[str]) -> "Cors":
        """Build from settings; raises ValueError for what is no origin."""
        for origin in origins:
            if origin != "*" and (not origin.startswith(("http://", "https://")) or origin.count("/") != 2):  # noqa: PLR2004
                raise ValueError(f"{origin!r} is no origin: write scheme://host[:port]")
        return cls(frozenset(origin.encode("ascii") for origin in origins))

    def headers(self, head: Head) -> Pairs:
        """Return what an answer to this origin carries: nothing unless the origin is allowed."""
        origin = head.found.get(b"origin")
        if origin is None or not self.origins:
            return []
        if b"*" in self.origins:
            return [(b"access-control-allow-origin", b"*"), (b"access-control-expose-headers", EXPOSED)]
        if origin not in self.origins:
            return [(b"vary", b"Origin")]
        return [
            (b"access-control-allow-origin", origin),
            (b"vary", b"Origin"),
            (b"access-control-expose-headers", EXPOSED),
        ]

    def preflight(self, head: Head) -> Pairs:
        """Return what a browser's question before a request is answered beyond `headers`; only the origin is judged."""
        if not any(name == b"access-control-allow-origin" for name, _ in self.headers(head)):
            return []
        return [
            (b"access-control-allow-methods", METHODS),
            (b"access-control-allow-headers", ALLOWED),
            (b"access-control-max-age", b"%d" % PREFLIGHT_MAX_AGE_S),
        ]
