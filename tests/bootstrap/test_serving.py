"""How newcomers are taken in."""

import asyncio
import socket
from typing import Any

import uvloop
from uvicorn import Config

from opora.bootstrap.serving import ACCEPTED_A_TURN, listeners

NEWCOMERS = 4 * ACCEPTED_A_TURN


class Greeted(asyncio.Protocol):
    """Counts who was taken in."""

    def __init__(self, count: list[int], gone: list[int]) -> None:
        self._count = count
        self._gone = gone

    def connection_made(self, transport: Any) -> None:
        self._count[0] += 1
        transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        self._gone[0] += 1


def test_many_newcomers_are_taken_in_by_one_turn_of_the_loop() -> None:
    async def taken_in() -> int:
        loop, count, gone = asyncio.get_running_loop(), [0], [0]
        sockets = listeners(Config(Greeted, host="127.0.0.1", port=0, log_config=None))
        servers = [await loop.create_server(lambda: Greeted(count, gone), sock=one) for one in sockets]
        clients = [socket.create_connection(sockets[0].getsockname()) for _ in range(NEWCOMERS)]
        turns = 0
        while count[0] < NEWCOMERS:
            await asyncio.sleep(0)
            turns += 1
        while gone[0] < NEWCOMERS:  # noqa: ASYNC110  # nothing tells of it
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.001)  # the loop lets the last socket go a turn later
        for one in [*clients, *servers]:
            one.close()
        return turns

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(taken_in()) < NEWCOMERS / 2
