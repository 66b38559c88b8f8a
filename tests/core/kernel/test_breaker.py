"""The circuit breaker: a failing system is left alone, probed by one call, and used again when it answers."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opora.core.kernel.model import BREAKER_MOVES, Breaker, BreakerPolicy, BreakerState
from opora.core.kernel.rules import breaker_begun, breaker_failed, breaker_succeeded, breaker_wait_s

POLICY = BreakerPolicy(failures_max=3, open_s=10.0, open_max_s=60.0)
CLOSED = Breaker(POLICY)
OPEN = Breaker(POLICY, BreakerState.OPEN, 0, 110.0)
PROBING = Breaker(POLICY, BreakerState.HALF_OPEN, 0, 120.0)


def failed(breaker: Breaker, times: int, now_s: float = 100.0) -> Breaker:
    """Return the breaker after that many failures in a row."""
    for _ in range(times):
        breaker = breaker_failed(breaker, now_s)
    return breaker


def test_opens_with_the_last_failure_it_bears() -> None:
    assert failed(CLOSED, 2).state is BreakerState.CLOSED
    assert failed(CLOSED, 3) == OPEN


def test_a_success_in_between_forgets_the_failures() -> None:
    assert failed(breaker_succeeded(failed(CLOSED, 2)), 2).state is BreakerState.CLOSED


def test_lets_nobody_through_until_the_pause_is_over() -> None:
    assert breaker_wait_s(CLOSED, 100.0) == 0
    assert breaker_wait_s(OPEN, 104.0) == 6.0
    assert breaker_wait_s(OPEN, 110.0) == 0


def test_one_call_probes_and_the_others_wait_for_it() -> None:
    probing = breaker_begun(OPEN, 110.0)
    assert probing == PROBING
    assert breaker_wait_s(probing, 111.0) > 0


def test_a_probe_that_is_never_heard_of_again_gives_way_to_another() -> None:
    assert breaker_wait_s(PROBING, 120.0) == 0
    assert breaker_begun(PROBING, 120.0) == replace(PROBING, until_s=130.0)


def test_a_probe_that_is_answered_closes_it() -> None:
    assert breaker_succeeded(PROBING) == CLOSED


@pytest.mark.parametrize(("probes", "pause_s"), [(1, 20.0), (2, 40.0), (3, 60.0), (40, 60.0)])
def test_each_probe_that_fails_doubles_the_pause_up_to_the_longest(probes: int, pause_s: float) -> None:
    breaker = OPEN
    for _ in range(probes):
        breaker = breaker_failed(breaker_begun(breaker, breaker.until_s), 1000.0)
    assert breaker.until_s == 1000.0 + pause_s


def test_stragglers_change_nothing_once_it_is_open() -> None:
    assert breaker_succeeded(OPEN) == OPEN
    assert breaker_failed(OPEN, 105.0) == OPEN


def test_a_closed_one_is_not_changed_by_a_call_that_begins() -> None:
    assert breaker_begun(CLOSED, 5.0) == CLOSED


@given(st.lists(st.sampled_from(["begin", "succeed", "fail", "wait"]), max_size=60))
def test_it_moves_by_its_table_and_its_pause_is_bounded(steps: list[str]) -> None:
    breaker, now_s = CLOSED, 0.0
    for step in steps:
        before = breaker
        if step == "wait":
            now_s += 7.0
        elif step == "begin" and not breaker_wait_s(breaker, now_s):
            breaker = breaker_begun(breaker, now_s)
        elif step == "succeed":
            breaker = breaker_succeeded(breaker)
        elif step == "fail":
            breaker = breaker_failed(breaker, now_s)
        if breaker.state is not before.state:
            assert breaker.state in BREAKER_MOVES.allowed(before.state)
        assert breaker_wait_s(breaker, now_s) <= POLICY.open_max_s
