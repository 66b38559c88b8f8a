"""`opora serve` and `opora worker`: the first start greets, a later one does not, and both end when told."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cli.conftest import SOURCES, Opora
from opora.adapters.sql.revisions import newest
from opora.bootstrap.settings import Settings
from opora.cli.exits import Exit
from opora.cli.web import Answer, Web, WebFailed
from opora.cli.welcome import Welcome, greeted

UP_WITHIN_S = 60.0
DOWN_WITHIN_S = 30.0
ROOT = "a root secret of forty characters or more"


@contextmanager
def process(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Start a command that stays; it is gone when the block is left."""
    env = {**os.environ, "PYTHONPATH": str(SOURCES), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "opora", *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=env, stdout=pipe, stderr=pipe, text=True) as started:
        try:
            yield started
        finally:
            started.kill()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def answer(url: str, path: str, headers: dict[str, str] | None = None) -> Answer:
    """Return a service's answer as soon as it gives one."""
    end = time.monotonic() + UP_WITHIN_S
    while True:
        try:
            with Web(url) as web:
                return web.call("GET", path, headers=headers)
        except WebFailed:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def ended(started: subprocess.Popen[str]) -> tuple[int, str]:
    """Tell a command to end; return its exit code and what it wrote to standard output."""
    started.send_signal(signal.SIGTERM)
    out, _ = started.communicate(timeout=DOWN_WITHIN_S)
    return started.returncode, out


def test_the_first_start_greets_with_a_key_that_works_and_later_ones_do_not(installation: Path, opora: Opora) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with process("serve", "--port", str(port)) as first:
        assert answer(url, "/health/live").status == 200
        code, out = ended(first)
    assert code == Exit.OK
    assert "admin@opora.local" in out
    key = next(line.partition("KEY=")[2] for line in out.splitlines() if "KEY=" in line)
    with process("serve", "--port", str(port)) as second:
        assert answer(url, "/api/v1/profiles?limit=1", {"X-API-Key": key}).status == 200
        walked = opora("tour", "--url", url, "--json").json
        assert walked["ok"], json.dumps(walked["steps"][-1])
        code, out = ended(second)
    assert (code, out) == (Exit.OK, "")
    assert {"opora.db", "secrets.json"} <= {one.name for one in (installation / "home").iterdir()}


def test_a_worker_works_until_it_is_told_to_end(opora: Opora) -> None:
    opora("db", "upgrade")
    with process("worker", "--concurrency", "2") as worker:
        assert worker.stderr is not None
        assert "2 at once" in worker.stderr.readline()
        assert "job ended" in worker.stderr.readline()
        assert ended(worker)[0] == Exit.OK


def test_a_port_that_is_taken_is_said_to_be(opora: Opora, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        monkeypatch.setenv("OPORA_HTTP_PORT", str(holder.getsockname()[1]))
        refused = opora("serve")
    assert refused.code == Exit.UNAVAILABLE
    assert "--port" in refused.err


def test_the_server_set_up_is_migrated_by_the_operator(
    opora: Opora, monkeypatch: pytest.MonkeyPatch, empty_postgres_url: str
) -> None:
    monkeypatch.setenv("OPORA_DATABASE_URL", empty_postgres_url)
    monkeypatch.setenv("OPORA_SECRET_KEY", ROOT)
    monkeypatch.setenv("OPORA_HTTP_PORT", str(free_port()))
    refused = opora("serve")
    assert refused.code == Exit.UNAVAILABLE
    assert "opora db upgrade" in refused.err
    assert opora("db", "upgrade", "--json").json["current"] == newest()
    assert opora("db", "check").code == Exit.OK
    assert opora("doctor", "--json").json["faults"] == 0
    assert opora("keys", "create", "--label", "QA").code == Exit.OK
    assert opora("db", "downgrade", "--to", "base", "--yes").code == Exit.OK
    assert opora("db", "current").out == "nothing\n"


def test_a_password_that_was_given_is_not_printed() -> None:
    lines = "\n".join(greeted(Welcome("admin@example.org", None, None), Settings().base_url))
    assert "the one in OPORA_ADMIN_PASSWORD" in lines
    assert "KEY=" not in lines
    assert f"The guide  {Settings().base_url}/guide" in lines


def test_a_later_start_says_nothing() -> None:
    assert list(greeted(None, "http://127.0.0.1:8000")) == []
