"""The rate rule by example: what a policy promises, in calls and seconds."""

from math import inf

import pytest

from opora.core.access.model.rates import Admission, Cell, Decision, FailureMode, RatePolicy, Tally
from opora.core.access.rules import rates
from opora.testing.rates import GCRA_CASES, GCRA_POLICY, Case

START_US = 1_800_000_000_000_000
SECOND_US = 1_000_000


class Caller:
    """One subject under one policy, its cell and its clock."""

    def __init__(self, quota: int = 3, window_s: int = 60, step_s: int | None = None) -> None:
        self.policy = RatePolicy("minute", quota, window_s, step_s=step_s)
        self.cell: Cell | None = None
        self.now_us = START_US

    def call(self, cost: int = 1):
        (verdict,), cells = rates.decide([self.policy], [self.cell], self.now_us, cost)
        self.cell = cells[0] if cells else self.cell
        return verdict

    def wait(self, seconds: float) -> "Caller":
        self.now_us += round(seconds * SECOND_US)
        return self


@pytest.mark.parametrize("case", GCRA_CASES, ids=lambda case: str(case.number))
def test_a_step_of_nothing_is_the_published_gcra(case: Case):
    cell = None
    for earlier in GCRA_CASES[: case.number + 1]:
        now_us = START_US + earlier.at_ms * 1000
        (verdict,), cells = rates.decide([GCRA_POLICY], [cell], now_us, earlier.cost)
        cell = cells[0] if cells else cell
    assert verdict.allowed is case.allowed
    assert verdict.remaining == case.remaining
    assert verdict.reset_after_s == case.reset_after_s
    assert verdict.retry_after_s == case.retry_after_s


def test_the_hundred_and_first_call_of_a_minute_is_refused_however_slowly_the_hundred_came():
    caller = Caller(quota=100)
    assert all(caller.wait(0.59).call().allowed for _ in range(100))
    refused = caller.wait(0.59).call()
    assert not refused.allowed
    assert refused.retry_after_s == pytest.approx(60 - 100 * 0.59)


def test_a_classic_policy_lets_calls_trickle_back():
    caller = Caller(quota=100, step_s=0)
    assert all(caller.wait(0.59).call().allowed for _ in range(130))


def test_everything_is_back_when_the_window_of_the_first_call_ends():
    caller = Caller(quota=3)
    for _ in range(3):
        caller.wait(10).call()
    assert caller.wait(39.999999).call().allowed is False
    assert caller.wait(0.000001).call().remaining == 2


def test_the_next_window_begins_with_the_next_call_not_with_the_end_of_the_last():
    caller = Caller(quota=3)
    caller.call()
    assert caller.wait(100).call().reset_after_s == 60


def test_steps_give_back_in_lumps_counted_from_the_first_call():
    caller = Caller(quota=6, window_s=60, step_s=20)
    assert all(caller.call().allowed for _ in range(6))
    assert caller.wait(19).call().retry_after_s == 1
    assert caller.wait(1).call().remaining == 1
    assert caller.call().allowed
    assert caller.call().retry_after_s == 20


def test_a_call_dearer_than_the_quota_never_passes():
    verdict = Caller(quota=3).call(cost=4)
    assert (verdict.allowed, verdict.retry_after_s, verdict.remaining) == (False, inf, 3)


def test_a_call_that_costs_nothing_begins_no_window():
    caller = Caller()
    assert caller.call(cost=0).allowed
    assert caller.cell is None


def test_asking_charges_nothing():
    verdicts, cells = rates.decide([RatePolicy("minute", 1, 60)], [None], START_US, 1, charge=False)
    assert verdicts[0].allowed
    assert verdicts[0].remaining == 1
    assert cells == ()


def test_no_policy_is_charged_when_one_refuses():
    minute, day = RatePolicy("minute", 5, 60), RatePolicy("day", 1, 86_400)
    _, cells = rates.decide([minute, day], [None, None], START_US, 1)
    verdicts, kept = rates.decide([minute, day], cells, START_US, 1)
    assert kept == ()
    assert [(verdict.allowed, verdict.remaining) for verdict in verdicts] == [(True, 4), (False, 0)]


@pytest.mark.parametrize(("quota", "remaining"), [(5, 2), (3, 0), (2, 0), (100, 97)])
def test_calls_counted_stay_counted_when_the_quota_changes(quota, remaining):
    caller = Caller(quota=10)
    for _ in range(3):
        caller.call()
    caller.policy = RatePolicy("minute", quota, 60)
    (verdict,), _ = rates.decide([caller.policy], [caller.cell], caller.now_us, 1, charge=False)
    assert verdict.remaining == remaining
    assert verdict.reset_after_s == 60


def test_a_quota_cut_under_what_was_spent_still_ends_with_its_window():
    caller = Caller(quota=100)
    for _ in range(100):
        caller.call()
    caller.policy = RatePolicy("minute", 1, 60)
    assert caller.call().retry_after_s == 60
    assert caller.wait(60).call().allowed


def test_a_clock_behind_the_anchor_is_told_in_the_wait():
    caller = Caller(quota=1)
    caller.call()
    assert caller.wait(-5).call().retry_after_s == 65


def test_a_share_is_never_nothing():
    assert rates.share(RatePolicy("minute", 100, 60), 4).quota == 25
    assert rates.share(RatePolicy("minute", 3, 60), 4).quota == 1


def test_a_cell_is_dead_when_its_quota_is_whole_again():
    policy = RatePolicy("minute", 6, 60, step_s=20)
    assert rates.dead_at_us(policy, Cell(START_US, 30 * SECOND_US, policy.interval_us)) == START_US + 40 * SECOND_US


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": 'mi"nute'},
        {"name": ""},
        {"quota": 0},
        {"quota": 60_000_001},
        {"window_s": 0},
        {"window_s": 400 * 86_400},
        {"step_s": -1},
        {"step_s": 61},
    ],
)
def test_a_policy_that_cannot_hold_is_refused(wrong):
    with pytest.raises(ValueError):
        RatePolicy(**({"name": "minute", "quota": 100, "window_s": 60} | wrong))


def test_a_policy_counts_alone_when_nothing_else_is_said():
    assert RatePolicy("minute", 100, 60).on_store_failure is FailureMode.LOCAL


def test_a_call_costs_one_and_cannot_give_back():
    assert Admission("key:7", ()).cost == 1
    with pytest.raises(ValueError, match="give back"):
        Admission("key:7", (), cost=-1)


def test_a_decision_allows_what_no_policy_refuses_and_nobody_revoked():
    caller = Caller(quota=1)
    passed, refused = caller.call(), caller.call()
    assert Decision((passed,)).allowed
    assert not Decision((passed, refused)).allowed
    assert not Decision((), revoked=True).allowed


def test_a_tally_hands_over_what_it_counted_once():
    tally = Tally()
    tally.count("key:7", True)
    tally.count("key:7", False)
    (one,) = tally.drain()
    assert (one.subject, one.allowed, one.refused) == ("key:7", 1, 1)
    assert list(tally.drain()) == []


def test_a_tally_takes_back_what_a_store_refused():
    tally = Tally()
    tally.count("key:7", True)
    lost = tally.drain()
    tally.count("key:7", True)
    tally.restore(lost)
    assert [one.allowed for one in tally.drain()] == [2]


def test_a_tally_counts_strangers_together_once_it_is_full():
    tally = Tally(subjects_max=1)
    for subject in ("key:7", "key:8", "key:9", "key:7"):
        tally.count(subject, True)
    assert {one.subject: one.allowed for one in tally.drain()} == {"key:7": 2, "": 2}
