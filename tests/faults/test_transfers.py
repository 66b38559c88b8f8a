"""Imports over HTTP whose caller, disk, drop or server goes away half-way: nothing is lost, doubled or left behind."""

import asyncio
import json
import resource
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncssh
import httpx
import pytest

from e2e.conftest import Setup, launched
from e2e.running import Installation
from servers.fleet import Fleet
from servers.processes import HOST
from servers.proxy import Proxy
from servers.sftp_bank import PASSWORD, Doorkeeper

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="only Linux bounds the files of another process"),
]

MIB = 1024 * 1024
FILE_MAX = 6 * MIB
ROWS = 50_000
NOTE = b"," + b"x" * 150 + b"\n"
WITHIN_S = 120.0
FOLDERS = ("files", "intake")


class Site:
    """An installation of one set-up, a partner's drop behind a line that can be cut, and a project."""

    def __init__(self, setup: Setup, drop: Path, line: Proxy) -> None:
        self.setup = setup
        self.drop = drop
        self.line = line
        self.client = setup.client(setup.key("admin", limit=100_000)["key"])
        self.project = self.client.call("POST", "/api/v1/projects", json={"name": "a"}).json()["id"]

    @property
    def home(self) -> Path:
        return self.setup.installation.home

    def left(self) -> list[Path]:
        """Return the files that uploads have left."""
        return [one for name in FOLDERS for one in (self.home / name).rglob("*") if one.is_file()]

    def jobs(self) -> list[dict[str, Any]]:
        """Return the transfers there are."""
        return list(self.client.call("GET", f"/api/v1/sftp/jobs?project_id={self.project}").json()["results"])

    def count(self) -> int:
        """Return how many numbers the project has."""
        answer = self.client.call("GET", "/api/v1/phone-numbers", params={"project_id": self.project, "limit": 1})
        return int(answer.json()["count"])

    def fresh(self) -> None:
        """Go on with another project."""
        self.project = self.client.call("POST", "/api/v1/projects", json={"name": "a"}).json()["id"]

    def send(self, content: bytes, key: str = "") -> httpx.Response:
        """Send a file to be imported."""
        return self.client.call(
            "POST",
            "/api/v1/phone-numbers/import",
            data={"project_id": str(self.project)},
            files={"file": ("base.csv", content)},
            headers={"Idempotency-Key": key} if key else {},
        )

    def job(self, id: str) -> dict[str, Any]:
        """Return how a transfer stands."""
        return dict(self.client.call("GET", f"/api/v1/sftp/jobs/{id}").json())

    def ended(self, id: str) -> dict[str, Any]:
        """Return how a transfer ended."""
        found: dict[str, Any] = {}

        def is_over() -> bool:
            found.update(self.job(id))
            return found["status"] in {"completed", "failed"}

        until(is_over)
        return found


def until(holds: Callable[[], object]) -> None:
    """Wait for something to hold."""
    deadline_s = time.monotonic() + WITHIN_S
    while not holds():
        assert time.monotonic() < deadline_s, "it never came"
        time.sleep(0.05)


def numbers(count: int, first: int = 79160000000) -> bytes:
    """Return a file of that many numbers, each with a long note."""
    return b"phone,note\n" + b"".join(b"%d" % (first + nth) + NOTE for nth in range(count))


@contextmanager
def begun(site: Site, content: bytes, key: str = "") -> Iterator[None]:
    """Begin to send a file that never ends."""
    place = urlsplit(site.setup.addresses[0])
    head = (
        f"POST /api/v1/phone-numbers/import HTTP/1.1\r\nHost: {place.netloc}\r\n"
        f"X-API-Key: {site.client.http.headers['x-api-key']}\r\nContent-Length: 100000000\r\n"
        + (f"Idempotency-Key: {key}\r\n" if key else "")
        + "Content-Type: multipart/form-data; boundary=cut\r\n\r\n"
        f'--cut\r\nContent-Disposition: form-data; name="project_id"\r\n\r\n{site.project}\r\n'
        '--cut\r\nContent-Disposition: form-data; name="file"; filename="base.csv"\r\n\r\n'
    )
    with socket.create_connection((place.hostname or HOST, place.port or 80)) as caller:
        caller.sendall(head.encode() + content)
        yield


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def partner(
    anyio_backend: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Path, str, Proxy]]:
    """A partner's SSH server in this process: its folder, its key, and the line to it."""
    folder = tmp_path_factory.mktemp("partner")
    key = asyncssh.generate_private_key("ssh-ed25519")

    def rooted(channel: Any) -> asyncssh.SFTPServer:
        return asyncssh.SFTPServer(channel, chroot=str(folder).encode())

    server = await asyncssh.listen(
        HOST, 0, server_factory=Doorkeeper, server_host_keys=[key], sftp_factory=rooted, config=None
    )
    line = Proxy(f"sftp://{HOST}:{server.get_port()}")
    await line.start()
    yield folder, key.export_public_key().decode().strip(), line
    await line.cut()
    server.close()
    await server.wait_closed()


@pytest.fixture(scope="module", params=["embedded", "servers"])
async def site(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    fleet: Fleet,
    partner: tuple[Path, str, Proxy],
) -> AsyncIterator[Site]:
    """A site of each set-up in turn."""
    folder, host_key, line = partner
    address = f"sftp://opora:{PASSWORD.replace(' ', '%20')}@{urlsplit(line.url).netloc}/"
    installation = Installation(tmp_path_factory.mktemp("installation") / "home")
    installation.environment = {
        "OPORA_SFTP_URL": address,
        "OPORA_SFTP_HOST_KEY": host_key,
        "OPORA_SFTP_NETWORKS": "127.0.0.0/8",
        "OPORA_JOB_LEASE_S": "3",
    }
    running = launched(installation, request, fleet)
    setup = await asyncio.to_thread(running.__enter__)
    try:
        yield await asyncio.to_thread(Site, setup, folder, line)
    finally:
        for client in setup.clients:
            client.http.close()
        await asyncio.to_thread(running.__exit__, None, None, None)


def test_a_caller_that_leaves_in_the_middle_of_an_upload_leaves_nothing(site: Site) -> None:
    with begun(site, numbers(10_000)):
        until(site.left)
    until(lambda: not site.left())
    assert site.jobs() == []


def test_a_disk_that_fills_up_refuses_the_file_and_takes_it_once_there_is_room(site: Site) -> None:
    content = numbers(ROWS)
    assert len(content) > FILE_MAX
    apis = [one for one in site.setup.installation.processes if "serve" in one.args]  # type: ignore[operator]
    usual = resource.prlimit(apis[0].pid, resource.RLIMIT_FSIZE)
    for one in apis:
        resource.prlimit(one.pid, resource.RLIMIT_FSIZE, (FILE_MAX, usual[1]))
    refused = site.send(content, "full")
    assert (refused.status_code, refused.json()["code"]) == (503, "storage_unavailable")
    assert int(refused.headers["retry-after"]) > 0
    assert (site.left(), site.jobs()) == ([], [])
    for one in apis:
        resource.prlimit(one.pid, resource.RLIMIT_FSIZE, usual)
    taken = site.send(content, "full")
    assert taken.status_code == 202, taken.text
    job = site.ended(taken.json()["job_id"])
    assert (job["status"], job["created"], job["duplicates"]) == ("completed", ROWS, 0)
    assert site.count() == ROWS


async def test_a_drop_whose_line_breaks_in_the_middle_of_a_file_is_read_anew(site: Site) -> None:
    await asyncio.to_thread(site.fresh)
    (site.drop / "base.csv").write_bytes(numbers(ROWS))
    site.line.cut_after(3 * MIB)
    asked = await asyncio.to_thread(
        site.client.call, "POST", "/api/v1/sftp/import", json={"project_id": site.project, "file_name": "base.csv"}
    )
    assert asked.status_code == 202, asked.text
    id = asked.json()["job_id"]
    async with asyncio.timeout(WITHIN_S):
        while not (told := (await asyncio.to_thread(site.job, id))["error_log"]):  # noqa: ASYNC110
            await asyncio.sleep(0.05)  # it is the service that is asked
    assert told.startswith("The line to the drop broke"), told
    assert "tried again" in told
    assert (await asyncio.to_thread(site.job, id))["status"] in {"pending", "running"}
    assert await asyncio.to_thread(site.count) == 0
    await site.line.start()
    job = await asyncio.to_thread(site.ended, id)
    assert (job["status"], job["created"], job["duplicates"], job["error_log"]) == ("completed", ROWS, 0, None)
    assert await asyncio.to_thread(site.count) == ROWS


async def test_an_export_whose_line_breaks_shows_no_file_that_is_not_whole(site: Site) -> None:
    held = await asyncio.to_thread(site.count)
    out = site.drop / f"{site.setup.installation.home.parent.name}.csv"
    site.line.cut_after(2 * MIB)
    wish = {"project_id": site.project, "file_name": out.name}
    asked = await asyncio.to_thread(site.client.call, "POST", "/api/v1/sftp/export", json=wish)
    id = asked.json()["job_id"]
    async with asyncio.timeout(WITHIN_S):
        while not (await asyncio.to_thread(site.job, id))["error_log"]:  # noqa: ASYNC110
            await asyncio.sleep(0.05)  # as above
    assert not out.exists()
    await site.line.start()
    job = await asyncio.to_thread(site.ended, id)
    assert (job["status"], job["records_count"]) == ("completed", held)
    assert out.read_bytes().count(b"\n") == held + 1


def test_a_server_killed_in_the_middle_of_an_upload_takes_the_same_call_again(site: Site) -> None:
    site.fresh()
    content = numbers(ROWS)
    setup = site.setup
    with begun(site, content[: 2 * MIB], "killed"):
        until(site.left)
        for one in [one for one in setup.installation.processes if "serve" in one.args]:  # type: ignore[operator]
            one.send_signal(signal.SIGKILL)
            one.wait()
            setup.installation.processes.remove(one)
    arguments = ("--no-worker",) if len(setup.addresses) > 1 else ()
    setup.addresses = (setup.installation.serve(*arguments),)
    site.client = setup.client(str(site.client.http.headers["x-api-key"]))
    assert site.jobs() == []
    taken = site.send(content, "killed")
    assert taken.status_code == 202, taken.text
    again = site.send(content, "killed")
    assert (again.status_code, json.loads(again.text)) == (202, taken.json())
    job = site.ended(taken.json()["job_id"])
    assert (job["status"], job["created"], job["duplicates"]) == ("completed", ROWS, 0)
    assert (site.count(), len(site.jobs())) == (ROWS, 1)
