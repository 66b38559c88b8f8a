"""The API killed in the middle of uploads: no document without its file, no file without its document."""

import asyncio
import random
import signal
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import httpx
import pytest

from e2e.bank import PASSWORD, Person
from e2e.conftest import Setup, launched
from e2e.running import Installation
from opora.testing.papers import a_pdf
from servers.fleet import Fleet

UPLOADS = 200
"""So many clients send at the same time, one document each."""
KILLS = 2
ENDED_WITHIN_S = 240.0
SWEPT_WITHIN_S = 60.0
CERTIFICATES = httpx.create_ssl_context()
"""Read once: reading them takes longer than an upload."""
SETTINGS = {
    "OPORA_RATE_LIMIT_PER_MIN": "100000",
    "OPORA_DOCUMENT_UNFINISHED_S": "1",
    "OPORA_SWEEP_DOCUMENTS_S": "1",
}


@dataclass(slots=True)
class Service:
    """An installation that sweeps every second, its API processes by address, and its database."""

    setup: Setup
    cut: int = 0
    seen: list[int] = field(default_factory=list)

    @property
    def home(self) -> Path:
        return self.setup.installation.home

    def replace(self, number: int) -> None:
        """Kill the API process of an address, and start another one in its place."""
        installation = self.setup.installation
        addresses = [*self.setup.addresses]
        port = addresses[number % len(addresses)].rpartition(":")[2]
        (victim,) = [one for one in installation.processes if port in one.args]  # type: ignore[operator]
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        installation.processes.remove(victim)
        addresses[number % len(addresses)] = installation.serve(*(["--no-worker"] if self.setup.database_url else []))
        self.setup.addresses = tuple(addresses)

    def named(self) -> list[str]:
        """Return the names of the files that documents have."""
        sql = "SELECT blob_id FROM documents"
        if self.setup.database_url:
            return sorted(asyncio.run(rows_of(self.setup.database_url, sql)))
        with closing(sqlite3.connect(self.home / "opora.db")) as database:
            return sorted(row[0] for row in database.execute(sql))

    def files(self) -> list[str]:
        """Return the names of the files that are there, half ones and those that wait too."""
        folders = (self.home / "files" / "documents", self.home / "intake")
        return sorted(file.name for folder in folders for file in folder.rglob("*") if file.is_file())


async def rows_of(url: str, sql: str) -> list[str]:
    """Return the first column of what PostgreSQL answers."""
    connection = await asyncpg.connect(url.replace("postgresql+asyncpg", "postgresql"))
    try:
        return [str(row[0]) for row in await connection.fetch(sql)]
    finally:
        await connection.close()


@pytest.fixture(params=["embedded", "servers"])
def service(request: pytest.FixtureRequest, tmp_path: Path, fleet: Fleet) -> Iterator[Service]:
    """One process with everything, and two API processes on PostgreSQL and Redis beside a worker."""
    with launched(Installation(tmp_path / "home", SETTINGS), request, fleet) as setup:
        yield Service(setup)


def send(service: Service, client: httpx.Client, number: int) -> int | None:
    """Send one document in under its key; return its status, None where the connection broke."""
    address = service.setup.addresses[number % len(service.setup.addresses)]
    files = {"file": ("a.pdf", a_pdf(f"Paper {number}", padding=50_000))}
    said = {"description": f"№ {number}", "category": "contracts"}
    headers = {"Idempotency-Key": f"upload-{number}"}
    try:
        answer = client.post(f"{address}/api/v1/dbo/documents", data=said, files=files, headers=headers)
    except httpx.TransportError:
        service.cut += 1
        return None
    return answer.status_code


def sent(service: Service, token: str, number: int) -> int | None:
    """Send one in as a client does that wants it taken: again where the connection broke, the first call is still
    thought to run, or the service is too busy.
    """
    deadline_s = time.monotonic() + ENDED_WITHIN_S
    with httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=60, verify=CERTIFICATES) as client:
        while (status := send(service, client, number)) in {None, 409, 503} and time.monotonic() < deadline_s:
            time.sleep(0.5)
    service.seen.append(number)
    return status


def told_of_refusals(installation: Installation) -> str:
    """Return whether the processes live, and what the logs say of calls that did not end well."""
    lives = [process.poll() for process in installation.processes]
    bad = [line for line in installation.logs().splitlines() if '"status":20' not in line]
    return f"{lives}\n" + "\n".join(bad)[-8_000:]


def test_an_api_killed_in_the_middle_of_uploads_loses_and_doubles_nothing(service: Service) -> None:
    anna = {"email": "anna@example.org", "password": PASSWORD}
    Person(service.setup, anna["email"], "client")
    token = httpx.post(f"{service.setup.addresses[0]}/api/v1/auth/login", json=anna, timeout=60).json()["access_token"]
    chance = random.Random(20261121)  # noqa: S311 — it guards nothing
    with ThreadPoolExecutor(UPLOADS) as pool:
        sending = [pool.submit(sent, service, token, number) for number in range(UPLOADS)]
        for kill in range(KILLS):
            deadline_s = time.monotonic() + ENDED_WITHIN_S
            before = len(service.seen)
            while len(service.seen) < before + UPLOADS // 16 and time.monotonic() < deadline_s:
                time.sleep(0.01)
            time.sleep(chance.random() * 0.2)
            service.replace(kill)
            assert set(service.named()) <= set(service.files()), "a document has no file"
        ends = [one.result() for one in sending]
    assert service.cut > 0, "no call was cut off"
    assert set(ends) <= {200, 201}, f"a call has failed: {ends}\n{told_of_refusals(service.setup.installation)}"
    named = service.named()
    assert len(named) == UPLOADS, "an acknowledged document is lost, or one is there twice"
    deadline_s = time.monotonic() + SWEPT_WITHIN_S
    while service.files() != named and time.monotonic() < deadline_s:
        time.sleep(0.2)
    assert service.files() == named
    for client in service.setup.clients:
        client.http.close()
