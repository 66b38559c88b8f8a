"""A bank that speaks the protocol of docs/core-banking.md, as a plain ASGI application in a thread of its own."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from hashlib import sha256
from threading import Thread
from typing import Any

import uvicorn

from servers.processes import HOST, free_port, listens

TOKEN = "the token of the tests"
type Reply = tuple[int, dict[str, object]]


class HttpBank:
    """The bank's side: `says` answers the next calls instead, one status each; `silent_s` lets them wait."""

    def __init__(self) -> None:
        self.files: set[str] = set()
        self.packets: dict[str, str] = {}
        self.receipts: dict[str, dict[str, Any]] = {}
        self.extra: list[object] = []
        self.holdings: dict[int, dict[str, Any]] = {}
        self.says: list[tuple[int, dict[str, str]]] = []
        self.silent_s = 0.0
        self.calls = 0

    async def __call__(self, scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[..., Any]) -> None:
        """Answer one call."""
        if scope["type"] != "http":
            return
        self.calls += 1
        body = b""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        await asyncio.sleep(self.silent_s)
        headers: dict[str, str] = {}
        if dict(scope["headers"]).get(b"authorization") != f"Bearer {TOKEN}".encode():
            status, answer = 401, {}
        elif self.says:
            (status, headers), answer = self.says.pop(0), {}
        else:
            status, answer = self.answered(scope["method"], scope["path"], scope["query_string"].decode(), body)
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})

    def answered(self, method: str, path: str, query: str, body: bytes) -> Reply:  # noqa: PLR0911  # one a route
        """Do what a call asks for."""
        name = path.rpartition("/")[2]
        match (method, path.split("/")[1]):
            case ("HEAD", "files"):
                return (200 if name in self.files else 404), {}
            case ("PUT", "files"):
                if sha256(body).hexdigest() != name:
                    return 422, {"reason": "another file"}
                self.files.add(name)
                return 201, {}
            case ("PUT", "packets"):
                return self.taken(json.loads(body))
            case ("GET", "receipts"):
                return 200, {"receipts": [*self.extra, *self.receipts.values()]}
            case ("GET", "register"):
                after = int(re.search(r"after=(\d+)", query).group(1))  # type: ignore[union-attr]  # always there
                page = [self.holdings[id] for id in sorted(self.holdings) if id > after][:5]
                return 200, {"as_of": datetime.now(UTC).isoformat(), "holdings": page}
            case ("GET", "health"):
                return 200, {"status": "ok"}
        found = self.receipts.pop(path.split("/")[2], None)
        return (204 if found else 404), {}

    def taken(self, told: dict[str, Any]) -> Reply:
        """Take a packet, once a key."""
        file = told["file"]
        if file is not None and file["sha256"] not in self.files:
            return 409, {"reason": "the file is not here"}
        reference = f"BANK-{told['document_id']}"
        if told["key"] in self.packets:
            return 200, {"reference": reference}
        self.packets[told["key"]] = reference
        before = self.holdings.get(told["document_id"], {"version": 0, "sha256": None})
        if told["version"] > before["version"]:
            digest = file["sha256"] if file else before["sha256"]
            wanted = {name: told[name] for name in ("document_id", "version", "status")}
            self.holdings[told["document_id"]] = wanted | {"sha256": digest}
        id = f"r-{told['key']}"
        self.receipts[id] = {"id": id, "packet": told["key"], "verdict": "accepted", "reference": reference}
        return 202, {"reference": reference}


class Serving:
    """A bank on a free port, in a thread."""

    def __init__(self, bank: HttpBank) -> None:
        self.port = free_port()
        config = uvicorn.Config(bank, HOST, self.port, lifespan="off", log_config=None)
        self._server = uvicorn.Server(config)
        self._thread = Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not listens(HOST, self.port):
            pass

    def stop(self) -> None:
        """End it."""
        self._server.should_exit = True
        self._thread.join(10)
