"""The server's connections: an answer leaves in one write, not its head in one and its body in another.

A write is a call to the kernel, which costs a short answer as much as half of the rest; uvicorn makes two of them.
"""

import asyncio
import socket
import sys
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

AT_ONCE_BYTES = 16 * 1024
"""What is longer goes at once, so that a stream feels the pressure of its reader and nothing piles up here."""

LINGER_S = 5.0
"""How long the rest of a body is dropped after an answer that ends the connection."""

TCP_INFO = 11 if sys.platform == "linux" else -1
ARRIVED_AT = 52
"""Where `tcpi_last_data_recv` stands in Linux's answer, milliseconds in four bytes."""


class MergedWrites(asyncio.Transport):
    """A transport that sends what is written within one turn of the event loop together."""

    def __init__(
        self, inner: asyncio.Transport, loop: asyncio.AbstractEventLoop, is_unread: Callable[[], bool] = lambda: False
    ) -> None:
        super().__init__()
        self._inner = inner
        self._loop = loop
        self._is_unread = is_unread
        self._is_closing = False
        self._waiting: list[Any] = []
        self._size = 0

    def write(self, data: Any) -> None:
        """Keep the data until the end of the turn, or send it now with all before it if it is much."""
        if self._is_closing:
            return  # this side has said its last word
        if not self._waiting:
            self._loop.call_soon(self._send)
        self._waiting.append(data)
        self._size += len(data)
        if self._size > AT_ONCE_BYTES:
            self._send()

    def _send(self) -> None:
        if not self._waiting:
            return
        waiting, self._waiting, self._size = self._waiting, [], 0
        if not self._inner.is_closing():
            self._inner.write(b"".join(waiting))

    def close(self) -> None:
        """Send what waits, then close.

        While the client still sends a body that nobody wants, closing would reset the connection, and the answer that
        says why would be lost on its way: what comes is dropped for a while, as RFC 9112 section 9.6 asks.
        """
        self._send()
        if self.is_closing() or not self._is_unread() or not self._inner.can_write_eof():
            self._inner.close()
            return
        self._is_closing = True
        self._inner.write_eof()
        self._inner.resume_reading()
        self._loop.call_later(LINGER_S, self._inner.close)

    def abort(self) -> None:
        """Close at once; what waits is lost."""
        self._waiting, self._size = [], 0
        self._inner.abort()

    def is_closing(self) -> bool:
        """See asyncio.BaseTransport."""
        return self._is_closing or self._inner.is_closing()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """See asyncio.BaseTransport."""
        return self._inner.get_extra_info(name, default)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """See asyncio.BaseTransport."""
        self._inner.set_protocol(protocol)

    def pause_reading(self) -> None:
        """See asyncio.ReadTransport."""
        self._inner.pause_reading()

    def resume_reading(self) -> None:
        """See asyncio.ReadTransport."""
        self._inner.resume_reading()


class Connection(HttpToolsProtocol):
    """uvicorn's connection, over merged writes."""

    _is_newcomer = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See asyncio.Protocol."""
        super().connection_made(MergedWrites(transport, self.loop, self.is_unread))

    def data_received(self, data: bytes) -> None:
        """See uvicorn. What comes after this side's last word is nobody's request (RFC 9112, section 9.6)."""
        if not self.transport.is_closing():
            super().data_received(data)

    def is_unread(self) -> bool:
        """Tell whether the client was answered before the whole of its body had come."""
        return self.cycle is not None and self.cycle.response_complete and self.cycle.more_body

    def on_message_begin(self) -> None:
        """See uvicorn. The request can be asked how long it has waited in the kernel, and whether it is the first."""
        super().on_message_begin()
        self.scope["waited_s"] = self.waited_s  # type: ignore[typeddict-unknown-key]
        self.scope["is_newcomer"], self._is_newcomer = self._is_newcomer, False  # type: ignore[typeddict-unknown-key]

    def waited_s(self) -> float:
        """Return how long ago the last of what was sent here arrived; 0 where the system does not tell.

        Requests wait unread while the process is busy with others, in connections that nobody has accepted yet too.
        """
        connection = self.transport.get_extra_info("socket")
        try:
            told = connection.getsockopt(socket.IPPROTO_TCP, TCP_INFO, ARRIVED_AT + 4)
        except (OSError, AttributeError, ValueError):  # closed, or no TCP
            return 0.0
        return int.from_bytes(told[ARRIVED_AT:], sys.byteorder) / 1000 if len(told) == ARRIVED_AT + 4 else 0.0

    def shutdown(self) -> None:
        """See uvicorn. An answer without end (an event stream) is broken off: its reader comes back to another."""
        if self.cycle is not None and not self.cycle.response_complete and self.cycle.scope.get("endless"):
            self.transport.close()
            return
        super().shutdown()
