"""Loops go on whatever a turn does, and the timekeeper adds each slot's job once."""

import asyncio
from datetime import timedelta

import pytest

from opora.bootstrap.simulation.clock import SkewedClock, StoreClock
from opora.core.jobs.model import CronSlot, JobFilter
from opora.core.kernel.errors import DatabaseUnavailable
from opora.core.kernel.model import PageRequest
from opora.worker.loops import Loop, Timekeeper
from worker.conftest import Diary, Shop

pytestmark = pytest.mark.anyio

SLOT = CronSlot("tick", "sim.tick", timedelta(minutes=10))


class Turns:
    """An action that remembers when it was done, and does what it was told."""

    def __init__(self, *ends: bool | Exception) -> None:
        self.at_s: list[float] = []
        self._ends = list(ends)

    async def __call__(self) -> bool:
        self.at_s.append(asyncio.get_running_loop().time())
        end = self._ends.pop(0) if self._ends else False
        if isinstance(end, Exception):
            raise end
        return end


async def run_for(seconds: float, loop: Loop) -> None:
    running = asyncio.create_task(loop.run())
    await asyncio.sleep(seconds)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_loop_does_its_action_at_once_and_then_every_pause() -> None:
    turns = Turns()
    await run_for(25.0, Loop("x", 10.0, turns, Diary()))
    assert turns.at_s == [0.0, 10.0, 20.0]


async def test_a_loop_goes_on_without_a_pause_while_more_is_left() -> None:
    turns = Turns(True, True, False)
    await run_for(5.0, Loop("x", 10.0, turns, Diary()))
    assert turns.at_s == [0.0, 0.0, 0.0]


async def test_a_loop_that_is_woken_does_not_wait_for_its_pause() -> None:
    turns = Turns()
    loop = Loop("x", 10.0, turns, Diary())
    asyncio.get_running_loop().call_later(3.0, loop.wake)
    await run_for(5.0, loop)
    assert turns.at_s == [0.0, 3.0]


async def test_no_fault_of_a_turn_ends_a_loop() -> None:
    turns, diary = Turns(DatabaseUnavailable(), ZeroDivisionError()), Diary()
    await run_for(25.0, Loop("keeping x", 10.0, turns, diary))
    assert len(turns.at_s) == 3
    assert diary.troubles == ["keeping x", "keeping x"]


async def ticks(shop: Shop) -> int:
    return (await shop.views.page(JobFilter(kind=SLOT.kind), PageRequest())).count


async def test_j12_several_timekeepers_with_clocks_apart_add_each_slot_once(shop: Shop) -> None:
    store = StoreClock(asyncio.get_running_loop())  # type: ignore[arg-type]  # the backend made it
    keepers = [Timekeeper(shop.unit, SkewedClock(store, skew_s), [SLOT]) for skew_s in (0.0, 2.0, 4.0)]
    for _ in range(60):
        await asyncio.gather(*(keeper() for keeper in keepers))
        await asyncio.sleep(30.0)
    assert await ticks(shop) == 3


async def test_a_slot_that_began_while_the_store_was_away_is_added_when_it_is_back(shop: Shop) -> None:
    keeper = Timekeeper(shop.unit, shop.clock, [SLOT])
    held = await shop.database.begin()
    trying = asyncio.create_task(keeper())
    await asyncio.sleep(31.0)
    with pytest.raises(DatabaseUnavailable):
        await trying
    await held.rollback()
    await keeper()
    assert await ticks(shop) == 1


async def test_a_timekeeper_with_nothing_new_touches_no_store(shop: Shop) -> None:
    keeper = Timekeeper(shop.unit, shop.clock, [SLOT])
    await keeper()
    held = await shop.database.begin()
    assert await keeper() is False
    await held.rollback()
