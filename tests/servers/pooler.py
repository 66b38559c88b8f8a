"""A pooler in transaction mode at its worst: every transaction of a client runs on another server connection.

What pgbouncer does when it is busy happens here each time, so that whatever leans on the session fails at once.
"""

import asyncio
from contextlib import suppress
from urllib.parse import urlsplit, urlunsplit

from servers.processes import HOST

SSL_REQUEST, CANCEL_REQUEST = 80877103, 80877102
READY, IDLE = b"Z", b"I"
SESSIONS = 3


class Session:
    """One client, and the server connections that take turns in serving it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._servers: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self._turn = 0
        self.transactions = 0

    async def serve(self, host: str, port: int) -> None:
        """Pass messages until either side leaves."""
        greeting = await self._greeting()
        if greeting is None:
            return
        for place in range(SESSIONS):
            reader, writer = await asyncio.open_connection(host, port)
            self._servers.append((reader, writer))
            writer.write(greeting)
            await self._until_ready(reader, is_heard=place == 0)
        downstream = asyncio.create_task(self._answers())
        downstream.add_done_callback(lambda _: self._writer.close())  # the server has said goodbye
        try:
            while some := await self._reader.read(65536):
                self._servers[self._turn][1].write(some)
        finally:
            downstream.cancel()
            for _, writer in self._servers:
                writer.transport.abort()

    async def _greeting(self) -> bytes | None:
        """Return the client's first message; without encryption, and None for a client that only wants to cancel."""
        while True:
            head = await self._reader.readexactly(8)
            if int.from_bytes(head[4:]) == CANCEL_REQUEST:
                return None
            if int.from_bytes(head[4:]) != SSL_REQUEST:
                return head + await self._reader.readexactly(int.from_bytes(head[:4]) - 8)
            self._writer.write(b"N")

    async def _until_ready(self, reader: asyncio.StreamReader, *, is_heard: bool) -> None:
        while True:
            message = await message_of(reader)
            if is_heard:
                self._writer.write(message)
            if message[:1] == READY:
                return

    async def _answers(self) -> None:
        """Pass answers on; at the end of each transaction it is the next server's turn."""
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                message = await message_of(self._servers[self._turn][0])
                if message[:1] == READY and message[5:6] == IDLE:
                    self._turn = (self._turn + 1) % SESSIONS
                    self.transactions += 1
                self._writer.write(message)


async def message_of(reader: asyncio.StreamReader) -> bytes:
    """Read one message of a server."""
    head = await reader.readexactly(5)
    return head + await reader.readexactly(int.from_bytes(head[1:]) - 4)


class Pooler:
    """Listens in front of a server that trusts whoever asks."""

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)
        self._serving: set[asyncio.Task[None]] = set()
        self.sessions: list[Session] = []

    async def start(self) -> str:
        """Listen, and return the server's address by way of the pooler."""
        self._server = await asyncio.start_server(self._accept, HOST, 0)
        port = self._server.sockets[0].getsockname()[1]
        user = f"{self._url.username}@" if self._url.username else ""
        return urlunsplit(self._url._replace(netloc=f"{user}{HOST}:{port}"))

    async def stop(self) -> None:
        """Let every connection go."""
        self._server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        session = Session(reader, writer)
        self.sessions.append(session)
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                await session.serve(self._url.hostname or HOST, self._url.port or 5432)
        finally:
            writer.transport.abort()
            self._serving.discard(task)
