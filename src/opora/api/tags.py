"""Versions of records as entity tags, and those that If-Match asks for (RFC 9110 section 13.1.1)."""

import re
from typing import Any, Protocol

from litestar import Request, Response

from opora.api.errors import PreconditionFailed

VERSIONED: dict[str, object] = {"versioned": True}
"""The `opt` of a handler whose record carries its version as its tag, and that changes it under If-Match."""
_TAG = re.compile(r'(?:^|,)\s*"(\d{1,18})"(?=\s*(?:,|$))', re.ASCII)
"""A strong tag of ours; a weak one never matches, for If-Match compares strongly."""


class Versioned(Protocol):
    """A view of a record that counts its changes."""

    @property
    def version(self) -> int:
        """The number of the change that the view shows."""


def tagged[T: Versioned](record: T) -> Response[T]:
    """Return the answer that shows a record, with the tag that If-Match takes."""
    return Response(record, headers={"etag": f'"{record.version}"'})


def wanted_versions(request: Request[Any, Any, Any]) -> frozenset[int] | None:
    """Return the versions that If-Match names, None where any will do; raise PreconditionFailed for no tag of ours."""
    header = request.headers.get("if-match")
    if is_any(header):
        return None
    versions = frozenset(map(int, _TAG.findall(header or "")))
    if not versions:
        raise PreconditionFailed
    return versions


def is_any(header: str | None) -> bool:
    """Tell whether an If-Match header, if any, holds whatever the record has become."""
    return header is None or header.strip() == "*"
