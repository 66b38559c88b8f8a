"""Another program on this machine that is called, and does as it is told."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from opora.testing.webhooks import Heard


class Other:
    """A small HTTP server."""

    def __init__(self) -> None:
        self.calls: list[Heard] = []
        self.status: int | None = 200
        self.text = "{}"
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0)

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in head[1:] if one)}
        body = await reader.readexactly(int(headers["content-length"]))
        self.calls.append(Heard(head[0].split()[1], headers, body))
        if self.status is not None:
            told = f"HTTP/1.1 {self.status} Said\r\ncontent-length: {len(self.text)}\r\nconnection: close\r\n"
            writer.write(f"{told}location: http://127.0.0.1:{self.port}/elsewhere\r\n\r\n{self.text}".encode())
            await writer.drain()
        writer.close()


@pytest.fixture
async def other(anyio_backend: str) -> AsyncIterator[Other]:
    """Another program."""
    other = Other()
    await other.open()
    yield other
    await other.close()
