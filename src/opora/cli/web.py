"""HTTP calls with the standard library alone, for commands that talk to a running service."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Self
from urllib.parse import urlsplit

TIMEOUT_S = 30.0


class WebFailed(Exception):
    """The service does not answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def json(self) -> Any:
        """The body as JSON; nothing where it is none."""
        try:
            return json.loads(self.body) if self.body else None
        except ValueError:
            return None


class Web:
    """One service, called over one connection that is opened again when it was closed; leaving the block closes it."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_S)
        self._prefix = parts.path.rstrip("/")
        self.url = url

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def call(self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> Answer:
        """Send one request and return the whole answer; raise WebFailed when there is none.

        Bytes are sent as they are, under the Content-Type given; any other body as JSON.
        """
        sent = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        given = {
            "Accept": "*/*",
            **({"Content-Type": "application/json"} if sent is not None else {}),
            **(headers or {}),
        }
        try:
            self._connection.request(method, self._prefix + path, sent, given)
            answer = self._connection.getresponse()
            content = answer.read()
        except (OSError, HTTPException) as fault:
            self._connection.close()
            raise WebFailed(f"{self.url} does not answer: {fault or type(fault).__name__}") from fault
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, content)
