"""The drops of files keep their contract: a folder, and a real SSH server."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from opora.adapters.sftp.folder import FolderDrop
from opora.adapters.sftp.lines import Line, may_connect, partner_of
from opora.adapters.sftp.server import SftpDrop
from opora.core.numbers.errors.transfers import DropRefused, DropUnavailable
from opora.testing.blobs import in_parts
from opora.testing.drops import LARGE, SIZE_MAX, FileDropContract, read
from servers.processes import HOST
from servers.proxy import Proxy
from servers.sftp_bank import PASSWORD, Doorkeeper

pytestmark = pytest.mark.anyio

LOOPBACK = ("127.0.0.0/8",)


class TestFolder(FileDropContract):
    """A drop in a folder."""

    @pytest.fixture(autouse=True)
    def _drop(self, tmp_path: Path) -> None:
        (tmp_path / "outside.csv").write_text("secret")
        self.root = tmp_path / "drop"
        self.root.mkdir()
        self.drop = FolderDrop(self.root)

    async def test_follows_no_link_out_of_the_root(self) -> None:
        (self.root / "link.csv").symlink_to(self.root.parent / "outside.csv")
        with pytest.raises(DropRefused):
            await read(self.drop, "link.csv")
        assert await self.drop.files() == []

    async def test_tells_a_file_that_shrinks_while_it_is_read(self) -> None:
        (self.root / "numbers.csv").write_bytes(LARGE)
        with pytest.raises(DropUnavailable):
            async with aclosing(self.drop.read("numbers.csv", SIZE_MAX)) as parts:
                async for _ in parts:
                    (self.root / "numbers.csv").write_bytes(b"1")

    async def test_refuses_a_folder_in_place_of_a_file(self) -> None:
        (self.root / "folder").mkdir()
        with pytest.raises(DropRefused):
            await self.drop.write("folder", in_parts(b"1"))


class Served:
    """An SSH server in this process whose root is a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._key = asyncssh.generate_private_key("ssh-ed25519")
        self.host_key = self._key.export_public_key().decode().strip()

    async def start(self) -> None:
        def rooted(channel: Any) -> asyncssh.SFTPServer:
            return asyncssh.SFTPServer(channel, chroot=str(self.root).encode())

        self.server = await asyncssh.listen(
            HOST, 0, server_factory=Doorkeeper, server_host_keys=[self._key], sftp_factory=rooted, config=None
        )
        self.port = self.server.get_port()

    def url(self, folder: str = "", password: str = PASSWORD, port: int = 0) -> str:
        return f"sftp://opora:{password.replace(' ', '%20')}@{HOST}:{port or self.port}/{folder}"

    def drop(self, url: str = "", host_key: str = "", networks: tuple[str, ...] = LOOPBACK) -> SftpDrop:
        partner = partner_of(url or self.url("drop"), host_key=host_key or self.host_key, networks=networks, step_s=3.0)
        return SftpDrop(Line(partner))


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    """A server with a folder `drop`, and a file beside it."""
    (tmp_path / "drop").mkdir()
    (tmp_path / "outside.csv").write_text("secret")
    served = Served(tmp_path)
    await served.start()
    yield served
    served.server.close()
    await served.server.wait_closed()


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Keep the library's own words out of the output of tests."""
    asyncssh.set_log_level(logging.CRITICAL)
    yield


class TestServer(FileDropContract):
    """A drop on a server."""

    @pytest.fixture(autouse=True)
    def _drop(self, served: Served) -> None:
        self.served = served
        self.drop = served.drop()

    async def test_follows_no_link_out_of_the_root(self) -> None:
        (self.served.root / "drop" / "link.csv").symlink_to("../outside.csv")
        with pytest.raises(DropRefused):
            await read(self.drop, "link.csv")
        assert await self.drop.files() == []

    async def test_trusts_no_server_of_another_key(self) -> None:
        other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
        with pytest.raises(DropUnavailable, match="pinned"):
            await self.served.drop(host_key=other).files()

    async def test_says_so_where_it_is_not_let_in(self) -> None:
        with pytest.raises(DropUnavailable, match="not in"):
            await self.served.drop(self.served.url("drop", "wrong")).files()

    async def test_refuses_an_address_inside_the_network_that_was_not_allowed(self) -> None:
        with pytest.raises(DropRefused, match="inside the network"):
            await self.served.drop(networks=("10.0.0.0/8",)).files()

    async def test_says_so_where_nobody_answers(self) -> None:
        with pytest.raises(DropUnavailable):
            await self.served.drop(self.served.url(port=1)).files()

    async def test_tells_a_line_that_breaks_in_the_middle_of_a_file(self) -> None:
        await self.drop.write("numbers.csv", in_parts(LARGE))
        proxy = Proxy(f"sftp://{HOST}:{self.served.port}")
        await proxy.start()
        drop = self.served.drop(self.served.url("drop", port=int(proxy.url.rpartition(":")[2])))
        with pytest.raises(DropUnavailable):
            async with aclosing(drop.read("numbers.csv", SIZE_MAX)) as parts:
                async for _ in parts:
                    await proxy.cut()
        await asyncio.sleep(0)

    async def test_leaves_no_whole_name_where_the_line_breaks_while_writing(self) -> None:
        proxy = Proxy(f"sftp://{HOST}:{self.served.port}")
        await proxy.start()
        drop = self.served.drop(self.served.url("drop", port=int(proxy.url.rpartition(":")[2])))

        async def cut_off() -> AsyncIterator[bytes]:
            yield LARGE
            await proxy.cut()
            yield LARGE

        with pytest.raises(DropUnavailable):
            await drop.write("numbers.csv", cut_off())
        assert await self.drop.files() == []


@pytest.mark.parametrize(
    ("address", "networks", "may"),
    [
        ("93.184.216.34", (), True),
        ("10.1.2.3", (), False),
        ("10.1.2.3", ("10.1.0.0/16",), True),
        ("127.0.0.1", (), False),
        ("169.254.169.254", (), False),
        ("::1", (), False),
        ("::ffff:10.1.2.3", (), False),
        ("::ffff:10.1.2.3", ("10.0.0.0/8",), True),
        ("fd00::1", (), False),
        ("224.0.0.1", (), False),
        ("0.0.0.0", (), False),  # noqa: S104
        ("2606:2800:220:1::1", (), True),
    ],
)
def test_only_the_world_outside_and_what_was_allowed_is_called(
    address: str, networks: tuple[str, ...], may: bool
) -> None:
    from ipaddress import ip_address

    assert may_connect(ip_address(address), networks) is may


@pytest.mark.parametrize(
    ("url", "host_key", "private_key", "why"),
    [
        ("ftp://a@b/c", "k", "", "is not sftp"),
        ("sftp://host/c", "k", "", "is not sftp"),
        ("sftp://a:b@host", "", "", "host key is missing"),
        ("sftp://a@host", "k", "", "a password"),
    ],
)
def test_an_address_without_what_is_needed_stops_the_start(url: str, host_key: str, private_key: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        partner_of(url, host_key=host_key, private_key=private_key)


def test_a_key_that_cannot_be_read_stops_the_start() -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        Line(partner_of("sftp://a:b@host", host_key="host ssh-ed25519 nonsense"))
