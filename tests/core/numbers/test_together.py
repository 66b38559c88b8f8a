"""What is asked for at the same time is carried out together, and each asker hears of his own."""

import asyncio
from collections.abc import Sequence

import pytest

from opora.core.kernel.errors import DatabaseUnavailable, Unavailable
from opora.core.numbers.usecases.together import Together

pytestmark = pytest.mark.anyio


class Press:
    """Doubles numbers, a handful at a time, when it is let; remembers the handfuls."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.handfuls: list[list[int]] = []
        self.fault: Exception | None = None

    async def __call__(self, some: Sequence[int]) -> Sequence[int]:
        self.handfuls.append(list(some))
        await self.open.wait()
        if self.fault is not None:
            raise self.fault
        if 13 in some:
            raise ValueError(13)
        return [2 * one for one in some]


async def asked(together: Together[int, int], *numbers: int) -> list[asyncio.Task[int]]:
    """Ask for each in a task of its own, and let each get as far as it can."""
    tasks = [asyncio.ensure_future(together(one)) for one in numbers]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return tasks


async def test_what_comes_while_others_are_under_way_goes_together_after_them() -> None:
    press = Press()
    together = Together(press, 3)
    tasks = await asked(together, 1) + await asked(together, 2, 3, 4, 5)
    assert press.handfuls == [[1]]
    press.open.set()
    assert await asyncio.gather(*tasks) == [2, 4, 6, 8, 10]
    assert press.handfuls == [[1], [2, 3, 4], [5]]


async def test_one_at_fault_does_not_spoil_it_for_the_others() -> None:
    press = Press()
    press.open.set()
    tasks = await asked(Together(press, 10), 1, 13, 2)
    assert (await tasks[0], await tasks[2]) == (2, 4)
    with pytest.raises(ValueError, match="13"):
        await tasks[1]


async def test_a_store_that_is_away_is_asked_once_for_all() -> None:
    press = Press()
    press.open.set()
    press.fault = DatabaseUnavailable()
    tasks = await asked(Together(press, 10), 1, 2, 3)
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(one) for one in found] == [DatabaseUnavailable] * 3
    assert press.handfuls == [[1, 2, 3]]


async def test_who_goes_away_takes_nobody_along() -> None:
    press = Press()
    together = Together(press, 10)
    (gone, stays) = await asked(together, 1, 2)
    gone.cancel()
    press.open.set()
    assert await stays == 4
    assert press.handfuls == [[1, 2]]


async def test_nobody_waits_for_work_that_was_ended_from_outside() -> None:
    press = Press()
    together = Together(press, 1)
    tasks = await asked(together, 1, 2, 3)
    assert together._working is not None
    together._working.cancel()
    for task in tasks:
        with pytest.raises(Unavailable):
            await task
    press.open.set()
    assert await together(2) == 4
