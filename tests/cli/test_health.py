"""`opora health`: what it asks, and how it ends."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from cli.conftest import Opora
from opora.cli.exits import Exit


class Process(BaseHTTPRequestHandler):
    """Answers as a process of Opora whose database is what `server.ready` says."""

    def do_GET(self) -> None:
        ready = self.server.ready or self.path == "/health/live"  # type: ignore[attr-defined]
        checks = {"database": {"status": "ok" if ready else "failing"}}
        body = json.dumps({"status": "ok"} if self.path == "/health/live" else {"checks": checks}).encode()
        self.send_response(200 if ready else 503)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def process() -> Iterator[ThreadingHTTPServer]:
    """A process that is ready until a test says otherwise."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Process)
    server.ready = True  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize(("variable", "more"), [("OPORA_HTTP_PORT", ()), ("OPORA_WORKER_PORT", ("--worker",))])
def test_the_process_of_this_machine_is_asked(
    opora: Opora, process: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch, variable: str, more: tuple[str, ...]
) -> None:
    monkeypatch.setenv(variable, str(process.server_port))
    monkeypatch.setenv("OPORA_HTTP_HOST", "0.0.0.0")  # noqa: S104  # as in a container
    ended = opora("health", *more)
    assert (ended.code, ended.out) == (Exit.OK, "database: ok\nready\n")


def test_what_is_not_ready_is_named_and_fails_though_it_lives(opora: Opora, process: ThreadingHTTPServer) -> None:
    process.ready = False  # type: ignore[attr-defined]
    url = f"http://127.0.0.1:{process.server_port}"
    ended = opora("health", "--url", url)
    assert ended.code == Exit.UNAVAILABLE
    assert ended.out == "database: failing\n"
    assert "503" in ended.err
    assert opora("health", "--url", url, "--live").code == Exit.OK
    assert opora("health", "--url", url, "--json").json["checks"]["database"]["status"] == "failing"


def test_nobody_there_is_told_from_a_wrong_command(opora: Opora) -> None:
    assert opora("health", "--url", "http://127.0.0.1:1").code == Exit.UNAVAILABLE
    assert opora("health", "--url", "127.0.0.1:8000").code == Exit.USAGE
    ended = opora("health", "--worker")
    assert ended.code == Exit.USAGE
    assert "OPORA_WORKER_PORT" in ended.err
