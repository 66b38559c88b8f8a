"""The log: one line a request, one a fault; coloured on a terminal, JSON elsewhere; never a secret."""

import logging
import re
import sys
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any, TextIO

import msgspec
import structlog

from opora.api.calls import CALL, Call
from opora.core.kernel.model import Actor

_SECRETS = re.compile(
    r"(?i)(\bbearer\s+)[^\s\"',]+|\bop[ckrtu]_[A-Za-z0-9_-]{8,}|\beyJ[\w-]{6,}\.[\w-]+\.[\w-]+|(://[^/\s:@]*:)[^@/\s]+(?=@)"
)
_SILENT_KEYS = frozenset(
    {"authorization", "password", "token", "api_key", "key", "secret", "passport", "body", "query", "cookie"}
)
ANYONE = Actor()

Event = MutableMapping[str, Any]


def scrubbed(text: str) -> str:
    """Return the text with keys, tokens and passwords in addresses struck out."""
    return _SECRETS.sub(lambda match: f"{match[1] or match[2] or ''}[struck]", text)


def scrub(_logger: object, _name: str, event: Event) -> Event:
    """Strike secrets out of an event: fields by their name, texts by their look."""
    for key, value in event.items():
        if key in _SILENT_KEYS:
            event[key] = "[struck]"
        elif isinstance(value, str) and len(value) > 8:  # noqa: PLR2004
            event[key] = scrubbed(value)
    return event


def add_call(_logger: object, _name: str, event: Event) -> Event:
    """Name the request that a line belongs to."""
    call = CALL.get()
    if call is not None:
        event.setdefault("request_id", call.request_id)
        event.setdefault("trace_id", call.trace_id)
    return event


def _json(event: Event, **_: Any) -> str:
    return msgspec.json.encode(event, enc_hook=str).decode()


def configure(level: str = "info", *, as_json: bool | None = None, stream: TextIO | None = None) -> None:
    """Set the process's log up on a stream, standard error unless told; JSON unless that is a terminal."""
    stream = sys.stderr if stream is None else stream
    is_json = not stream.isatty() if as_json is None else as_json
    # Exceptions become text before the scrubbing, and without local variables, which hold credentials.
    shared: list[Any] = [
        add_call,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        scrub,
    ]
    shown: Any = structlog.processors.JSONRenderer(_json) if is_json else structlog.dev.ConsoleRenderer()
    filtering = structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()])
    structlog.configure(
        processors=[*shared, shown],
        wrapper_class=filtering,
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    _lines.log = structlog.get_logger("opora.http")
    _lines.raw = stream if is_json else None


class _Lines:
    """Where the lines go: `raw` is the stream that takes requests' lines as JSON, None when structlog shows them."""

    log: Any = structlog.get_logger("opora.http")
    raw: TextIO | None = None


class RequestLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """The line of one request."""

    event: str
    level: str
    timestamp: datetime
    method: str
    route: str
    status: int
    latency_ms: float
    request_id: str
    trace_id: str
    address: str
    key_id: int | None = None
    user_id: int | None = None


_lines = _Lines()
_encode = msgspec.json.Encoder().encode


def request_line(call: Call, seconds: float) -> None:
    """Write the line of one request.

    It holds names and numbers only, so as JSON it is written whole, without structlog's chain, which strikes secrets
    out of anything and would cost as much as the rest of the gate.
    """
    actor = ANYONE if call.known is None else call.known.actor
    line = RequestLine(
        "request",
        "info",
        datetime.now(UTC),
        call.method,
        call.route,
        call.status,
        round(seconds * 1000, 2),
        call.request_id,
        call.trace_id,
        call.address,
        actor.key_id,
        actor.user_id,
    )
    if _lines.raw is not None:
        _lines.raw.write(_encode(line).decode() + "\n")
    else:
        shown = {name: value for name, value in msgspec.structs.asdict(line).items() if name not in _OWN}
        _lines.log.info("request", **shown)


_OWN = frozenset({"event", "level", "timestamp"})


def fault_line(call: Call, fault: BaseException) -> None:
    """Write the line of a fault, with its traceback: the only place its text appears."""
    _lines.log.error(
        "fault",
        method=call.method,
        route=call.route,
        request_id=call.request_id,
        trace_id=call.trace_id,
        exc_info=fault,
    )
