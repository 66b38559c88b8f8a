"""Faults to Sentry, where an operator sets an address: scrubbed, without bodies, local variables or people."""

from importlib import import_module
from typing import Any

from opora.api.calls import CALL
from opora.api.logs import scrubbed

Event = dict[str, Any]


class SentryMissing(Exception):
    """An address is set but the library is not installed: install `opora[sentry]`."""


def start(dsn: str, environment: str, release: str) -> None:
    """Send faults from now on; raises SentryMissing without the library."""
    try:
        sentry: Any = import_module("sentry_sdk")
    except ImportError:
        raise SentryMissing("OPORA_SENTRY_DSN is set: install opora[sentry]") from None
    sentry.init(
        dsn=dsn,
        environment=environment,
        release=release,
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        default_integrations=False,
        before_send=before_send,
    )


def report(fault: BaseException) -> None:
    """Send one fault, if `start` was called."""
    try:
        sentry: Any = import_module("sentry_sdk")
    except ImportError:
        return
    sentry.capture_exception(fault)


def before_send(event: Event, _hint: object) -> Event:
    """Strike out secrets, and everything of the request but its names."""
    event.pop("request", None)
    event.pop("user", None)
    event.pop("server_name", None)
    call = CALL.get()
    if call is not None:
        event["tags"] = {"trace_id": call.trace_id, "request_id": call.request_id, "route": call.route}
    cleaned = _scrubbed(event)
    assert isinstance(cleaned, dict)  # noqa: S101  # a dictionary in is a dictionary out
    return cleaned


def _scrubbed(node: object) -> object:
    if isinstance(node, str):
        return scrubbed(node)
    if isinstance(node, dict):
        return {key: _scrubbed(value) for key, value in node.items() if key != "vars"}
    if isinstance(node, list):
        return [_scrubbed(one) for one in node]
    return node
