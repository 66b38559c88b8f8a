"""A load generator in a process of its own, so that its work is not the measured server's.

The process reads one order a line on its standard input, JSON, and answers each with one line. It speaks HTTP/1.1 over
connections that it keeps, and takes answers that name their length.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit

import uvloop

ANSWER_WITHIN_S = 30.0


@dataclass(frozen=True, slots=True)
class Order:
    """What to send: `requests` in turn, for `seconds`.

    Each of `connections` sends its next request as soon as it has its answer. With `rate_hz` requests are sent when
    they are due, whatever became of those before, and the time of each counts from when it was due. Without, times are
    kept only where `is_timed`.
    """

    url: str
    requests: Sequence[tuple[str, str, str]]
    """Method, path and body."""
    headers: dict[str, str] = field(default_factory=dict)
    connections: int = 32
    seconds: float = 1.0
    rate_hz: float = 0.0
    own_headers: Sequence[dict[str, str]] = ()
    """Further headers of each request, if any."""
    is_timed: bool = False


@dataclass(frozen=True, slots=True)
class Tally:
    """What came back: answers by status (0: none came), and the seconds each took where they were asked for."""

    statuses: dict[str, int]
    seconds: float
    took_s: list[float] = field(default_factory=list)

    @property
    def good(self) -> int:
        """How many were answered with 2xx."""
        return sum(count for status, count in self.statuses.items() if status.startswith("2"))

    @property
    def bad(self) -> int:
        """How many were not."""
        return sum(self.statuses.values()) - self.good


class Line(asyncio.Protocol):
    """One connection; tells `answered` the status of each answer, 0 when the connection is lost in between."""

    def __init__(self, answered: Callable[["Line", int], None]) -> None:
        self._answered = answered
        self._buffer = b""
        self._waiting = False
        self.body = b""
        """Of the last answer."""
        self.transport: Any = None

    @property
    def alive(self) -> bool:
        """Tell whether the other side has left the line open."""
        return not self.transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def send(self, request: bytes) -> None:
        """Send a request; one at a time."""
        self._waiting = True
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._buffer[:end].lower()
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or b"0")
        if len(self._buffer) < end + 4 + length:
            return
        self.body = self._buffer[end + 4 : end + 4 + length]
        self._buffer = self._buffer[end + 4 + length :]
        self._waiting = False
        self._answered(self, int(head[9:12]))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting:
            self._waiting = False
            self._answered(self, 0)


def written(order: Order) -> list[bytes]:
    """Write the requests as bytes."""
    head = "".join(f"{name}: {value}\r\n" for name, value in order.headers.items())
    host = urlsplit(order.url).netloc
    found = []
    for place, (method, path, body) in enumerate(order.requests):
        sent = body.encode()
        kind = f"content-type: application/json\r\ncontent-length: {len(sent)}\r\n" if body else ""
        own = order.own_headers[place] if order.own_headers else {}
        kind += "".join(f"{name}: {value}\r\n" for name, value in own.items())
        found.append(f"{method} {path} HTTP/1.1\r\nhost: {host}\r\n{head}{kind}\r\n".encode() + sent)
    return found


async def closed(order: Order) -> Tally:
    """Keep every connection busy until the time is over."""
    loop = asyncio.get_running_loop()
    requests, statuses = written(order), {}
    sent, open_lines = 0, order.connections
    over = loop.create_future()
    started_s = loop.time()
    until_s = started_s + order.seconds
    took_s: list[float] = []
    sent_s: dict[Line, float] = {}

    def answered(line: Line, status: int) -> None:
        nonlocal sent, open_lines
        statuses[str(status)] = statuses.get(str(status), 0) + 1
        if order.is_timed:
            took_s.append(loop.time() - sent_s.get(line, started_s))
            sent_s[line] = loop.time()
        if status and loop.time() < until_s:
            sent += 1
            line.send(requests[sent % len(requests)])
            return
        line.transport.close()
        open_lines -= 1
        if not open_lines and not over.done():
            over.set_result(None)

    place = urlsplit(order.url)
    for _ in range(order.connections):
        _, line = await loop.create_connection(lambda: Line(answered), place.hostname, place.port)
        sent += 1
        sent_s[line] = loop.time()
        line.send(requests[sent % len(requests)])
    await asyncio.wait_for(over, order.seconds + ANSWER_WITHIN_S)
    return Tally(statuses, loop.time() - started_s, took_s)


async def opened(order: Order) -> Tally:
    """Send each request when it is due, on a connection that is free or a new one."""
    loop = asyncio.get_running_loop()
    requests, statuses, took_s = written(order), {}, []
    count = round(order.rate_hz * order.seconds)
    free: list[Line] = []
    due_s: dict[Line, float] = {}
    over = loop.create_future()

    def answered(line: Line, status: int) -> None:
        statuses[str(status)] = statuses.get(str(status), 0) + 1
        took_s.append(loop.time() - due_s.pop(line))
        if status:
            free.append(line)
        if len(took_s) == count:
            over.set_result(None)

    place = urlsplit(order.url)

    async def send(request: bytes, at_s: float) -> None:
        # A server may close what was idle: such a line is passed over, as a client's pool passes it over.
        line = next((one for one in iter(lambda: free.pop() if free else None, None) if one.alive), None)
        if line is None:
            _, line = await loop.create_connection(lambda: Line(answered), place.hostname, place.port)
        due_s[line] = at_s
        line.send(request)

    started_s = loop.time() + 0.1
    sending = []
    for number in range(count):
        at_s = started_s + number / order.rate_hz
        await asyncio.sleep(max(0.0, at_s - loop.time()))
        sending.append(asyncio.create_task(send(requests[number % len(requests)], at_s)))
    await asyncio.gather(*sending)
    await asyncio.wait_for(over, ANSWER_WITHIN_S)
    return Tally(statuses, loop.time() - started_s, took_s)


class Generator:
    """The process, as a bench holds it; leaving the block ends it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.load"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.pid = self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stdin.close()
        self._process.wait(ANSWER_WITHIN_S)

    def carry_out(self, order: Order) -> Tally:
        """Give one order and wait for its tally."""
        self._process.stdin.write(json.dumps(asdict(order)) + "\n")
        self._process.stdin.flush()
        return Tally(**json.loads(self._process.stdout.readline()))


def main() -> None:
    """Carry out orders until the input ends."""
    for text in sys.stdin:
        order = Order(**json.loads(text))
        started = time.perf_counter()
        try:
            tally = uvloop.run(opened(order) if order.rate_hz else closed(order))
        except (OSError, TimeoutError):
            tally = Tally({"0": 1}, time.perf_counter() - started)
        print(json.dumps(asdict(tally)), flush=True)


if __name__ == "__main__":
    main()
