"""The gate: every request passes it, whether a route answers or not.

Litestar's middleware runs after routing and never sees a 404, so all that must hold for every answer stands here:
names, prefixes, credentials, limits, bounds, safe repetition, headers, the log and the metrics.
"""

import asyncio
from collections.abc import Callable, MutableMapping
from dataclasses import replace
from time import perf_counter
from typing import Any

from litestar import Litestar
from litestar.exceptions import ValidationException

from opora.api import bodies, headers, json_guard, paths, query
from opora.api.addresses import Networks, Proxies, parsed
from opora.api.answers import Outgoing
from opora.api.bodies import ClientGone, Receive, Send
from opora.api.calls import CALL, UNMATCHED, Call
from opora.api.crowd import Crowd
from opora.api.door import Door
from opora.api.errors import NoSuchRoute, PreconditionFailed
from opora.api.headers import Head
from opora.api.idempotency import Repetition, fingerprint, key_of
from opora.api.logs import fault_line, request_line
from opora.api.metrics import RequestMetrics
from opora.api.policy import Access, enforce
from opora.api.problems import problem
from opora.api.routes import HIDDEN, OPEN, Match, RouteFacts, Routes
from opora.api.security import Cors, Pairs
from opora.api.versions import Versions
from opora.core.kernel.errors import DomainError, Stale
from opora.core.kernel.model import IdempotentCall

Scope = MutableMapping[str, Any]

VERSIONED = "/api/"
"""What may be refused while there is too much to do: not the health, nor the metrics that tell of it."""
CHANGING = frozenset({"PUT", "PATCH", "DELETE"})
BODY_METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})
CLIENT_GONE_STATUS = 499
"""Logged, never sent: the client left before its answer."""
_NO_HEADERS: Pairs = []


class Gate:
    """An ASGI application around Litestar's."""

    def __init__(
        self,
        app: Litestar,
        *,
        routes: Routes,
        door: Door,
        versions: Versions,
        metrics: RequestMetrics,
        standing: Pairs,
        cors: Cors,
        proxies: Proxies,
        internal: Networks,
        repetition: Repetition | None,
        problem_base_url: str,
        body_timeout_s: float,
        crowd: Crowd,
        on_fault: Callable[[BaseException], None] | None = None,
    ) -> None:
        self.app = app
        self.routes = routes
        self.door = door
        self.versions = versions
        self.metrics = metrics
        self.standing = standing
        self.cors = cors
        self.proxies = proxies
        self.internal = internal
        self.repetition = repetition
        self.problem_base_url = problem_base_url
        self.body_timeout_s = body_timeout_s
        self.crowd = crowd
        self.on_fault = on_fault

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer an HTTP request; sockets and the lifespan have their own ways."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._socket(scope, receive, send)
        else:
            await self.app(scope, receive, send)  # type: ignore[arg-type]  # Litestar's own names of the same messages

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        call = Call(scope["method"], scope["path"], perf_counter())
        out = Outgoing(send, call, self.standing)
        token = CALL.set(call)
        self.metrics.in_flight += 1
        try:
            await self._answer(scope, receive, out, call)
        except asyncio.CancelledError:
            call.status = call.status or CLIENT_GONE_STATUS
            raise
        except Exception as error:  # whatever it was, the caller gets a problem and the log a line
            await self._refuse(error, call, out)
        finally:
            self._close(call)
            CALL.reset(token)

    async def _answer(self, scope: Scope, receive: Receive, out: Outgoing, call: Call) -> None:
        head = self._open(scope, out, call)
        method = call.method
        if method == "OPTIONS" and b"access-control-request-method" in head.found:
            await out.answer(204, self.cors.preflight(head), b"")
            return
        if self.versions.is_stale():
            await self.versions.refresh()
        path = scope["path"] = paths.canonical(scope["path"], self.versions.newest)
        version = paths.version(path)
        out.extra += self.versions.headers(version)
        if method == "HEAD":
            scope["method"], out.is_bodiless = "GET", True
        match, missed = self._match(path, scope["method"])
        facts = match.facts
        if path in self.routes.internal:
            facts, missed = self._behind(call, head, facts, missed)
        call.route = match.template if missed is None else UNMATCHED
        call.refused_as = facts.refused_as
        if path.startswith(VERSIONED):
            self.crowd.refuse(scope, call.started_at_s)
        if facts.policy.access is not Access.EXEMPT:
            caller = await self.door.admit(call, head, facts, out)
            if missed is not None:
                raise missed
            enforce(facts.policy, caller.actor)
            self.door.ask_proof(caller, facts)
        self.versions.refuse_retired(version, path)
        if method == "OPTIONS":
            await out.answer(204, [(b"allow", ", ".join(self.routes.allowed(path)).encode("ascii"))], b"")
            return
        await self._dispatch(scope, receive, out, head, match)

    def _open(self, scope: Scope, out: Outgoing, call: Call) -> Head:
        """Read the headers and name the call; what may not pass is refused or dropped."""
        head = headers.read(scope["headers"])
        found = head.found
        if b"x-request-id" in found:
            call.request_id = headers.request_id(head) or call.request_id
        if b"traceparent" in found:
            call.trace_id = headers.trace_id(head) or call.trace_id
        if b"if-match" in found:
            out.is_conditional = True
        if b"origin" in found:
            out.extra += self.cors.headers(head)
        if head.identity:
            scope["headers"] = headers.without_identity(scope["headers"])
        call.agent = found.get(b"user-agent")
        client = scope.get("client")
        call.peer = client[0] if client else ""
        call.address = self.proxies.client(call.peer, found.get(b"x-forwarded-for"))
        return head

    def _match(self, path: str, method: str) -> tuple[Match, DomainError | None]:
        """Find the route. A miss is kept for later: strangers are counted before they learn what exists."""
        try:
            if method == "OPTIONS":
                self.routes.allowed(path)
                return _ANY, None
            return self.routes.find(path, method), None
        except DomainError as error:
            return _ANY, error

    def _behind(
        self, call: Call, head: Head, facts: RouteFacts, missed: DomainError | None
    ) -> tuple[RouteFacts, DomainError | None]:
        """Judge a call of a gateway: whether it comes from inside, on whose behalf, and whether it is charged.

        Whoever comes from elsewhere meets a route that is not there, by any method.
        """
        if not self.internal.holds(call.peer if facts.by_peer else call.address):
            return HIDDEN, NoSuchRoute()
        call.is_of_gateway = True
        client = head.found.get(b"x-gateway-client")
        if client is not None and self.proxies.trusted.holds(call.peer):
            address = parsed(client.decode("latin-1"))
            call.address = call.address if address is None else str(address)
        if head.found.get(b"x-gateway-charge") == b"1":
            facts = replace(facts, is_charged=True)
        return facts, missed

    async def _dispatch(self, scope: Scope, receive: Receive, out: Outgoing, head: Head, match: Match) -> None:
        """Judge query and body, then let Litestar's route answer."""
        facts = match.facts
        if out.is_conditional and scope["method"] in CHANGING and not facts.is_versioned:
            headers.refuse_tags(head)
        raw_query = scope.get("query_string", b"")
        if raw_query or facts.query.required:
            query.check(raw_query, facts.query)
        body = b""
        if scope["method"] in BODY_METHODS and bodies.announced(head, facts.body_max_bytes):
            if facts.is_upload:
                receive = bodies.Metered(receive, facts.body_max_bytes, self.body_timeout_s)
            else:
                body = await self._body(receive, head, facts)
                receive = bodies.Replay(body, receive)
        key = head.found.get(b"idempotency-key")
        if facts.waits or not scope["path"].startswith(VERSIONED):
            await self._effect(scope, receive, out, match, key, raw_query, body)
            return
        self.crowd.enter()
        try:
            await self._effect(scope, receive, out, match, key, raw_query, body)
        finally:
            self.crowd.leave()

    async def _effect(
        self,
        scope: Scope,
        receive: Receive,
        out: Outgoing,
        match: Match,
        key: bytes | None,
        raw_query: bytes,
        body: bytes,
    ) -> None:
        """Let the route answer, once for any number of calls under one key."""
        facts, call = match.facts, out.call
        if key is None or not facts.is_repeatable or self.repetition is None:
            await self._run(scope, receive, out.send, match)
            return
        assert call.known is not None  # noqa: S101  # repeatable routes are never exempt
        whose = call.known.actor.subject
        repeated = IdempotentCall(
            call.known.limit_subject if whose == "anonymous" else whose,
            key_of(key),
            fingerprint(scope["method"], scope["path"], raw_query, body),
        )
        run = self.repetition.run_upload if facts.is_upload else self.repetition.run
        await run(repeated, lambda send: self._run(scope, receive, send, match), out)

    async def _run(self, scope: Scope, receive: Receive, send: Send, match: Match) -> None:
        """Let the route answer, without Litestar's own way to it.

        That way (Litestar.__call__, ASGIRouter) would normalise, route and guard against exceptions a second time, for
        a quarter of a bare request's cost. What it leaves in the scope is what stands here.
        """
        scope["app"] = scope["litestar_app"] = self.app
        scope.setdefault("state", {})
        scope["path_params"] = match.parameters
        scope["route_handler"] = match.handler
        scope["path_template"] = match.template
        try:
            await match.app(scope, receive, send)
        except ValidationException:
            # Litestar names a parameter as the handler does, and of those that are missing only one.
            query.refuse(scope.get("query_string", b""), match.facts.query)
            raise

    async def _body(self, receive: Receive, head: Head, facts: RouteFacts) -> bytes:
        """Return the whole body, of the type the route takes and fit to be decoded."""
        sent = bodies.media_type(head)
        if facts.media_type is not None:
            bodies.check_media_type(sent, (facts.media_type, *facts.other_types), head)
        body = await bodies.read(receive, facts.body_max_bytes, self.body_timeout_s)
        if bodies.is_json(sent):
            json_guard.check(body)
            if facts.media_type is None and not facts.ignores_body:
                json_guard.refuse_fields(body)
        return body

    async def _refuse(self, error: Exception, call: Call, out: Outgoing) -> None:
        """Turn an exception into a problem; after the answer has begun, only breaking the connection tells."""
        if isinstance(error, ClientGone):
            call.status = CLIENT_GONE_STATUS
            return
        if isinstance(error, Stale) and out.is_conditional:
            error = PreconditionFailed(str(error))
        found = problem(error)
        if call.refused_as is not None:
            found = call.refused_as(found)
        if found.status == 500:  # noqa: PLR2004
            call.fault = call.fault or error
        if out.is_started:
            call.fault = call.fault or error
            if not out.is_complete:
                raise error
            return
        await out.problem(found, self.problem_base_url)

    def _close(self, call: Call) -> None:
        """Count and log; nothing here may fail a request."""
        seconds = perf_counter() - call.started_at_s
        self.metrics.in_flight -= 1
        self.metrics.observe(call.route, call.method, call.status, seconds)
        request_line(call, seconds)
        if call.fault is not None:
            fault_line(call, call.fault)
            if self.on_fault is not None:
                self.on_fault(call.fault)

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a WebSocket through under the same names, limits and policies; a refusal closes it with 4000 + status."""
        call = Call("WEBSOCKET", scope["path"], perf_counter())
        out = Outgoing(send, call, _NO_HEADERS)
        token = CALL.set(call)
        try:
            head = self._open(scope, out, call)
            if self.versions.is_stale():
                await self.versions.refresh()
            scope["path"] = paths.canonical(scope["path"], self.versions.newest)
            self.versions.refuse_retired(paths.version(scope["path"]), scope["path"])
            match = self.routes.find(scope["path"], None)
            call.route = match.template
            caller = await self.door.admit(call, head, match.facts, out)
            enforce(match.facts.policy, caller.actor)
            self.door.ask_proof(caller, match.facts)
            call.status = 101
            await self._run(scope, receive, send, match)
        except Exception as error:  # whatever it was, the caller gets a code and the log a line
            found = problem(error)
            call.status = found.status
            if found.status == 500:  # noqa: PLR2004
                call.fault = error
            await send({"type": "websocket.close", "code": 4000 + found.status, "reason": found.code})
        finally:
            CALL.reset(token)
            self.metrics.in_flight += 1
            self._close(call)


_ANY = Match(UNMATCHED, OPEN, None, None, {})
