"""nginx before two API processes and a service that believes the gateway: what the stories of the gateway play on."""

import json
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import httpx
import pytest

from e2e.running import SECRET, Installation, free_port
from servers import nginx
from servers.fleet import REDIS, Fleet
from servers.maintenance import Maintenance
from servers.plugin import fresh_name, or_skip

PASSWORD = "correct horse battery"
GATEWAY = "127.0.0.1"
"""nginx stands here; clients of the tests come from other addresses of the loopback and so from outside."""
OUTSIDE = (f"127.0.0.{number}" for number in range(10, 250))


class Service(BaseHTTPRequestHandler):
    """Answers what it was asked with: a service behind the gateway that has nothing to say of its own."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = json.dumps([[name.lower(), value] for name, value in self.headers.items()]).encode()
        self.server.calls += 1  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.do_GET()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@dataclass(slots=True)
class Town:
    """The gateway's address, those of the processes behind it, and the service's count of calls."""

    installation: Installation
    url: str
    plain_url: str
    processes: tuple[str, ...]
    service: ThreadingHTTPServer
    trusted: ssl.SSLContext
    clients: list[httpx.Client] = field(default_factory=list)
    _admin: httpx.Client | None = None

    @property
    def calls(self) -> int:
        """How often the service was called."""
        return int(self.service.calls)  # type: ignore[attr-defined]

    def client(self, address: str | None = None, **headers: str) -> httpx.Client:
        """Return a client from an address that nobody else calls from."""
        transport = httpx.HTTPTransport(verify=self.trusted, local_address=address or next(OUTSIDE))
        made = httpx.Client(transport=transport, headers=headers, timeout=20)
        self.clients.append(made)
        return made

    def admin(self) -> httpx.Client:
        """Return a client that may do everything; its key is made by command, once."""
        if self._admin is None:
            made = self.installation.command("keys", "create", "--label", "admin", "--scope", "admin", "--json")
            self._admin = self.client(**{"X-API-Key": json.loads(made.stdout)["key"]})
        return self._admin

    def person(self, *roles: str) -> str:
        """Make a person, and return their address."""
        email = f"{uuid4().hex[:8]}@example.org"
        wanted = {"email": email, "password": PASSWORD, "roles": roles or ("client",)}
        assert self.admin().post(f"{self.url}/api/users", json=wanted).status_code == 201
        return email

    def tokens(self, client: httpx.Client, email: str) -> dict[str, Any]:
        """Log a person in through the gateway."""
        answer = client.post(f"{self.url}/api/auth/login", json={"email": email, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def key(self, *scopes: str, limit: int = 10_000) -> dict[str, Any]:
        """Make a key."""
        wanted = {"label": "QA", "scopes": scopes, "rate_limit_per_min": limit}
        return dict(self.admin().post(f"{self.url}/api/admin/api-keys", json=wanted).json())


@contextmanager
def serving(
    installation: Installation, variables: dict[str, str], fleet: Fleet, apis: int = 2, workers: int = 1
) -> Iterator[Town]:
    """Start API processes, workers, the service and nginx before them."""
    port, plain = free_port(), free_port()
    url = f"https://{GATEWAY}:{port}"
    installation.environment = {
        "OPORA_TRUSTED_PROXIES": f"{GATEWAY}/32",
        "OPORA_INTERNAL_NETWORKS": f"{GATEWAY}/32",
        "OPORA_BASE_URL": url,
        "OPORA_ADDRESS_LIMIT_PER_MIN": "10000",
        "OPORA_RATE_LIMIT_PER_MIN": "10000",
        **variables,
    }
    with ThreadPoolExecutor() as starting:
        processes = tuple(starting.map(lambda _: installation.serve("--no-worker"), range(apis)))
    for _ in range(workers):
        installation.start("worker")
    service = ThreadingHTTPServer((GATEWAY, 0), Service)
    service.calls = 0  # type: ignore[attr-defined]
    threading.Thread(target=service.serve_forever, daemon=True).start()
    behind = " ".join(f"server {one.removeprefix('http://')};" for one in processes)
    yours = {
        "server 127.0.0.1:8000;": behind,
        "server 127.0.0.1:9000;": f"server {GATEWAY}:{service.server_port};",
        "listen 80;": f"listen {GATEWAY}:{plain};",
        "listen 443 ssl;": f"listen {GATEWAY}:{port} ssl;",
    }
    server, certificate = nginx.start(fleet.folder / f"nginx-{uuid4().hex[:8]}", fleet.pid, yours, port)
    trusted = ssl.create_default_context(cafile=str(certificate))
    town = Town(installation, url, f"http://{GATEWAY}:{plain}", processes, service, trusted)
    try:
        yield town
    finally:
        for client in town.clients:
            client.close()
        server.stop()
        service.shutdown()
        service.server_close()


@pytest.fixture(scope="module")
def town(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, fleet: Fleet) -> Iterator[Town]:
    """The whole town on PostgreSQL and Redis, for all the stories of a module; skipped where there is no nginx."""
    if nginx.program() is None:
        pytest.skip(nginx.ABSENT)
    postgres: Maintenance = request.getfixturevalue("postgres_server")
    with or_skip(REDIS):
        redis_url = fleet.url(REDIS)
    name = fresh_name(fleet)
    variables = {
        "OPORA_DATABASE_URL": postgres.create(name, template=request.getfixturevalue("migrated_postgres")),
        "OPORA_REDIS_URL": redis_url,
        "OPORA_REDIS_PREFIX": name.replace("_", "-"),
        "OPORA_SECRET_KEY": SECRET,
    }
    installation = Installation(tmp_path_factory.mktemp("town") / "home")
    try:
        with serving(installation, variables, fleet) as town:
            yield town
            assert set(installation.end()) <= {0}
    finally:
        installation.end()
        postgres.drop(name)
