"""A line to the bank's SFTP server: its key is pinned, every step ends in bounded time, a broken one is made anew."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import asyncssh

from opora.core.documents.errors import CoreBankingUnavailable

RETRY_AFTER_S = 30
BROKEN = (asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection, asyncssh.DisconnectError, OSError)


@dataclass(frozen=True, slots=True)
class DropAddress:
    """Where the bank's server is, who we are there, and which key proves that it is the bank's."""

    host: str
    port: int
    user: str
    folder: str
    host_key: asyncssh.SSHKey
    password: str | None = None
    private_key: asyncssh.SSHKey | None = None


def address_of(config: Mapping[str, str]) -> DropAddress:
    """Read `url`, `host_key` and `password` or `private_key`; raises ValueError saying what is wrong."""
    parts = urlsplit(config["url"])
    if parts.scheme != "sftp" or not parts.hostname or not parts.username or parts.password:
        raise ValueError("url is not sftp://user@host:port/folder, its password in a setting of its own")
    host_key = config.get("host_key")
    if host_key is None:
        raise ValueError("host_key is missing: a line of `ssh-keyscan HOST`, checked with the bank")
    password, private_key = config.get("password"), config.get("private_key")
    if (password is None) == (private_key is None):
        raise ValueError("either password or private_key is needed")
    try:
        pinned = asyncssh.import_public_key(" ".join(host_key.split()[-2:]))
        ours = None
        if private_key is not None:
            ours = asyncssh.import_private_key(private_key, config.get("passphrase"))
    except asyncssh.KeyImportError as error:
        raise ValueError(f"a key cannot be read: {error}") from None
    folder = unquote(parts.path).strip("/")
    return DropAddress(parts.hostname, parts.port or 22, unquote(parts.username), folder, pinned, password, ours)


class SftpLine:
    """One connection, shared by all who ask, opened when it is needed and dropped when it breaks."""

    def __init__(self, address: DropAddress, step_s: float) -> None:
        """`step_s` bounds each step: connecting, one request, one block of a file."""
        self._address = address
        self._step_s = step_s
        self._opening = asyncio.Lock()
        self._connection: asyncssh.SSHClientConnection | None = None
        self._client: asyncssh.SFTPClient | None = None

    @asynccontextmanager
    async def client(self) -> AsyncIterator[asyncssh.SFTPClient]:
        """Lend the client; what the server or the line fails at is CoreBankingUnavailable."""
        try:
            yield await self._opened()
        except BROKEN as error:
            self._drop()
            raise CoreBankingUnavailable(f"The line broke: {told(error)}", retry_after_s=RETRY_AFTER_S) from error
        except asyncssh.Error as error:
            raise CoreBankingUnavailable(f"The server said: {told(error)}", retry_after_s=RETRY_AFTER_S) from error

    def step(self) -> asyncio.Timeout:
        """Bound one step."""
        return asyncio.timeout(self._step_s)

    async def close(self) -> None:
        """Hang up."""
        connection = self._connection
        self._drop()
        if connection is not None:
            await connection.wait_closed()

    async def _opened(self) -> asyncssh.SFTPClient:
        async with self._opening:
            if self._client is None or self._connection is None or self._connection.is_closed():
                try:
                    async with self.step():
                        await self._open()
                except OSError as error:
                    self._drop()
                    raise CoreBankingUnavailable(retry_after_s=RETRY_AFTER_S) from error
            if self._client is None:
                raise CoreBankingUnavailable(retry_after_s=RETRY_AFTER_S)
            return self._client

    async def _open(self) -> None:
        where = self._address
        # config and agent: the account's own ~/.ssh must not decide whom we trust or who we are
        self._connection = await asyncssh.connect(
            where.host,
            where.port,
            username=where.user,
            password=where.password,
            client_keys=None if where.private_key is None else [where.private_key],
            known_hosts=([where.host_key], [], []),
            config=None,
            agent_path=None,
            keepalive_interval=30,
        )
        self._client = await self._connection.start_sftp_client()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.abort()
        self._connection = self._client = None


def told(error: Exception) -> str:
    """Say what went wrong, in bounded words and without a line end."""
    return f"{type(error).__name__}: {str(error)[:200]!r}"


def raw(read: bytes | str) -> bytes:
    """Return what was read from a file that was opened for bytes."""
    return read if isinstance(read, bytes) else read.encode()
