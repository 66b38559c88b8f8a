"""What a load is judged by: arrivals that wait for nobody, times from when a call was meant, the knee."""

import asyncio
from itertools import pairwise
from random import Random

import pytest
from journeys import Answer, Call, Journey

from load.driving import Outcome, Pool, arrivals, opened
from load.judging import Figures, figures, grown, knee, normal_after_s, unshed

pytestmark = pytest.mark.anyio


def an_outcome(took_s: float = 0.01, status: int = 200, at_s: float = 0.0) -> Outcome:
    return Outcome("x", at_s, took_s, status, status == 200)


def a_step(offered_hz: float, took_s: float = 0.01, bad: int = 0, calls: int = 1000) -> Figures:
    outcomes = [an_outcome(took_s, 503 if number < bad else 200) for number in range(calls)]
    return figures(outcomes, offered_hz, 10.0)


def test_arrivals_are_fixed_by_the_seed_and_come_as_often_as_they_should() -> None:
    due = list(arrivals(Random(7), 50.0, 100.0))
    assert due == list(arrivals(Random(7), 50.0, 100.0)) == sorted(due)
    assert 4_600 < len(due) < 5_400
    gaps = sorted(after - before for before, after in pairwise(due))
    assert gaps[len(gaps) // 2] < 0.02 < gaps[-1], "independent of each other: many gaps short, some long"


class OneAtATime(Pool):
    """A server that takes a while for each call and begins the next when it is done."""

    def __init__(self) -> None:
        super().__init__(["http://127.0.0.1:1"])
        self._line = asyncio.Lock()
        self.calls = 0

    async def ask(self, call: Call) -> Answer:
        async with self._line:  # type: ignore[attr-defined]
            await asyncio.sleep(0.02)
            self.calls += 1
            return Answer(200, b"{}")


def twice() -> Journey:
    for _ in range(2):
        yield Call("GET", "/x", "x")


async def test_a_call_that_had_to_wait_is_charged_from_when_it_was_meant() -> None:
    pool = OneAtATime()
    outcomes = await opened(pool, [0.0] * 5, twice, lambda _: None)
    assert (pool.calls, len(outcomes)) == (10, 10)
    first = sorted(one.took_s for one in outcomes if one.at_s == min(outcome.at_s for outcome in outcomes))
    assert len(first) == 5 and first[0] >= 0.02 and first[-1] >= 5 * 0.02, (
        "all came at once, and the last waited for all"
    )


def test_the_knee_is_the_last_step_that_held_before_one_that_did_not() -> None:
    assert a_step(10).holds and a_step(10, bad=1).holds
    assert not a_step(10, took_s=0.3).holds and not a_step(10, bad=2).holds and not a_step(10, calls=0).holds
    steps = [a_step(10), a_step(13), a_step(17, took_s=0.3), a_step(22)]
    found = knee(steps)
    assert found is not None and found.offered_hz == 13
    assert knee([a_step(10, bad=900)]) is None


def test_under_too_much_load_only_refusals_for_that_reason_are_taken() -> None:
    outcomes = [an_outcome(status=status) for status in (200, 429, 503, 500, 0, 500)]
    assert unshed(outcomes) == {500: 2, 0: 1}


def test_normal_is_when_no_call_is_refused_or_slow_any_more() -> None:
    later = [an_outcome(at_s=100 + second, took_s=0.5 if second == 3 else 0.01) for second in range(10)]
    assert normal_after_s(later, 100.0) == 3.0
    assert normal_after_s([an_outcome(at_s=101)], 100.0) == 0.0
    assert normal_after_s([an_outcome(at_s=104, status=503)], 100.0) == 4.0


def test_what_grows_is_told_from_what_fills_once() -> None:
    assert grown([10.0, 50.0, 60.0, 60.0, 60.0, 60.0, 60.0, 60.0], 5.0) == 0.0
    assert grown([float(number) for number in range(40)], 5.0) == 20.0
    assert grown([1.0], 0.0) == 0.0
