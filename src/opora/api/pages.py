"""Pages of a list: bounded parameters in, an envelope with links out, cursors that only we can have written."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from hashlib import sha256
from typing import Annotated
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec
from litestar.params import QueryParameter

from opora.api.errors import BadCursor
from opora.core.kernel.model import PAGE_LIMIT_DEFAULT, PAGE_LIMIT_MAX, Page, PageRequest

PAGE_NUMBER_MAX = 100_000
"""The last page that can be asked for: no offset goes past 20 million rows."""
CURSOR_MAX = 1024
_TAG_BYTES = 16

PageLimit = Annotated[int, QueryParameter(name="limit", ge=1, le=PAGE_LIMIT_MAX, description="Records on a page.")]
PageNumber = Annotated[int, QueryParameter(name="page", ge=1, le=PAGE_NUMBER_MAX, description="The page, from 1.")]
CursorText = Annotated[
    str | None,
    QueryParameter(name="cursor", max_length=CURSOR_MAX, description="Where the page starts: the `next` of the last."),
]


class Envelope[T](msgspec.Struct, frozen=True):
    """A page on the wire; `next` and `previous` are addresses on this host, or null."""

    count: int
    count_exact: bool
    next: str | None
    previous: str | None
    results: Sequence[T]


def page_request(limit: int = PAGE_LIMIT_DEFAULT, number: int = 1) -> PageRequest:
    """Return the page asked for, of a list read by number."""
    return PageRequest(limit, number)


def envelope[T](page: Page[T], request_url: object) -> Envelope[T]:
    """Put a numbered page in its envelope; `request_url` is the address that was asked, with its filters."""
    address = urlsplit(str(request_url))
    query = _query(address.query)
    asked = query.get("page", "1")
    number = int(asked) if isinstance(asked, str) else 1
    return Envelope(
        page.count,
        page.count_exact,
        _link(address.path, query, page=str(number + 1)) if page.more and number < PAGE_NUMBER_MAX else None,
        _link(address.path, query, page=str(number - 1)) if number > 1 else None,
        page.items,
    )


class Cursors:
    """Signs where a page starts, so that a position cannot be made up, nor carried to another list."""

    def __init__(self, secret: bytes) -> None:
        self._secret = hmac.digest(secret, b"opora.cursors", sha256)

    def seal(self, position: str, of: str) -> str:
        """Return the opaque text of a position in the list `of` (its path)."""
        raw = position.encode()
        return urlsafe_b64encode(self._tag(raw, of) + raw).rstrip(b"=").decode("ascii")

    def open(self, text: str, of: str) -> str:
        """Return the position; raises BadCursor unless `seal` made it for this list under this secret."""
        try:
            sealed = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
            tag, raw = sealed[:_TAG_BYTES], sealed[_TAG_BYTES:]
            if hmac.compare_digest(tag, self._tag(raw, of)) and urlsafe_b64encode(sealed).rstrip(b"=").decode() == text:
                return raw.decode()
        except (ValueError, UnicodeError):
            pass
        raise BadCursor(errors={"cursor": ["was not given out by this list"]})

    def request(self, limit: int, cursor: str | None, request_url: object) -> PageRequest:
        """Return the page asked for, of a list read by cursor; raises BadCursor. An empty cursor is none."""
        of = urlsplit(str(request_url)).path
        return PageRequest(limit, 1, self.open(cursor, of) if cursor else None)

    def envelope[T](self, page: Page[T], request_url: object) -> Envelope[T]:
        """Put a page read by cursor in its envelope; such lists are read forward only."""
        address = urlsplit(str(request_url))
        next_url = None
        if page.more and page.cursor is not None:
            next_url = _link(address.path, _query(address.query), cursor=self.seal(page.cursor, address.path))
        return Envelope(page.count, page.count_exact, next_url, None, page.items)

    def _tag(self, raw: bytes, of: str) -> bytes:
        return hmac.digest(self._secret, of.encode() + b"\x00" + raw, sha256)[:_TAG_BYTES]


def _query(text: str) -> dict[str, str | list[str]]:
    """Return the parameters by name, a list where one is given several times."""
    found: dict[str, str | list[str]] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        before = found.get(name)
        if before is None:
            found[name] = value
        else:
            found[name] = [*before, value] if isinstance(before, list) else [before, value]
    return found


def _link(path: str, query: dict[str, str | list[str]], **changes: str) -> str:
    return f"{path}?{urlencode({**query, **changes}, doseq=True)}"
