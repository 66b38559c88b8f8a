"""Drives journeys in an open loop: each begins when it is due, however those before it fare.

A call's time counts from when it was meant to be sent: a journey's first from its arrival, the others from the answer
before them. So a server that falls behind is charged for the wait of everybody who came meanwhile.
"""

import asyncio
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from time import perf_counter
from urllib.parse import urlsplit

from journeys import Answer, Call, Journey

from bench.load import Line

ANSWER_WITHIN_S = 60.0
LINES_MAX = 4_000
"""Connections to one address; who finds none free is counted as unanswered."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One call: when it was meant to be sent, how long it took from then, and what it was answered."""

    name: str
    at_s: float
    took_s: float
    status: int
    is_good: bool


class Pool:
    """Kept connections to several processes, which are called in turn."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self._places = [urlsplit(address) for address in addresses]
        self._free: list[list[Line]] = [[] for _ in addresses]
        self._open = [0] * len(addresses)
        self._waiting: dict[Line, asyncio.Future[int]] = {}
        self._turn = 0

    async def ask(self, call: Call) -> Answer:
        """Make a call; status 0 where no answer comes in time, or the connection is lost."""
        self._turn = (self._turn + 1) % len(self._places)
        place = self._turn
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                line = await self._line(place)
                answered: asyncio.Future[int] = asyncio.get_running_loop().create_future()
                self._waiting[line] = answered
                line.send(written(call, self._places[place].netloc))
                status = await answered
        except (OSError, TimeoutError):
            return Answer(0, b"")
        if status:
            self._free[place].append(line)
        return Answer(status, line.body if status else b"")

    async def _line(self, place: int) -> Line:
        free = self._free[place]
        while free:
            line = free.pop()
            if line.alive:
                return line
            self._open[place] -= 1
        if self._open[place] >= LINES_MAX:
            raise ConnectionRefusedError("no connection is free")
        self._open[place] += 1
        url, loop = self._places[place], asyncio.get_running_loop()
        try:
            _, line = await loop.create_connection(lambda: Line(self._answered), url.hostname, url.port)
        except BaseException:
            self._open[place] -= 1
            raise
        return line

    def _answered(self, line: Line, status: int) -> None:
        answered = self._waiting.pop(line, None)
        if answered is not None and not answered.done():
            answered.set_result(status)

    def close(self) -> None:
        """Hang up."""
        for line in [line for free in self._free for line in free]:
            line.transport.abort()


def written(call: Call, host: str) -> bytes:
    """Write a call as bytes."""
    head = "".join(f"{name}: {value}\r\n" for name, value in call.headers.items())
    size = f"content-length: {len(call.body)}\r\n" if call.body else ""
    return f"{call.method} {call.path} HTTP/1.1\r\nhost: {host}\r\n{head}{size}\r\n".encode() + call.body


async def driven[T](pool: Pool, calls: Generator[Call, Answer, T]) -> T:
    """Make the calls of what is no journey, such as the setting of the stage."""
    try:
        call = next(calls)
        while True:
            call = calls.send(await pool.ask(call))
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]


async def taken(pool: Pool, journey: Journey, due_s: float, outcomes: list[Outcome]) -> None:
    """Take one journey to its end."""
    try:
        call = next(journey)
        while True:
            answer = await pool.ask(call)
            now_s = perf_counter()
            outcomes.append(Outcome(call.name, due_s, now_s - due_s, answer.status, answer.status in call.good))
            due_s = now_s
            call = journey.send(answer)
    except StopIteration:
        return


def arrivals(chance: Random, rate_hz: float, seconds: float) -> Iterator[float]:
    """Give the times of arrivals, fixed before the first: independent of each other, `rate_hz` of them on average."""
    at_s = chance.expovariate(rate_hz)
    while at_s < seconds:
        yield at_s
        at_s += chance.expovariate(rate_hz)


async def opened(
    pool: Pool, due: Sequence[float], begin: Callable[[], Journey], told: Callable[[float], None]
) -> list[Outcome]:
    """Begin a journey at each of the times and wait for all of them; `told` hears the time of each."""
    outcomes = list[Outcome]()
    began_s, going = perf_counter(), set[asyncio.Task[None]]()
    for at_s in due:
        await asyncio.sleep(max(0.0, began_s + at_s - perf_counter()))
        told(at_s)
        task = asyncio.create_task(taken(pool, begin(), began_s + at_s, outcomes))
        going.add(task)
        task.add_done_callback(going.discard)
    await asyncio.gather(*going)
    return outcomes
