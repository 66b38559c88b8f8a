"""A TCP proxy that a test may cut: what a network does to a connection."""

import asyncio
from urllib.parse import urlsplit, urlunsplit

from servers.processes import HOST


class Proxy:
    """Passes bytes to a server until it is cut; then every connection is reset and new ones are refused."""

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)
        self._open: set[asyncio.StreamWriter] = set()
        self._passing: set[asyncio.Task[None]] = set()
        self._port = 0
        self._left: int | None = None
        self._cutting: asyncio.Task[None] | None = None
        self.connections = 0

    async def start(self) -> None:
        """Listen, on the same port as before if there was one."""
        self._server = await asyncio.start_server(self._serve, HOST, self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    @property
    def url(self) -> str:
        """The server's address by way of the proxy."""
        user = f"{self._url.username}@" if self._url.username else ""
        return urlunsplit(self._url._replace(netloc=f"{user}{HOST}:{self._port}"))

    async def cut(self) -> None:
        """Reset every connection and refuse new ones until `start`."""
        self._server.close()
        for writer in list(self._open):
            writer.transport.abort()
        await asyncio.gather(*self._passing, return_exceptions=True)

    def cut_after(self, size: int) -> None:
        """Cut by itself, once so many bytes more have passed."""
        self._left = size

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            upstream, downstream = await asyncio.open_connection(self._url.hostname, self._url.port)
        except OSError:  # the server is down: who came is told by a reset, as without a proxy by a refusal
            writer.transport.abort()
            return
        self._open |= {writer, downstream}
        for source, target in ((reader, downstream), (upstream, writer)):
            task = asyncio.create_task(self._pass(source, target))
            self._passing.add(task)
            task.add_done_callback(self._passing.discard)

    async def _pass(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                target.write(data)
                if self._left is not None and (left := self._left - len(data)) <= 0:
                    self._left, self._cutting = None, asyncio.create_task(self.cut())
                elif self._left is not None:
                    self._left = left
        except OSError:
            pass
        finally:
            self._open.discard(target)
            target.transport.abort()
