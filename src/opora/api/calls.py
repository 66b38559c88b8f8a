"""The call being answered: what logs, jobs and handlers may know of it."""

import re
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import replace
from itertools import count
from os import urandom
from typing import Any

from opora.core.access.model.callers import Caller
from opora.core.kernel.model import Actor, Origin

USER_AGENT_MAX = 256
UNMATCHED = "unmatched"
"""The route's name of every request that no route answers: one label in metrics, whatever was asked."""


class Call:
    """One request on its way: names, the caller once known, and the status once sent."""

    __slots__ = (
        "_caller",
        "address",
        "agent",
        "fault",
        "is_of_gateway",
        "known",
        "method",
        "path",
        "peer",
        "refused_as",
        "request_id",
        "route",
        "started_at_s",
        "status",
        "trace_id",
    )

    def __init__(self, method: str, path: str, started_at_s: float) -> None:
        self.method = method
        self.path = path
        self.request_id, self.trace_id = new_names()
        self.started_at_s = started_at_s
        self.route = UNMATCHED
        self.peer = ""
        self.address = ""
        self.is_of_gateway = False
        self.refused_as: Callable[[Any], Any] | None = None
        """How the route tells its refusals, a Problem made of a Problem, where it has a form of its own for them."""
        self.agent: bytes | None = None
        self.known: Caller | None = None
        """The caller as last met: all that counts and logs need, but with the origin of another call."""
        self._caller: Caller | None = None
        self.status = 0
        self.fault: BaseException | None = None

    def origin(self) -> Origin:
        """Return what the audit log keeps of where this call came from."""
        agent = "" if self.agent is None else self.agent[:USER_AGENT_MAX].decode("latin-1")
        return Origin(self.address, agent if agent.isprintable() else _CONTROLS.sub(" ", agent), self.request_id)

    @property
    def caller(self) -> Caller | None:
        """Who is asking, with this call's origin; None before they were let in. Built when first asked for."""
        if self._caller is None and self.known is not None:
            self._caller = replace(self.known, actor=replace(self.known.actor, origin=self.origin()))
        return self._caller


_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")

CALL: ContextVar[Call | None] = ContextVar("opora_call", default=None)
"""The call of the running task; None outside a request."""

_prefix = urandom(6).hex()
_trace_prefix = urandom(10).hex()
_number = count(1)


def new_names() -> tuple[str, str]:
    """Return a request id and a W3C trace id: random digits of this process, then a running number.

    Both are unique without asking the system for randomness at every request; neither guards anything.
    """
    number = next(_number)
    return f"{_prefix}-{number:x}", f"{_trace_prefix}{number:012x}"


def current_actor() -> Actor:
    """Return who is asking; raises LookupError outside a request that was let in."""
    return current_caller().actor


def current_caller() -> Caller:
    """Return who is asking and under which limits; raises LookupError outside a request that was let in."""
    call = CALL.get()
    if call is None or call.caller is None:
        raise LookupError("there is no caller here")
    return call.caller


def current_request_id() -> str:
    """Return the request's id, or "" outside a request: what a job started here is given."""
    call = CALL.get()
    return "" if call is None else call.request_id
