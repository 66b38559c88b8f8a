"""An HTTP client that calls the address that was judged, follows nothing and reads little."""

import asyncio
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import httpcore
from httpcore import AnyIOBackend, AsyncConnectionPool, AsyncNetworkBackend, AsyncNetworkStream, Request

from opora.adapters.outbound.addresses import Addresses, Forbidden, NoAddress
from opora.core.notifications.errors import Deferred, Refused, Unsure

CONNECT_TIMEOUT_S = 5.0
ANSWER_TIMEOUT_S = 15.0
ANSWER_BYTES_MAX = 4096
CONNECTIONS_MAX = 50
KEEP_ALIVE_S = 15.0
BEFORE_SENDING = (httpcore.ConnectError, httpcore.ConnectTimeout, httpcore.PoolTimeout, httpcore.UnsupportedProtocol)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status and the beginning of the body."""

    status: int
    text: str
    headers: Mapping[str, str]


class PinnedBackend(AsyncNetworkBackend):
    """Resolves and judges a host, and connects to the address judged: a name cannot change in between."""

    def __init__(self, addresses: Addresses | None) -> None:
        self._addresses = addresses
        self._inner = AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: Any = None,  # noqa: ASYNC109  # seconds or nothing: httpcore's own name
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> AsyncNetworkStream:
        """See httpcore."""
        target = host if self._addresses is None else (await self._addresses.resolved(host, port))[0]
        return await self._inner.connect_tcp(target, port, timeout, local_address, socket_options)

    async def sleep(self, seconds: float) -> None:
        """See httpcore."""
        await self._inner.sleep(seconds)


class OutboundClient:
    """A pool of connections; without `addresses` it calls anything, which only an operator's own URL may ask for."""

    def __init__(self, addresses: Addresses | None, *, secure: ssl.SSLContext | None = None) -> None:
        self._addresses = addresses
        self._secure = secure
        self._pool: AsyncConnectionPool | None = None

    def _open(self) -> AsyncConnectionPool:
        if self._pool is None:
            self._pool = AsyncConnectionPool(
                ssl_context=self._secure or ssl.create_default_context(),
                max_connections=CONNECTIONS_MAX,
                keepalive_expiry=KEEP_ALIVE_S,
                network_backend=PinnedBackend(self._addresses),
            )
        return self._pool

    async def close(self) -> None:
        """Let every connection go."""
        if self._pool is not None:
            await self._pool.aclose()
            self._pool = None

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send the body once.

        Raises Refused for an address that may not be called, Deferred where nothing left, Unsure where it left and no
        answer came.
        """
        lines = [(name.encode("ascii"), value.encode("ascii")) for name, value in headers.items()]
        lines.append((b"content-length", str(len(body)).encode("ascii")))
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S + CONNECT_TIMEOUT_S):
                return await self._exchange(url, lines, body)
        except Forbidden as error:
            raise Refused(str(error)) from error
        except (*BEFORE_SENDING, NoAddress, ssl.SSLError) as error:
            raise Deferred(f"no connection: {type(error).__name__}") from error
        except (
            httpcore.NetworkError,
            httpcore.ProtocolError,
            httpcore.TimeoutException,
            TimeoutError,
            OSError,
        ) as error:
            raise Unsure(f"no answer: {type(error).__name__}") from error
        except (ValueError, UnicodeError) as error:
            raise Refused("the URL cannot be called") from error

    async def _exchange(self, url: str, lines: list[tuple[bytes, bytes]], body: bytes) -> Answer:
        limits = {"connect": CONNECT_TIMEOUT_S, "read": ANSWER_TIMEOUT_S, "write": ANSWER_TIMEOUT_S, "pool": 5.0}
        request = Request(
            "POST", url, headers=[(b"host", host_of(url)), *lines], content=body, extensions={"timeout": limits}
        )
        response = await self._open().handle_async_request(request)
        read = b""
        try:
            async for chunk in response.aiter_stream():
                read += chunk
                if len(read) >= ANSWER_BYTES_MAX:
                    break
        finally:
            await response.aclose()
        told = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
        return Answer(response.status, read[:ANSWER_BYTES_MAX].decode("utf-8", "replace"), told)


def host_of(url: str) -> bytes:
    """Return the Host header of a URL."""
    parsed = httpcore.URL(url)
    default = {b"http": 80, b"https": 443}.get(parsed.scheme)
    port = b"" if parsed.port in {None, default} else f":{parsed.port}".encode("ascii")
    host = b"[" + parsed.host + b"]" if b":" in parsed.host else parsed.host
    return host + port
