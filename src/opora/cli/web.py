"""HTTP calls with the standard library alone, for commands that talk to a running service."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
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
    """One service, called over one connection that is opened again when it was closed."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url if "//" in url else f"http://{url}")
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise WebFailed(f"{url} is not an address such as http://127.0.0.1:8000")
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._connection = kind(parts.hostname, parts.port, timeout=TIMEOUT_S)
        self._prefix = parts.path.rstrip("/")
        self.url = f"{parts.scheme}://{parts.netloc}{self._prefix}"

    def call(self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> Answer:
        """Send one request, its body as JSON, and return the whole answer; raise WebFailed when there is none."""
        sent = None if body is None else json.dumps(body).encode()
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
