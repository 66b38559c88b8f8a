"""Answers on their way out: what the edge adds to each, and the ones it gives itself."""

from typing import Any

from opora.api.bodies import Message, Send
from opora.api.calls import Call
from opora.api.problems import Problem
from opora.api.rate_headers import LIMIT, PLAIN
from opora.api.security import API_CSP, Pairs

NO_STORE = (b"cache-control", b"no-store")
_NO_CONTENT = 204
EVENTS = b"text/event-stream"


class Outgoing:
    """Sends one answer: adds the edge's headers to its start and drops the body of an answer to HEAD."""

    __slots__ = (
        "call",
        "extra",
        "is_bodiless",
        "is_complete",
        "is_conditional",
        "is_private",
        "is_started",
        "limits",
        "send_on",
        "standing",
    )

    def __init__(self, send: Send, call: Call, standing: Pairs) -> None:
        self.send_on = send
        self.call = call
        self.standing = standing
        self.extra: Pairs = []
        self.limits: Pairs = []
        """What the answer says of the limits it passed under; a refusal by another one speaks for itself."""
        self.is_private = False
        self.is_bodiless = False
        self.is_conditional = False
        self.is_started = False
        self.is_complete = False

    async def send(self, message: Message) -> None:
        """Pass an ASGI message on; the first one carries the headers."""
        kind = message["type"]
        if kind == "http.response.start":
            self.is_started = True
            self.call.status = message["status"]
            message["headers"] = self._headers(message.get("headers", ()))
        elif kind == "http.response.body":
            if not message.get("more_body", False):
                self.is_complete = True
            if self.is_bodiless and message.get("body"):
                message = {**message, "body": b""}
        await self.send_on(message)

    def _headers(self, given: Any) -> Pairs:
        headers: Pairs = list(given)
        is_policed = is_cached = is_limited = False
        for name, _ in headers:
            if name == b"content-security-policy":
                is_policed = True
            elif name == b"cache-control":
                is_cached = True
            elif name == LIMIT:
                is_limited = True
        headers.append((b"x-request-id", self.call.request_id.encode("ascii")))
        headers += self.standing
        headers += self.extra
        headers += [pair for pair in self.limits if pair[0] not in PLAIN] if is_limited else self.limits
        if not is_policed:
            headers.append((b"content-security-policy", API_CSP))
        if self.is_private and not is_cached:
            headers.append(NO_STORE)
        return headers

    async def answer(self, status: int, headers: Pairs, body: bytes) -> None:
        """Send a whole answer."""
        if status != _NO_CONTENT:
            headers = [*headers, (b"content-length", b"%d" % len(body))]
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body, "more_body": False})

    async def problem(self, problem: Problem, base_url: str) -> None:
        """Send a refusal."""
        body = problem.body(base_url, self.call.path, self.call.trace_id)
        headers = [(b"content-type", problem.media_type.encode("ascii")), NO_STORE, *problem.headers]
        if self.call.is_of_gateway:
            headers.append((b"x-opora-problem", problem.line(base_url, self.call.trace_id)))
        await self.answer(problem.status, headers, body)


class Recording:
    """Keeps an answer instead of sending it, until it is known whether its effect was kept.

    A stream of events is sent as it comes as well: whoever answers so has committed its effect before.
    """

    __slots__ = ("body", "headers", "is_sent", "out", "status")

    def __init__(self, out: Outgoing) -> None:
        self.out = out
        self.status = 0
        self.headers: Pairs = []
        self.body = b""
        self.is_sent = False

    async def send(self, message: Message) -> None:
        """Take an ASGI message in."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = list(message.get("headers", ()))
            self.is_sent = any(name == b"content-type" and value.startswith(EVENTS) for name, value in self.headers)
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")
        if self.is_sent:
            await self.out.send(message)
