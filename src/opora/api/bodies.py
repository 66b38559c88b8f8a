"""Request bodies, bounded in size and in time, whether they say their length or not."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from opora.api.errors import BadRequest, BodyTooLarge, BodyTooSlow, UnsupportedMediaType
from opora.api.headers import Head

BODY_MAX_BYTES = 1024 * 1024
BODY_TIMEOUT_S = 30.0
"""Longest time for a whole body that is read into memory, and for each silence of a streamed one."""

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

JSON = "application/json"


class ClientGone(Exception):
    """The client closed the connection before the request was whole."""


def announced(head: Head, max_bytes: int) -> bool:
    """Tell whether a body follows; raises BodyTooLarge when its stated length already is, BadRequest for nonsense."""
    length = head.found.get(b"content-length")
    if length is None:
        return b"transfer-encoding" in head.found
    if not length.isdigit():
        raise BadRequest("Content-Length is a number.")
    if int(length) > max_bytes:
        raise _too_large(max_bytes)
    return length != b"0"


def media_type(head: Head) -> str:
    """Return the media type of the body in lower case, without its parameters; "" when none is given."""
    sent = head.found.get(b"content-type")
    return "" if sent is None else sent.partition(b";")[0].strip().lower().decode("latin-1")


def is_json(sent: str) -> bool:
    """Tell whether a body of this type is read as JSON: it may come as `+json`, or unsaid."""
    return not sent or sent == JSON or (sent.startswith("application/") and sent.endswith("+json"))


def check_media_type(sent: str, taken: tuple[str, ...], head: Head) -> None:
    """Raise UnsupportedMediaType unless the body is of a type a call takes."""
    if b"content-encoding" in head.found and head.found[b"content-encoding"].strip().lower() != b"identity":
        raise UnsupportedMediaType("Send the body without a content encoding.")
    if sent in taken or (JSON in taken and is_json(sent)):
        return
    raise UnsupportedMediaType(f"Send the body as {' or '.join(taken)}.", expected=taken[0])


async def read(receive: Receive, max_bytes: int, timeout_s: float) -> bytes:
    """Return the whole body; raises BodyTooLarge as soon as it is, BodyTooSlow, ClientGone."""
    try:
        async with asyncio.timeout(timeout_s):
            message = await receive()
            if message["type"] != "http.request":
                raise ClientGone
            body: bytes = message.get("body", b"")
            if not message.get("more_body", False):
                if len(body) > max_bytes:
                    raise _too_large(max_bytes)
                return body
            return await _rest(receive, body, max_bytes)
    except TimeoutError:
        raise BodyTooSlow(f"A body arrives within {timeout_s:g} seconds.") from None


async def _rest(receive: Receive, first: bytes, max_bytes: int) -> bytes:
    chunks, size, more = [first], len(first), True
    while more:
        if size > max_bytes:
            raise _too_large(max_bytes)
        message = await receive()
        if message["type"] != "http.request":
            raise ClientGone
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        more = message.get("more_body", False)
    if size > max_bytes:
        raise _too_large(max_bytes)
    return b"".join(chunks)


def _too_large(max_bytes: int) -> BodyTooLarge:
    return BodyTooLarge(f"At most {max_bytes} bytes.", max_bytes=max_bytes)


class Replay:
    """Hands a body that was already read to the application, then whatever the server says next."""

    __slots__ = ("body", "receive")

    def __init__(self, body: bytes, receive: Receive) -> None:
        self.body: bytes | None = body
        self.receive = receive

    async def __call__(self) -> Message:
        if self.body is not None:
            body, self.body = self.body, None
            return {"type": "http.request", "body": body, "more_body": False}
        return await self.receive()


class Metered:
    """Passes a streamed body on, and raises BodyTooLarge or BodyTooSlow when it outgrows its bounds."""

    __slots__ = ("is_whole", "max_bytes", "receive", "size", "timeout_s")

    def __init__(self, receive: Receive, max_bytes: int, timeout_s: float) -> None:
        self.receive = receive
        self.max_bytes = max_bytes
        self.timeout_s = timeout_s
        self.size = 0
        self.is_whole = False

    async def __call__(self) -> Message:
        if self.is_whole:
            return await self.receive()
        try:
            async with asyncio.timeout(self.timeout_s):
                message = await self.receive()
        except TimeoutError:
            raise BodyTooSlow(f"No part of a body keeps us waiting for {self.timeout_s:g} seconds.") from None
        self.size += len(message.get("body", b""))
        self.is_whole = not message.get("more_body", False)
        if self.size > self.max_bytes:
            raise _too_large(self.max_bytes)
        return message
