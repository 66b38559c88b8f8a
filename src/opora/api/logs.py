"""The log: one line a request, one a fault; coloured on a terminal, JSON elsewhere; never a secret."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import msgspec
import structlog

from opora.api.calls import CALL, Call

_SECRETS = re.compile(
    r"(?i)(\bbearer\s+)[^\s\"',]+|\bop[kr]_[A-Za-z0-9_]{8,}|\beyJ[\w-]{6,}\.[\w-]+\.[\w-]+|(://[^/\s:@]*:)[^@/\s]+(?=@)"
)
_SILENT_KEYS = frozenset(
    {"authorization", "password", "token", "api_key", "key", "secret", "passport", "body", "query", "cookie"}
)
_log = structlog.get_logger("opora.http")

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


def configure(level: str = "info", *, as_json: bool | None = None) -> None:
    """Set the process's log up; JSON unless standard error is a terminal."""
    is_json = not sys.stderr.isatty() if as_json is None else as_json
    # Exceptions become text before the scrubbing, and without local variables, which hold credentials.
    shared: list[Any] = [
        add_call,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        scrub,
    ]
    shown: Any = structlog.processors.JSONRenderer(_json) if is_json else structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[*shared, shown],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def request_line(call: Call, seconds: float) -> None:
    """Write the line of one request: names and numbers only."""
    actor = None if call.caller is None else call.caller.actor
    _log.info(
        "request",
        method=call.method,
        route=call.route,
        status=call.status,
        latency_ms=round(seconds * 1000, 2),
        request_id=call.request_id,
        trace_id=call.trace_id,
        key_id=None if actor is None else actor.key_id,
        user_id=None if actor is None else actor.user_id,
        address=call.address,
    )


def fault_line(call: Call, fault: BaseException) -> None:
    """Write the line of a fault, with its traceback: the only place its text appears."""
    _log.error(
        "fault",
        method=call.method,
        route=call.route,
        request_id=call.request_id,
        trace_id=call.trace_id,
        exc_info=fault,
    )
