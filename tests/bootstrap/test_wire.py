"""A connection sends each answer whole, in order, and nothing after it was cut."""

import asyncio
import socket
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
import uvloop
from uvicorn import Config
from uvicorn.server import ServerState

from opora.bootstrap.wire import AT_ONCE_BYTES, Connection, MergedWrites

pytestmark = pytest.mark.anyio


class Recorder(asyncio.Transport):
    """Keeps what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.ended = ""

    def write(self, data: Any) -> None:
        self.written.append(bytes(data))

    def close(self) -> None:
        self.ended = "closed"

    def abort(self) -> None:
        self.ended = "aborted"

    def is_closing(self) -> bool:
        return bool(self.ended)

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        """Nothing more is written by who says so."""

    def resume_reading(self) -> None:
        """What comes goes nowhere here."""


@pytest.fixture
def under() -> Recorder:
    return Recorder()


async def turn() -> None:
    await asyncio.sleep(0)


async def test_what_is_written_in_one_turn_leaves_in_one_write_and_in_order(under: Recorder) -> None:
    merged = MergedWrites(under, asyncio.get_running_loop())
    merged.write(b"head ")
    merged.write(b"body")
    assert under.written == []
    await turn()
    merged.write(b"next")
    await turn()
    assert under.written == [b"head body", b"next"]


async def test_what_is_long_leaves_at_once_with_all_before_it(under: Recorder) -> None:
    merged = MergedWrites(under, asyncio.get_running_loop())
    merged.write(b"head ")
    merged.write(bytes(AT_ONCE_BYTES))
    assert under.written == [b"head " + bytes(AT_ONCE_BYTES)]
    await turn()
    assert len(under.written) == 1


async def test_closing_sends_what_waits_first(under: Recorder) -> None:
    merged = MergedWrites(under, asyncio.get_running_loop())
    merged.write(b"farewell")
    merged.close()
    assert (under.written, under.ended) == ([b"farewell"], "closed")


async def test_nothing_is_sent_after_an_abort_or_to_a_connection_that_is_gone(under: Recorder) -> None:
    merged = MergedWrites(under, asyncio.get_running_loop())
    merged.write(b"too late")
    merged.abort()
    await turn()
    merged.write(b"later still")
    await turn()
    assert (under.written, under.ended, merged.is_closing()) == ([], "aborted", True)


class Waiting(asyncio.Protocol):
    """A connection that is asked, at its first bytes, how long they have waited."""

    def __init__(self, told: asyncio.Future[float]) -> None:
        self._told = told

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        asking = Connection.__new__(Connection)
        asking.transport = self._transport  # type: ignore[assignment]
        self._told.set_result(asking.waited_s())
        self._transport.close()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell")
@pytest.mark.parametrize("factory", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_request_knows_how_long_the_process_did_not_come_to_it(factory: Callable[[], Any]) -> None:
    async def served() -> float:
        loop = asyncio.get_running_loop()
        told: asyncio.Future[float] = loop.create_future()
        server = await loop.create_server(lambda: Waiting(told), "127.0.0.1", 0)
        with socket.create_connection(server.sockets[0].getsockname()) as client:
            client.sendall(b"GET / HTTP/1.1\r\n\r\n")
            time.sleep(0.3)  # the process is busy with others: its connection is not accepted yet  # noqa: ASYNC251
            waited_s = await told
        server.close()
        await asyncio.sleep(0.01)  # the loop lets the closed socket go
        return waited_s

    with asyncio.Runner(loop_factory=factory) as runner:
        assert 0.25 <= runner.run(served()) < 30


async def all_gone(state: ServerState) -> None:
    """Wait until no connection is left."""
    while state.connections:  # noqa: ASYNC110  # nothing tells of it
        await asyncio.sleep(0.001)
    await asyncio.sleep(0.001)  # the loop lets the last socket go a turn later


async def telling_newcomers(scope: Any, receive: Any, send: Any) -> None:
    """Answer whether the request is the first of its connection."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1")]})
    await send({"type": "http.response.body", "body": b"%d" % scope["is_newcomer"]})


def test_a_connection_is_a_newcomer_once() -> None:
    async def served() -> list[bytes]:
        config, state = Config(telling_newcomers, log_config=None, lifespan="off"), ServerState()
        config.load()
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Connection(config, state, {}), "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
        told = []
        for _ in range(3):
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            told.append((await reader.readuntil(b"\r\n\r\n"), await reader.readexactly(1))[1])
        writer.close()
        await writer.wait_closed()
        server.close()
        await all_gone(state)
        return told

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(served()) == [b"1", b"0", b"0"]


async def refusing(scope: Any, receive: Any, send: Any) -> None:
    """Answer 413 without having read the body."""
    await send({"type": "http.response.start", "status": 413, "headers": [(b"content-length", b"3")]})
    await send({"type": "http.response.body", "body": b"no\n"})


def sent_whole(address: tuple[str, int], size: int) -> bytes:
    """Send a body that is announced to be the last, then read the answer until the other side ends it."""
    with socket.create_connection(address, timeout=20) as client:
        head = f"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {size}\r\n\r\n"
        client.sendall(head.encode() + bytes(size))
        return b"".join(iter(lambda: client.recv(65536), b""))


@pytest.mark.parametrize("factory", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_who_still_sends_what_was_refused_reads_why_before_the_connection_ends(factory: Callable[[], Any]) -> None:
    async def served() -> list[bytes]:
        loop = asyncio.get_running_loop()
        config, state = Config(refusing, log_config=None, lifespan="off"), ServerState()
        config.load()
        server = await loop.create_server(lambda: Connection(config, state, {}), "127.0.0.1", 0)
        address = server.sockets[0].getsockname()
        answers = [await asyncio.to_thread(sent_whole, address, 16 * 1024 * 1024) for _ in range(3)]
        server.close()
        await all_gone(state)
        return answers

    with asyncio.Runner(loop_factory=factory) as runner:
        for answer in runner.run(served()):
            assert answer.startswith(b"HTTP/1.1 413 ") and answer.endswith(b"\r\n\r\nno\n")


@pytest.mark.parametrize("factory", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_what_follows_the_last_answer_of_a_connection_is_not_carried_out(factory: Callable[[], Any]) -> None:
    async def served() -> tuple[list[str], bytes]:
        seen: list[str] = []

        async def noting(scope: Any, receive: Any, send: Any) -> None:
            seen.append(scope["method"])
            await refusing(scope, receive, send)

        config, state = Config(noting, log_config=None, lifespan="off"), ServerState()
        config.load()
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Connection(config, state, {}), "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 10\r\n\r\n")
        head = await reader.readuntil(b"no\n")
        writer.write(b"0123456789PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
        writer.write_eof()
        rest = await reader.read()
        writer.close()
        await writer.wait_closed()
        server.close()
        await all_gone(state)
        return seen, head + rest

    with asyncio.Runner(loop_factory=factory) as runner:
        seen, answer = runner.run(served())
    assert (seen, answer.count(b"HTTP/1.1 413")) == (["POST"], 1)


async def test_a_client_that_never_ends_its_body_is_left_after_a_while(under: Recorder, monkeypatch: Any) -> None:
    monkeypatch.setattr("opora.bootstrap.wire.LINGER_S", 0.01)
    merged = MergedWrites(under, asyncio.get_running_loop(), lambda: True)
    merged.write(b"no")
    merged.close()
    assert (under.written, under.ended, merged.is_closing()) == ([b"no"], "", True)
    merged.write(b"more")
    await asyncio.sleep(0.1)
    assert (under.written, under.ended) == ([b"no"], "closed")
