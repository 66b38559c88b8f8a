"""Gives controllers their use cases once, at the start, instead of once a request.

A request container costs 25 µs; every use case lives as long as the program, and only the actor changes from call to
call, so handlers are bound to the instances and the actor is read from the running call.
"""

import functools
import inspect
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from dishka import AsyncContainer, FromComponent
from litestar import Controller
from litestar.handlers import BaseRouteHandler

from opora.core.kernel.model import Actor

MARKER = type(FromComponent())
"""What `FromDishka[X]` leaves in an annotation."""


def wanted(function: Callable[..., Any]) -> dict[str, Any]:
    """Name the parameters a handler takes from the container, with what each must be."""
    hints = get_type_hints(function, include_extras=True)
    found = {}
    for name, hint in hints.items():
        if get_origin(hint) is Annotated and any(isinstance(one, MARKER) for one in get_args(hint)[1:]):
            found[name] = get_args(hint)[0]
    return found


def bound(function: Callable[..., Any], parts: Mapping[str, Any], actor: str | None, who: Callable[[], Actor]) -> Any:
    """Fix a handler's parts; what is left of its signature is what a request must bring."""

    @functools.wraps(function)
    async def handler(*args: Any, **kwargs: Any) -> Any:
        if actor is not None:
            kwargs[actor] = who()
        return await function(*args, **kwargs, **parts)

    gone = {*parts, actor}
    signature = inspect.signature(function)
    kept = [one for name, one in signature.parameters.items() if name not in gone]
    handler.__signature__ = signature.replace(parameters=kept)  # type: ignore[attr-defined]
    handler.__annotations__ = {
        name: hint for name, hint in get_type_hints(function, include_extras=True).items() if name not in gone
    }
    del handler.__wrapped__  # the signature is this one, not the wrapped one's
    return handler


async def bind(controller: type[Controller], container: AsyncContainer, who: Callable[[], Actor]) -> type[Controller]:
    """Return the controller with every part of every handler in place; a missing part stops the start."""
    kinds = [kind for handler in handlers(controller).values() for kind in wanted(handler.fn).values()]
    parts = {kind: await container.get(kind) for kind in kinds if kind is not Actor}
    return assembled(controller, parts.__getitem__, who)


def outline(controller: type[Controller]) -> type[Controller]:
    """Return the controller as requests see it but with no part in place: to be described, never called."""
    return assembled(controller, lambda _kind: None, Actor)


def handlers(controller: type[Controller]) -> dict[str, BaseRouteHandler]:
    """Return a controller's handlers by their names."""
    found = ((name, inspect.getattr_static(controller, name)) for name in dir(controller))
    return {name: one for name, one in found if isinstance(one, BaseRouteHandler)}


def assembled(controller: type[Controller], part: Callable[[Any], Any], who: Callable[[], Actor]) -> type[Controller]:
    """Return the controller with each handler bound to the part there is of each kind it wants."""
    namespace: dict[str, Any] = {}
    for name, handler in handlers(controller).items():
        kinds = wanted(handler.fn)
        actor = next((one for one, kind in kinds.items() if kind is Actor), None)
        parts = {one: part(kind) for one, kind in kinds.items() if kind is not Actor}
        copied = deepcopy(handler)
        copied._fn = bound(handler.fn, parts, actor, who)
        namespace[name] = copied
    return type(controller.__name__, (controller,), {**namespace, "__doc__": controller.__doc__})
