"""Connections that are held and lent, without a server: who waits, who is served, and what is lost."""

import asyncio
from typing import Any

import asyncpg
import pytest

from opora.adapters.sql import held as module
from opora.adapters.sql.held import HeldConnections

pytestmark = pytest.mark.anyio

SHORT_S = 0.05


class FakeConnection:
    """A connection that may be lost or left in a transaction."""

    def __init__(self) -> None:
        self.is_lost = False
        self.is_busy = False
        self.is_stuck = False
        self.run: list[str] = []

    async def execute(self, sql: str, *, timeout: float) -> None:  # noqa: ASYNC109  # the driver's own signature
        """Run a statement once the one before it has ended."""
        async with asyncio.timeout(timeout):
            while self.is_stuck:  # noqa: ASYNC110  # nothing tells of it
                await asyncio.sleep(0.001)
        self.run.append(sql)
        if sql == "ROLLBACK":
            self.is_busy = False

    def is_closed(self) -> bool:
        """Tell whether it was lost or closed."""
        return self.is_lost

    def is_in_transaction(self) -> bool:
        """Tell whether somebody left a transaction open."""
        return self.is_busy

    def terminate(self) -> None:
        """Close it at once."""
        self.is_lost = True

    async def close(self, *, timeout: float) -> None:  # noqa: ASYNC109  # the driver's own signature
        """Close it."""
        assert timeout > 0
        self.is_lost = True


class FakeServer:
    """Opens connections; may refuse, and may take its time."""

    def __init__(self) -> None:
        self.opened: list[FakeConnection] = []
        self.refuses = False
        self.delay_s = 0.0

    async def connect(self) -> Any:
        """Open one."""
        await asyncio.sleep(self.delay_s)
        if self.refuses:
            raise ConnectionRefusedError
        self.opened.append(FakeConnection())
        return self.opened[-1]


@pytest.fixture
def server() -> FakeServer:
    """Return a server without connections."""
    return FakeServer()


def held_by(server: FakeServer, size: int = 2, wait_s: float = 1.0) -> HeldConnections:
    """Return connections to that server."""
    return HeldConnections(server.connect, size, wait_s)


async def test_the_one_given_back_last_is_lent_first_and_no_more_are_opened_than_are_needed(server: FakeServer) -> None:
    held = held_by(server, 3)
    one, other = await held.acquire(), await held.acquire()
    held.release(one)
    held.release(other)
    assert await held.acquire() is other
    assert await held.acquire() is one
    assert len(server.opened) == 2


async def test_who_waits_is_served_in_turn(server: FakeServer) -> None:
    held = held_by(server, 1)
    driver = await held.acquire()
    waiting = [asyncio.create_task(held.acquire()) for _ in range(3)]
    await asyncio.sleep(0)
    for task in waiting:
        held.release(driver)
        assert await task is driver
    assert len(server.opened) == 1


async def test_waiting_ends_and_leaves_nothing_behind(server: FakeServer) -> None:
    held = held_by(server, 1, SHORT_S)
    driver = await held.acquire()
    with pytest.raises(TimeoutError):
        await held.acquire()
    held.release(driver)
    assert await held.acquire() is driver


async def test_a_server_that_takes_its_time_is_not_waited_for_without_end(server: FakeServer) -> None:
    server.delay_s = 60
    held = held_by(server, 1, SHORT_S)
    with pytest.raises(TimeoutError):
        await held.acquire()
    server.delay_s = 0
    assert await held.acquire() is server.opened[0]


async def test_a_refusal_is_told_and_takes_no_place(server: FakeServer) -> None:
    held = held_by(server, 1)
    server.refuses = True
    for _ in range(3):
        with pytest.raises(ConnectionRefusedError):
            await held.acquire()
    server.refuses = False
    assert await held.acquire() is server.opened[0]


@pytest.mark.parametrize("error", [TimeoutError(), asyncio.CancelledError(), asyncpg.InterfaceError("broken")])
async def test_one_that_may_still_be_at_a_statement_keeps_its_place_until_the_server_has_left_off(
    server: FakeServer, error: BaseException
) -> None:
    held = held_by(server, 1)
    driver = await held.acquire()
    server.opened[0].is_stuck = True
    held.release(driver, error)
    waiting = asyncio.create_task(held.acquire())
    await asyncio.sleep(0.01)
    assert held.is_full
    assert not waiting.done()
    server.opened[0].is_stuck = False
    assert await waiting is driver
    assert len(server.opened) == 1


async def test_one_that_the_server_does_not_leave_off_is_given_up_in_time(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SETTLE_S", SHORT_S)
    held = held_by(server, 1)
    driver = await held.acquire()
    server.opened[0].is_stuck = True
    held.release(driver, TimeoutError())
    assert await held.acquire() is server.opened[1]
    assert server.opened[0].is_lost


async def test_a_refused_statement_costs_no_connection(server: FakeServer) -> None:
    held = held_by(server)
    driver = await held.acquire()
    with pytest.raises(asyncpg.UniqueViolationError):
        async with held.returned(driver):
            raise asyncpg.UniqueViolationError
    assert await held.acquire() is driver


async def test_one_left_in_a_transaction_is_taken_out_of_it_and_a_lost_one_is_not_lent_again(
    server: FakeServer,
) -> None:
    held = held_by(server)
    busy, lost = await held.acquire(), await held.acquire()
    server.opened[0].is_busy = True
    server.opened[1].is_lost = True
    held.release(lost)
    held.release(busy)
    assert await held.acquire() is server.opened[2]
    assert await held.acquire() is busy
    assert server.opened[0].run == ["SELECT 1", "ROLLBACK"]
    held.release(server.opened[2])  # type: ignore[arg-type]
    server.opened[2].is_lost = True  # while nobody uses it
    assert await held.acquire() is server.opened[3]


async def test_a_waiter_who_gives_up_when_served_hands_it_on(server: FakeServer) -> None:
    held = held_by(server, 1)
    driver = await held.acquire()
    first, second = (asyncio.create_task(held.acquire()) for _ in range(2))
    await asyncio.sleep(0)
    held.release(driver)
    first.cancel()  # served, and does not know it yet
    assert await second is driver
    third = asyncio.create_task(held.acquire())
    fourth = asyncio.create_task(held.acquire())
    await asyncio.sleep(0)
    held.drop(driver)
    third.cancel()  # given the place of the one that was dropped
    assert await fourth is server.opened[1]
    assert len(server.opened) == 2


async def test_what_nobody_uses_is_closed(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_S", 0.01)
    monkeypatch.setattr(module, "IDLE_S", 0.03)
    held = held_by(server)
    one, other = await held.acquire(), await held.acquire()
    held.release(one)
    await asyncio.sleep(0.1)
    assert [one.is_lost for one in server.opened] == [True, False]
    held.release(other)
    await asyncio.sleep(0.1)
    assert all(one.is_lost for one in server.opened)
    assert await held.acquire() is server.opened[2]


async def test_closing_waits_for_what_is_lent_and_cuts_what_does_not_come_back(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = held_by(server)
    driver, idle = await held.acquire(), await held.acquire()
    held.release(idle)
    closing = asyncio.create_task(held.close())
    await asyncio.sleep(0)
    assert not server.opened[0].is_lost
    held.release(driver)
    await closing
    assert all(one.is_lost for one in server.opened)
    with pytest.raises(asyncpg.InterfaceError):
        await held.acquire()
    monkeypatch.setattr(module, "CLOSE_S", SHORT_S)
    kept = held_by(server)
    await kept.acquire()
    await kept.close()
    assert server.opened[-1].is_lost


async def test_who_waits_while_all_are_closed_is_told_so_and_opens_none(server: FakeServer) -> None:
    held = held_by(server, 1)
    driver = await held.acquire()
    waiting = [asyncio.create_task(held.acquire()) for _ in range(4)]
    await asyncio.sleep(0)
    closing = asyncio.create_task(held.close())
    await asyncio.sleep(0)
    held.release(driver)
    await closing
    ends = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(one) for one in ends] == [asyncpg.InterfaceError] * 4
    assert len(server.opened) == 1


async def test_one_that_is_opened_while_all_are_closed_is_closed_too(server: FakeServer) -> None:
    server.delay_s = SHORT_S
    held = held_by(server)
    opening = asyncio.create_task(held.acquire())
    await asyncio.sleep(0)
    await held.close()
    with pytest.raises(asyncpg.InterfaceError):
        await opening
    assert server.opened[0].is_lost
