"""What the gate must know of each route before it lets a request in: one row a handler, made at the start."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec
from litestar import Litestar
from litestar.exceptions import HTTPException, MethodNotAllowedException
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.params import BodyKwarg
from litestar.response import Stream
from litestar.routes import HTTPRoute, WebSocketRoute
from litestar.serialization import default_deserializer

from opora.api.bodies import BODY_MAX_BYTES
from opora.api.errors import MethodNotAllowed, NoSuchRoute
from opora.api.policy import Access, Operation, Policy, Undeclared, declared
from opora.api.problems import Problem
from opora.api.query import QueryFacts
from opora.core.kernel.errors import NotFound

INT64_MAX = 2**63 - 1
NO_QUERY = QueryFacts()


@dataclass(frozen=True, slots=True)
class RouteFacts:
    """One handler's row: who may call it, which body and which query parameters it takes, what a call costs.

    A body is of `media_type`, or of one of `other_types`; of none where the handler takes none or reads a form.
    `waits` tells that a call may take long without being worked on: it streams, or waits for a slow sender or a text.
    `by_peer` judges an internal call by who makes it and not by whom it is made for; `takes_basic` lets a key come as
    HTTP Basic, with its id as the name; `ignores_body` lets anything come where no body is taken; `refused_as` gives
    refusals a form that the route's protocol wants; `is_versioned` tells that the record shows a tag, and is changed
    under the one that If-Match names.
    """

    policy: Policy
    query: QueryFacts = NO_QUERY
    media_type: str | None = None
    other_types: tuple[str, ...] = ()
    body_max_bytes: int = BODY_MAX_BYTES
    is_upload: bool = False
    is_repeatable: bool = False
    cost: int = 1
    is_charged: bool = True
    by_peer: bool = False
    takes_basic: bool = False
    ignores_body: bool = False
    waits: bool = False
    is_versioned: bool = False
    refused_as: Callable[[Problem], Problem] | None = None


class Match:
    """The route that answers a request: its template, as in the OpenAPI document, its row, and how to run it."""

    __slots__ = ("app", "facts", "handler", "parameters", "template")

    def __init__(self, template: str, facts: RouteFacts, app: Any, handler: Any, parameters: dict[str, Any]) -> None:
        self.template = template
        self.facts = facts
        self.app = app
        self.handler = handler
        self.parameters = parameters


class Routes:
    """The routes of an application; building it raises Undeclared for a handler that states no policy."""

    def __init__(self, app: Litestar, body_max_bytes: int = BODY_MAX_BYTES) -> None:
        self._find = app.asgi_router.handle_routing
        self._facts: dict[BaseRouteHandler, RouteFacts] = {}
        self.operations: list[Operation] = []
        self.internal: set[str] = set()
        loose = []
        for method, path, handler, facts in rows(app, body_max_bytes):
            if facts is None:
                loose.append(f"{method} {path} ({handler.handler_name})")
                continue
            self._facts[handler] = facts
            if facts.policy.access is Access.INTERNAL:
                self.internal.add(path)
            self.operations.append(Operation(method, path, facts.policy))
        if loose:
            raise Undeclared("These handlers do not say who may call them: " + ", ".join(sorted(loose)))

    def find(self, path: str, method: str | None) -> Match:
        """Return the route of a canonical path.

        Raises NoSuchRoute, MethodNotAllowed with the methods that are, and NotFound for an id no record can have.
        """
        try:
            app, handler, _, parameters, template = self._find(path=path, method=method)
        except MethodNotAllowedException as error:
            allowed = {part.strip() for part in (error.headers or {}).get("allow", "").split(",")} - {"", "websocket"}
            raise MethodNotAllowed(allowed=sorted(with_head(allowed))) from None
        except HTTPException:
            raise NoSuchRoute from None
        for value in parameters.values():
            # int() takes "1_0", "+1", "٣" and any length: such a path names no record.
            if type(value) is int and not (0 <= value <= INT64_MAX and f"/{value}" in path):
                raise NotFound
        facts = self._facts.get(handler)
        return Match(template, OPEN if facts is None else facts, app, handler, parameters)

    def allowed(self, path: str) -> list[str]:
        """Return the methods that a path answers to; raises NoSuchRoute."""
        try:
            self.find(path, "?")
        except MethodNotAllowed as error:
            found = error.facts["allowed"]
            return [str(one) for one in found] if isinstance(found, list) else []
        return []


OPEN = RouteFacts(Policy(Access.PUBLIC))
"""The row of what Litestar answers by itself (OPTIONS)."""
HIDDEN = RouteFacts(Policy(Access.PUBLIC), is_charged=False)
"""The row of an internal route for those who may not know of it."""


def with_head(methods: set[str]) -> set[str]:
    """Add HEAD where GET is: the gate answers it for every GET route."""
    return methods | {"HEAD"} if "GET" in methods else methods


def rows(
    app: Litestar, body_max_bytes: int = BODY_MAX_BYTES
) -> Iterator[tuple[str, str, BaseRouteHandler, RouteFacts | None]]:
    """Yield method, path, handler and row of every handler, None where it declares no policy.

    `body_max_bytes` bounds the bodies of handlers that name no bound of their own.
    """
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for method, (handler, model) in route.route_handler_map.items():
                if method != "OPTIONS" or declared(handler.opt) is not None:
                    yield str(method), route.path_format, handler, _facts(handler, str(method), model, body_max_bytes)
        elif isinstance(route, WebSocketRoute):
            policy = declared(route.route_handler.opt)
            yield "WEBSOCKET", route.path_format, route.route_handler, RouteFacts(policy) if policy else None
        else:
            policy = declared(route.route_handler.opt)
            yield "ASGI", route.path_format, route.route_handler, RouteFacts(policy) if policy else None


def _facts(handler: HTTPRouteHandler, method: str, model: Any, body_max_bytes: int) -> RouteFacts | None:
    policy = declared(handler.opt)
    if policy is None:
        return None
    upload_max_bytes = handler.opt.get("upload_max_bytes")
    media_types = _media_types(handler)
    repeatable = handler.opt.get("repeatable", policy.access not in {Access.PUBLIC, Access.EXEMPT, Access.INTERNAL})
    return RouteFacts(
        policy=policy,
        query=_query(handler, model),
        media_type=media_types[0] if media_types else None,
        other_types=media_types[1:],
        body_max_bytes=upload_max_bytes or handler.opt.get("body_max_bytes", body_max_bytes),
        is_upload=upload_max_bytes is not None,
        is_repeatable=method == "POST" and bool(repeatable),
        cost=handler.opt.get("cost", 1),
        is_charged=bool(handler.opt.get("charged", policy.access is not Access.INTERNAL)),
        by_peer=bool(handler.opt.get("by_peer", False)),
        takes_basic=bool(handler.opt.get("takes_basic", False)),
        ignores_body=bool(handler.opt.get("ignores_body", False)),
        is_versioned=bool(handler.opt.get("versioned")),
        waits=upload_max_bytes is not None or bool(handler.opt.get("waits")) or _streams(handler),
        refused_as=handler.opt.get("refused_as"),
    )


def _streams(handler: HTTPRouteHandler) -> bool:
    """Tell whether a handler says that it may answer with a stream."""
    return Stream in _kinds(handler.parsed_fn_signature.return_type.annotation)


def _media_types(handler: HTTPRouteHandler) -> tuple[str, ...]:
    """Return the types of body a handler takes: what it says it reads itself, or what its body parameter declares."""
    field = handler.parsed_data_field
    if field is None or not isinstance(field.kwarg_definition, BodyKwarg):
        return tuple(handler.opt.get("takes", ()))
    return (str(getattr(field.kwarg_definition.media_type, "value", field.kwarg_definition.media_type)),)


def _query(handler: HTTPRouteHandler, model: Any) -> QueryFacts:
    """Sort a handler's query parameters by what their values must be checked for."""
    names, repeated = set(), set()
    by_type: dict[type, set[str]] = {int: set(), datetime: set(), date: set()}
    required: set[str] = set()
    decoders: dict[str, Any] = {}
    fields = handler.parsed_fn_signature.parameters
    decoded = handler.signature_model.__annotations__
    for parameter in model.expected_query_params:
        name = parameter.field_alias
        names.add(name)
        if parameter.is_sequence:
            repeated.add(name)
        if parameter.is_required or parameter.default is Ellipsis:
            required.add(name)
        wanted = decoded.get(parameter.field_name, Any)
        decoders[name] = partial(msgspec.convert, type=wanted, strict=False, dec_hook=default_deserializer)
        field = fields.get(parameter.field_name)
        for kind in _kinds(field.annotation) if field is not None else ():
            if kind in by_type:
                by_type[kind].add(name)
    is_open = "query" in model.expected_reserved_kwargs or bool(handler.opt.get("open_query"))
    return QueryFacts(
        frozenset(names),
        frozenset(repeated),
        frozenset(by_type[int]),
        frozenset(by_type[datetime]),
        frozenset(by_type[date]),
        is_open,
        frozenset(required),
        dict(sorted(decoders.items())),
    )


def _kinds(annotation: Any) -> set[Any]:
    """Return the plain types in an annotation: `Annotated[int | None, …]` gives int and NoneType."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _kinds(get_args(annotation)[0])
    if origin in {Union, UnionType, list, tuple, set, frozenset}:
        return {kind for part in get_args(annotation) for kind in _kinds(part)}
    return {annotation}
