"""Connections to a partner's SFTP server: to the host that was meant, of the key that was pinned, in bounded time."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import unquote, urlsplit

import asyncssh

from opora.core.kernel.rules import is_public
from opora.core.numbers.errors.transfers import DropRefused, DropUnavailable

RETRY_AFTER_S = 30
PORT = 22
BROKEN = (asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection, asyncssh.DisconnectError, OSError, TimeoutError)
BARRED = (asyncssh.SFTPPermissionDenied, asyncssh.SFTPOpUnsupported, asyncssh.SFTPWriteProtect, asyncssh.SFTPFailure)


@dataclass(frozen=True, slots=True)
class Partner:
    """Where the server is, who we are there, and which key proves that it is the one that is meant.

    It may lie in an inner network that is one of `networks`, and in no other. `step_s` bounds connecting and requests.
    """

    host: str
    port: int
    user: str
    folder: str
    host_key: str
    password: str | None = None
    private_key: str | None = None
    networks: Sequence[str] = ()
    step_s: float = 30.0


def partner_of(
    url: str, *, host_key: str, private_key: str = "", networks: Sequence[str] = (), step_s: float = 30.0
) -> Partner:
    """Read `sftp://user:password@host:port/folder`; raises ValueError that says what is missing."""
    parts = urlsplit(url)
    if parts.scheme != "sftp" or not parts.hostname or not parts.username:
        raise ValueError("the address of the drop is not sftp://user@host:port/folder")
    if not host_key:
        raise ValueError("the drop's host key is missing: a line of `ssh-keyscan HOST`, checked with the partner")
    password = None if parts.password is None else unquote(parts.password)
    if password is None and not private_key:
        raise ValueError("the drop needs a password in its address, or a private key")
    return Partner(
        host=parts.hostname,
        port=parts.port or PORT,
        user=unquote(parts.username),
        folder=unquote(parts.path).strip("/"),
        host_key=host_key,
        password=password,
        private_key=private_key or None,
        networks=networks,
        step_s=step_s,
    )


class Line:
    """Opens a connection for each task: transfers are long and few, and a broken one must break no other."""

    def __init__(self, partner: Partner) -> None:
        """Raise ValueError for a key that cannot be read."""
        self.partner = partner
        try:
            self._pinned = asyncssh.import_public_key(partner.host_key)
            self._ours = None if partner.private_key is None else asyncssh.import_private_key(partner.private_key)
        except asyncssh.KeyImportError as error:
            raise ValueError(f"a key of the drop cannot be read: {error}") from None

    def step(self) -> asyncio.Timeout:
        """Bound one step."""
        return asyncio.timeout(self.partner.step_s)

    @asynccontextmanager
    async def client(self) -> AsyncGenerator[asyncssh.SFTPClient]:
        """Lend a client; what the server or the line fails at is DropUnavailable, what it refuses DropRefused."""
        try:
            address = await self._address()
            # config and agent: the account's own ~/.ssh must not decide whom we trust or who we are
            async with self.step():
                connection = await asyncssh.connect(
                    str(address),
                    self.partner.port,
                    username=self.partner.user,
                    password=self.partner.password,
                    client_keys=None if self._ours is None else [self._ours],
                    known_hosts=([self._pinned], [], []),
                    config=None,
                    agent_path=None,
                    keepalive_interval=15,
                )
            try:
                async with self.step():
                    client = await connection.start_sftp_client()
                yield client
            finally:
                connection.abort()
        except asyncssh.HostKeyNotVerifiable as error:
            raise DropUnavailable("The server is not the one whose key is pinned.") from error
        except asyncssh.PermissionDenied as error:
            raise DropUnavailable("The server lets us not in.") from error
        except BARRED as error:
            raise DropRefused(f"The drop refuses this: {type(error).__name__}.") from error
        except (*BROKEN, asyncssh.Error) as error:
            raise DropUnavailable(
                f"The line to the drop broke: {type(error).__name__}.", retry_after_s=RETRY_AFTER_S
            ) from error

    async def _address(self) -> IPv4Address | IPv6Address:
        """Return the address to connect to, looked up once; raises DropRefused for one inside a network not allowed."""
        loop = asyncio.get_running_loop()
        async with self.step():
            found = await loop.getaddrinfo(self.partner.host, self.partner.port, type=socket.SOCK_STREAM)
        addresses = [ip_address(str(one[4][0]).partition("%")[0]) for one in found]
        for address in addresses:
            if may_connect(address, self.partner.networks):
                return address
        raise DropRefused("The drop's address lies inside the network; OPORA_SFTP_NETWORKS may allow it.")


def may_connect(address: IPv4Address | IPv6Address, networks: Sequence[str]) -> bool:
    """Tell whether an address is out in the world, or in a network that was allowed."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    actual = mapped or address
    if any(actual in ip_network(network, strict=False) for network in networks):
        return True
    return is_public(actual)
