"""A service that answers as the contract says, to a tour with rights to profiles; told to, it answers otherwise."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

PERSON = {"full_name": "Анна Иванова", "birth_date": "1990-02-03", "address": {"city": "Тверь"}}


@dataclass(slots=True)
class Model:
    """What the service holds; `otherwise` maps a call to the status it wrongly answers with."""

    otherwise: Mapping[str, int] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    credentials: list[str] = field(default_factory=list)
    small: int = 5
    polls: int = 1
    deleted: bool = False
    keys: int = 0

    def answer(self, call: str, headers: Mapping[str, str], body: Any) -> tuple[int, Any]:
        """Return the status and the body of one answer."""
        self.calls.append(call)
        self.credentials.append(headers.get("X-API-Key") or headers.get("Authorization") or "")
        if {"X-API-Key", "Authorization"} <= headers.keys():
            return 401, {"code": "credentials_ambiguous", "detail": "two credentials"}
        if call in self.otherwise:
            return self.otherwise[call], {"code": "model", "title": "Told to", "detail": "told to answer so"}
        method, _, path = call.partition(" ")
        if path.startswith("/api/v1/profiles"):
            return self._profiles(method, path, headers, body)
        if path.startswith("/api/v1/exports"):
            return self._exports(method, path)
        return self._service(call, body)

    def _service(self, call: str, body: Any) -> tuple[int, Any]:
        if call == "GET /health/ready":
            return 200, {"status": "ok"}
        if call.startswith("DELETE /api/v1/admin/api-keys/"):
            return 204, None
        if call == "POST /api/v1/auth/login":
            return 200, {"access_token": "token"}
        if call == "POST /api/v1/users" or "projects:write" in body["scopes"]:
            return 403, {"code": "insufficient_scope", "detail": "you do not hold that"}
        self.keys += 1
        return 201, {"id": self.keys, "key": f"opk_test_{self.keys}"}

    def _profiles(self, method: str, path: str, headers: Mapping[str, str], body: Any) -> tuple[int, Any]:
        if method == "POST":
            return 201, {"profiles": [{"id": n, **PERSON} for n in range(body["count"])], "persisted": True, "seed": 1}
        if method == "DELETE":
            self.deleted = True
            return 204, None
        if headers.get("X-API-Key") == "opk_test_2":
            self.small -= 1
            return (200, {"count": 1, "results": []}) if self.small >= 0 else (429, {"code": "rate_limited"})
        if path.endswith("/99"):
            return (404, {"code": "no_such_profile"}) if self.deleted else (200, PERSON)
        return 200, {"count": 100, "results": [PERSON]} if "?" in path else PERSON

    def _exports(self, method: str, path: str) -> tuple[int, Any]:
        if method == "POST":
            return 202, {"export_id": "e-1", "status": "queued"}
        if path.endswith("/download"):
            return 200, b"%PDF-1.7 and so on"
        self.polls -= 1
        return 200, {"status": "completed" if self.polls < 0 else "running"}


@contextmanager
def serving(model: Model) -> Iterator[str]:
    """Serve the model on a free port of this machine; gives its address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            headers = dict(self.headers.items())
            status, answer = model.answer(f"{self.command} {self.path}", headers, body)
            sent = answer if isinstance(answer, bytes) else b"" if answer is None else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(sent)))
            self.send_header("Retry-After", "12")
            self.end_headers()
            self.wfile.write(sent)

        do_GET = do_POST = do_DELETE = do  # noqa: N815 — the names http.server looks for

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()
