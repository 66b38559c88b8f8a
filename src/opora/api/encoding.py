"""Answers encoded once and sent straight: Litestar's own way builds three objects and a header list an answer."""

from typing import Any

import msgspec
from litestar import Response
from litestar.serialization import default_serializer

from opora.api.bodies import Message, Receive, Send

JSON_TYPE = (b"content-type", b"application/json")
NO_CONTENT, NOT_MODIFIED = 204, 304

_encode = msgspec.json.Encoder(enc_hook=default_serializer).encode


class JsonAnswer:
    """A JSON body on its way out, as an ASGI application."""

    __slots__ = ("body", "status")

    def __init__(self, status: int, body: bytes) -> None:
        self.status = status
        self.body = body

    async def __call__(self, _scope: Any, _receive: Receive, send: Send) -> None:
        """Send it."""
        length = (b"content-length", b"%d" % len(self.body))
        start: Message = {"type": "http.response.start", "status": self.status, "headers": [JSON_TYPE, length]}
        await send(start)
        await send({"type": "http.response.body", "body": self.body, "more_body": False})


class ApiResponse(Response[Any]):
    """What a handler's return value becomes: plain JSON takes the short way, everything else Litestar's.

    Type encoders are not asked: Litestar adds those of every modelling library it finds, and answers here are structs
    and dataclasses, which need none.
    """

    def to_asgi_response(self, app: Any, request: Any, **given: Any) -> Any:
        """Return the application that sends this answer."""
        is_plain = (
            self.media_type == "application/json"
            and not (self.headers or self.cookies or self.background)
            and not (given.get("headers") or given.get("cookies") or given.get("background"))
            and self.status_code not in {None, NO_CONTENT, NOT_MODIFIED}
        )
        if not is_plain or isinstance(self.content, (bytes, str)):
            return super().to_asgi_response(app, request, **given)
        return JsonAnswer(self.status_code or 200, _encode(self.content))
