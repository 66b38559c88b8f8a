"""One pipelining connection to Redis: many callers' commands go out in one write a loop turn, answers come in order.

redis-py takes a connection from a pool and a task switch or two for each command; a limit is asked about on every
request, so this costs a tenth (see the benchmarks). Nothing here is retried: who asks decides what a silence means.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Awaitable
from typing import Any, cast

import hiredis

from opora.adapters.redis.addresses import Address
from opora.core.kernel.errors import Unavailable

TICKS = 3
"""A call times out when so many turns of the watch found it waiting: a loop that was held up is not a timeout."""
WAITING_MAX = 20_000
"""Calls that may wait for an answer at once; one more is refused."""

type Part = str | bytes | int | float | memoryview


class Refused(Exception):
    """The server answered with an error."""


class Link(asyncio.Protocol):
    """One connection for as long as it lives; after `lost` it is good for nothing."""

    def __init__(self, timeout_s: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._tick_s = timeout_s / (TICKS + 1)
        self._reader = hiredis.Reader()
        self._waiting: deque[tuple[asyncio.Future[Any], int]] = deque()
        self._unsent: list[bytes] = []
        self._tick = 0
        self._watch: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport | None = None
        self.lost = False

    def send(self, parts: tuple[Part, ...]) -> asyncio.Future[Any]:
        """Queue a command; the future gives the answer, or raises Refused or Unavailable."""
        if self.lost or len(self._waiting) >= WAITING_MAX:
            raise Unavailable("Redis does not keep up")
        if not self._unsent:
            self._loop.call_soon(self._flush)
        if self._watch is None:
            self._watch = self._loop.call_later(self._tick_s, self._look)
        self._unsent.append(hiredis.pack_command(parts))  # type: ignore[arg-type]  # the stub means any length
        answer: asyncio.Future[Any] = self._loop.create_future()
        self._waiting.append((answer, self._tick))
        return answer

    def close(self) -> None:
        """Hang up; whoever waits is told that the server is Unavailable."""
        if self._transport is not None:
            self._transport.abort()
        self.connection_lost(None)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        reader, waiting = self._reader, self._waiting
        reader.feed(data)
        while (reply := reader.gets()) is not False:
            answer, _ = waiting.popleft()
            if answer.done():  # the caller gave up
                continue
            if isinstance(reply, hiredis.ReplyError):
                answer.set_exception(Refused(str(reply)))
                if str(reply).startswith("READONLY"):  # it is a master no more: whoever took its place is looked for
                    self.close()
            else:
                answer.set_result(reply)

    def connection_lost(self, _: Exception | None) -> None:
        """See asyncio.Protocol."""
        self.lost = True
        if self._watch is not None:
            self._watch.cancel()
        while self._waiting:
            answer = self._waiting.popleft()[0]
            if not answer.done():
                answer.set_exception(Unavailable("Redis does not answer"))

    def _flush(self) -> None:
        unsent, self._unsent = self._unsent, []
        if self._transport is not None and not self.lost:
            self._transport.write(b"".join(unsent))

    def _look(self) -> None:
        self._watch = None
        if not self._waiting:
            return
        self._tick += 1
        if self._tick - self._waiting[0][1] > TICKS:
            self.close()
            return
        self._watch = self._loop.call_later(self._tick_s, self._look)


class RedisConnection:
    """A server that is connected to when it is first needed, and again after every loss."""

    def __init__(self, url: str | Address, *, timeout_s: float = 0.075) -> None:
        """Give up on an answer, or on connecting, after `timeout_s`."""
        self._address = Address.parse(url) if isinstance(url, str) else url
        self._timeout_s = timeout_s
        self._link: Link | None = None
        self._connecting: asyncio.Task[Link] | None = None

    def call(self, *parts: Part) -> Awaitable[Any]:
        """Send a command; the answer is made of int, bytes, None and lists. Raises Refused or Unavailable."""
        link = self._link
        if link is None or link.lost:
            return self._call_anew(parts)
        return link.send(parts)

    async def close(self) -> None:
        """Hang up."""
        if self._connecting is not None:
            self._connecting.cancel()
        if self._link is not None:
            self._link.close()
            self._link = None

    async def _call_anew(self, parts: tuple[Part, ...]) -> Any:
        if self._connecting is None or self._connecting.done():
            self._connecting = asyncio.create_task(self._connect())
        link = await asyncio.shield(self._connecting)
        return await link.send(parts)

    async def _connect(self) -> Link:
        address, loop = await self._find(), asyncio.get_running_loop()
        link = Link(self._timeout_s)
        secure = ssl.create_default_context() if address.secure else None
        try:
            async with asyncio.timeout(self._timeout_s):
                if address.path:
                    await loop.create_unix_connection(lambda: link, address.path)
                else:
                    await loop.create_connection(lambda: link, address.host, address.port, ssl=secure)
                for command in address.greeting():
                    await link.send(command)
                await self._meet(link)
        except (OSError, TimeoutError, Refused) as error:
            link.close()
            raise Unavailable("Redis does not answer") from error
        self._link = link
        return link

    async def _find(self) -> Address:
        """Return where the server is now."""
        return self._address

    async def _meet(self, link: Link) -> None:
        """Raise Refused where this is not the server that is wanted."""
