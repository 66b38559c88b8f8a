"""The two set-ups of the stories: with no server, and on PostgreSQL and Redis with several processes."""

import itertools
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from e2e.running import SECRET, Installation
from servers.fleet import REDIS, Fleet
from servers.maintenance import Maintenance
from servers.plugin import fresh_name, or_skip


class Client:
    """Calls the addresses of an installation in turn, under one key: which process answers must not matter."""

    def __init__(self, addresses: tuple[str, ...], key: str) -> None:
        self._addresses = itertools.cycle(addresses)
        self.http = httpx.Client(headers={"X-API-Key": key}, timeout=30)

    def call(self, method: str, path: str, **given: Any) -> httpx.Response:
        """Call the next process."""
        return self.http.request(method, next(self._addresses) + path, **given)


@dataclass(slots=True)
class Setup:
    """A running installation: the addresses of its API processes, and its PostgreSQL if it has one."""

    installation: Installation
    addresses: tuple[str, ...]
    database_url: str = ""
    clients: list[Client] = field(default_factory=list)

    def key(self, *scopes: str, limit: int = 10_000) -> dict[str, Any]:
        """Make a key by the command line."""
        wanted = [part for scope in scopes for part in ("--scope", scope)]
        made = self.installation.command(
            "keys", "create", "--label", "QA", "--rate-limit-per-min", str(limit), *wanted, "--json"
        )
        return dict(json.loads(made.stdout))

    def client(self, key: str) -> Client:
        """Call under a key."""
        self.clients.append(Client(self.addresses, key))
        return self.clients[-1]


def on_servers(installation: Installation, postgres_url: str, redis_url: str) -> tuple[str, ...]:
    """Start two API processes beside one worker."""
    installation.environment = {
        **installation.environment,
        "OPORA_DATABASE_URL": postgres_url,
        "OPORA_REDIS_URL": redis_url,
        "OPORA_REDIS_PREFIX": postgres_url.rpartition("/")[2].partition("?")[0].replace("_", "-"),
        "OPORA_SECRET_KEY": SECRET,
    }
    installation.start("worker")
    with ThreadPoolExecutor() as starting:
        return tuple(starting.map(lambda _: installation.serve("--no-worker"), range(2)))


@contextmanager
def launched(installation: Installation, request: pytest.FixtureRequest, fleet: Fleet) -> Iterator[Setup]:
    """Start an installation of the set-up that the fixture is asked for; end it, and drop its database."""
    if request.param == "embedded":
        try:
            yield Setup(installation, (installation.migrated().serve(),))
        finally:
            installation.end()
        return
    postgres: Maintenance = request.getfixturevalue("postgres_server")
    with or_skip(REDIS):
        redis_url = fleet.url(REDIS)
    name = fresh_name(fleet)
    url = postgres.create(name, template=request.getfixturevalue("migrated_postgres"))
    try:
        yield Setup(installation, on_servers(installation, url, redis_url), url)
    finally:
        installation.end()
        postgres.drop(name)


@pytest.fixture(scope="module", params=["embedded", "servers"])
def setup(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, fleet: Fleet) -> Iterator[Setup]:
    """An installation of each set-up in turn, for all the stories of a module; every process ends by itself."""
    with launched(Installation(tmp_path_factory.mktemp("installation") / "home"), request, fleet) as setup:
        yield setup
        for client in setup.clients:
            client.http.close()
        assert set(setup.installation.end()) <= {0}
