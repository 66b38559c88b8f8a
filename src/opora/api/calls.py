"""The call being answered: what logs, jobs and handlers may know of it."""

from contextvars import ContextVar
from itertools import count
from os import urandom
from random import Random

from opora.core.access.model.callers import Caller
from opora.core.kernel.model import Actor, Origin

UNMATCHED = "unmatched"
"""The route's name of every request that no route answers: one label in metrics, whatever was asked."""


class Call:
    """One request on its way: names, the caller once known, and the status once sent."""

    __slots__ = (
        "address",
        "caller",
        "fault",
        "method",
        "origin",
        "path",
        "request_id",
        "route",
        "started_at_s",
        "status",
        "trace_id",
    )

    def __init__(self, method: str, path: str, request_id: str, trace_id: str, started_at_s: float) -> None:
        self.method = method
        self.path = path
        self.request_id = request_id
        self.trace_id = trace_id
        self.started_at_s = started_at_s
        self.route = UNMATCHED
        self.address = ""
        self.origin: Origin | None = None
        self.caller: Caller | None = None
        self.status = 0
        self.fault: BaseException | None = None


CALL: ContextVar[Call | None] = ContextVar("opora_call", default=None)
"""The call of the running task; None outside a request."""

# Trace ids name requests, they guard nothing: a seeded generator costs a tenth of the system's.
_random = Random(urandom(32))  # noqa: S311
_prefix = urandom(6).hex()
_number = count(1)


def new_request_id() -> str:
    """Return a request id: 12 hex digits of this process, then a running number."""
    return f"{_prefix}-{next(_number):x}"


def new_trace_id() -> str:
    """Return a W3C trace id: 32 hex digits, never all zero."""
    return f"{_random.getrandbits(128) | 1:032x}"


def current_actor() -> Actor:
    """Return who is asking; raises LookupError outside a request that was let in."""
    call = CALL.get()
    if call is None or call.caller is None:
        raise LookupError("there is no caller here")
    return call.caller.actor


def current_request_id() -> str:
    """Return the request's id, or "" outside a request: what a job started here is given."""
    call = CALL.get()
    return "" if call is None else call.request_id
