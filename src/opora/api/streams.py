"""Server-sent events on their way out (HTML standard, section 9.2), and what their answers say of themselves."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
from litestar import Request
from litestar.response import Stream

EVENT_STREAM = "text/event-stream"
RETRY_MS = 2000
QUIET = ": \n\n"
"""A comment, which keeps a quiet connection open."""
HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}


def event(data: object, name: str = "", id: str = "") -> str:
    """Return one event; JSON has no line ends of its own."""
    lines = (f"id: {id}\n" if id else "") + (f"event: {name}\n" if name else "")
    return f"{lines}data: {msgspec.json.encode(data).decode()}\n\n"


def streamed(request: Request[Any, Any, Any], events: AsyncIterator[str]) -> Stream:
    """Return the answer of a stream; a server that shuts down does not wait for it, for its reader comes back."""
    request.scope["endless"] = True  # type: ignore[typeddict-unknown-key]  # for the server
    return Stream(events, media_type=EVENT_STREAM, headers=HEADERS)
