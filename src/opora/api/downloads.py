"""Stored files as HTTP answers: names, validators, single ranges (RFC 9110, 13 and 14; RFC 6266)."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any
from urllib.parse import quote

from litestar import Request, Response
from litestar.response import Stream

from opora.api.errors import PreconditionFailed, UnsatisfiableRange

_ENTITY_TAG = re.compile(r'(W/)?("[^"]*")')
_RANGE = re.compile(r"bytes\s*=\s*(\d{0,19})\s*-\s*(\d{0,19})", re.ASCII | re.IGNORECASE)
_UNPRINTABLE = re.compile(r'[^ -~]|["\\%]')

type Reader = Callable[[int, int | None], Awaitable[AsyncIterator[bytes]]]
"""Gives the bytes from a start, that many or to the end."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """What an answer says of a file; `tag` names its content, so that equal tags mean equal bytes."""

    name: str
    media_type: str
    size: int
    tag: str
    modified_at: datetime

    @property
    def etag(self) -> str:
        """The strong validator as it stands in headers."""
        return f'"{self.tag}"'

    @property
    def modified(self) -> str:
        """The time of the last change as it stands in headers."""
        return format_datetime(self.modified_at.astimezone(UTC).replace(microsecond=0), usegmt=True)


async def file_answer(request: Request[Any, Any, Any], file: StoredFile, read: Reader) -> Response[Any]:
    """Return the whole file, the part that was asked for, or that nothing has changed.

    Raises PreconditionFailed for an If-Match that names another content, UnsatisfiableRange for a range outside the
    file. Several ranges at once, other units and what cannot be read as a range give the whole file, as RFC 9110 lets.
    """
    headers = {
        "etag": file.etag,
        "last-modified": file.modified,
        "accept-ranges": "bytes",
        "cache-control": "private, no-cache",
    }
    expected, known = request.headers.get("if-match"), request.headers.get("if-none-match")
    if expected is not None and not names(expected, file.etag, weakly=False):
        raise PreconditionFailed
    if known is not None and names(known, file.etag, weakly=True):
        return Response(None, status_code=304, headers=headers)
    part = wanted_part(request.headers.get("range"), request.headers.get("if-range"), file)
    headers |= {"content-disposition": disposition(file.name)}
    if part is None:
        headers["content-length"] = str(file.size)
        return Stream(await read(0, None), media_type=file.media_type, headers=headers)
    headers["content-length"] = str(len(part))
    headers["content-range"] = f"bytes {part.start}-{part.stop - 1}/{file.size}"
    content = await read(part.start, len(part))
    return Stream(content, status_code=206, media_type=file.media_type, headers=headers)


def wanted_part(asked: str | None, only_if: str | None, file: StoredFile) -> range | None:
    """Return the bytes that a Range header asks for, None where the whole file is due; raises UnsatisfiableRange."""
    found = _RANGE.fullmatch(asked.strip()) if asked is not None else None
    if found is None or not any(found.groups()) or not is_unchanged(only_if, file):
        return None
    first, last = found.groups()
    if not first:
        start, stop = max(0, file.size - int(last)), file.size
    elif last and int(last) < int(first):
        return None
    else:
        start, stop = int(first), min(int(last) + 1, file.size) if last else file.size
    if start >= stop:
        raise UnsatisfiableRange(size=file.size)
    return range(start, stop)


def is_unchanged(only_if: str | None, file: StoredFile) -> bool:
    """Tell whether an If-Range header, if any, names the file as it is: by a strong tag, or by its very date."""
    if only_if is None or only_if == file.etag:
        return True
    if '"' in only_if:
        return False
    try:
        return parsedate_to_datetime(only_if) == parsedate_to_datetime(file.modified)
    except (ValueError, TypeError):  # no date, or one without a zone
        return False


def names(header: str, etag: str, *, weakly: bool) -> bool:
    """Tell whether a list of entity tags, or `*`, names this one; a weak tag counts only where it may."""
    if header.strip() == "*":
        return True
    return any(tag == etag and (weakly or not weak) for weak, tag in _ENTITY_TAG.findall(header))


def disposition(name: str) -> str:
    """Return a Content-Disposition: the name as ASCII for old readers, and whole in UTF-8."""
    plain = _UNPRINTABLE.sub("_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='', errors='replace')}"
