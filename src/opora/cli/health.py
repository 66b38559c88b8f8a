"""`opora health`: ask a process of this machine how it is; containers, probes and units ask so, without curl."""

import json
from argparse import ArgumentParser
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from opora.bootstrap.settings import Settings
from opora.bootstrap.sources import read
from opora.cli.command import Call, Command
from opora.cli.exits import CommandFailed, Exit

TIMEOUT_S = 5.0
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104  # what is asked, not listened on


def ask(call: Call) -> Exit:
    """Ask one process, and end with UNAVAILABLE unless it answers that it lives, or that it can serve."""
    url = call.arguments.url or address(read(), of_worker=call.arguments.worker)
    path = "/health/live" if call.arguments.live else "/health/ready"
    status, told = answer(url, path)
    checks = told.get("checks", {})
    well = status == HTTPStatus.OK
    call.output.document({"ok": well, "url": url, "checks": checks})
    for name, check in checks.items():
        call.output.line(f"{name}: {check.get('status')}")
    if not well:
        call.output.note(f"{url}{path} answers {status}\n  → `opora doctor` says what to mend")
        return Exit.UNAVAILABLE
    call.output.line("live" if call.arguments.live else "ready")
    return Exit.OK


def address(settings: Settings, *, of_worker: bool) -> str:
    """Return where this machine's process listens; CommandFailed for a worker that listens nowhere."""
    port = settings.worker_port if of_worker else settings.http_port
    if not port:
        name = "OPORA_WORKER_PORT" if of_worker else "OPORA_HTTP_PORT"
        raise CommandFailed(Exit.USAGE, f"{name} names no port to ask", f"Set {name}, or give --url")
    host = settings.http_host.strip("[]")
    host = EVERYWHERE.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def answer(url: str, path: str) -> tuple[int, dict[str, Any]]:
    """Return a status and the document under it; CommandFailed where nobody answers in time."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise CommandFailed(Exit.USAGE, f"{url!r} is no address", "Write it so: --url http://127.0.0.1:8000")
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname, parts.port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", parts.path.rstrip("/") + path)
        got = connection.getresponse()
        told = json.loads(got.read(1 << 20) or b"{}")
    except (OSError, HTTPException, ValueError) as fault:
        raise CommandFailed(Exit.UNAVAILABLE, f"{url} does not answer: {fault}", "Is it up?") from fault
    finally:
        connection.close()
    return got.status, told if isinstance(told, dict) else {}


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--url", default="", help="whom to ask; this machine's OPORA_HTTP_HOST and OPORA_HTTP_PORT")
    parser.add_argument("--worker", action="store_true", help="ask `opora worker`, which listens on OPORA_WORKER_PORT")
    parser.add_argument("--live", action="store_true", help="only whether it lives, not whether it can serve")


COMMANDS = {"": Command("Ask a process whether it can serve", ask, _arguments, "opora health --worker")}
