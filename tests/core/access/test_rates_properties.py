"""The rate rule by property: what holds for every policy, history and clock."""

from hypothesis import assume, given
from hypothesis import strategies as st

from opora.core.access.model.rates import SPANS, Cell, RatePolicy, SubjectCount
from opora.core.access.rules import rates

START_US = 1_800_000_000_000_000
SECOND_US = 1_000_000

policies = st.builds(
    lambda quota, window_s, parts: RatePolicy("p", quota, window_s, step_s=parts and window_s // parts),
    st.integers(1, 40),
    st.integers(1, 120),
    st.sampled_from([0, 1, 2, 3, 120]),
)
windows = st.builds(lambda quota, window_s: RatePolicy("p", quota, window_s), st.integers(1, 40), st.integers(1, 120))
gaps_us = st.lists(st.one_of(st.just(0), st.integers(0, 5 * SECOND_US), st.integers(0, 200 * SECOND_US)), max_size=120)
waits_us = st.integers(0, 400 * SECOND_US)


def history(policy: RatePolicy, gaps: list[int]) -> tuple[Cell | None, list[int]]:
    """Call once after each gap; return the cell that is left and the instants that were let in."""
    cell, now_us, admitted = None, START_US, []
    for gap in gaps:
        now_us += gap
        _, cells = rates.decide([policy], [cell], now_us, 1)
        if cells:
            cell = cells[0]
            admitted.append(now_us)
    return cell, admitted


@given(windows, gaps_us)
def test_a_window_begun_by_its_first_call_holds_no_more_than_the_quota(policy, gaps):
    _, admitted = history(policy, gaps)
    while admitted:
        window = [at for at in admitted if at < admitted[0] + policy.window_s * SECOND_US]
        assert len(window) <= policy.quota
        admitted = admitted[len(window) :]


@given(windows, gaps_us)
def test_a_whole_quota_is_there_when_the_window_of_the_first_call_has_passed(policy, gaps):
    cell, admitted = history(policy, gaps)
    assume(admitted)
    begun_us = rates.settled(policy, cell, admitted[-1]).anchor_us
    _, cells = rates.decide([policy], [cell], begun_us + policy.window_s * SECOND_US, policy.quota)
    assert cells


@given(policies, gaps_us, st.integers(1, 5))
def test_any_stretch_of_n_windows_holds_no_more_than_n_and_one_quotas(policy, gaps, count):
    _, admitted = history(policy, gaps)
    for first in admitted:
        stretch_us = count * policy.quota * policy.interval_us  # a window, but for the rounding of the interval
        assert sum(first <= at < first + stretch_us for at in admitted) <= (count + 1) * policy.quota


@given(policies, gaps_us)
def test_any_stretch_shorter_than_a_step_holds_no_more_than_a_quota_and_what_one_step_gives_back(policy, gaps):
    _, admitted = history(policy, gaps)
    for first in admitted:
        burst = sum(first <= at < first + policy.step_us for at in admitted)
        assert burst <= (policy.tolerance_us + policy.step_us) // policy.interval_us


@given(policies, gaps_us, waits_us, waits_us)
def test_looking_at_a_cell_changes_nothing_that_follows(policy, gaps, first_us, second_us):
    cell, _ = history(policy, gaps)
    assume(cell is not None)
    looked_at = rates.settled(policy, cell, cell.anchor_us + first_us)
    assume(looked_at.spent_us)
    later_us = cell.anchor_us + first_us + second_us
    assert rates.settled(policy, looked_at, later_us) == rates.settled(policy, cell, later_us)


@given(policies, gaps_us, st.integers(1, 50))
def test_a_refusal_leaves_the_cell_as_it_was(policy, gaps, cost):
    cell, admitted = history(policy, gaps)
    now_us = admitted[-1] if admitted else START_US
    (verdict,), cells = rates.decide([policy], [cell], now_us, cost)
    assert bool(cells) is verdict.allowed


@given(policies, gaps_us, waits_us, st.integers(1, 40))
def test_after_the_wait_that_was_told_the_same_call_passes_and_not_before(policy, gaps, wait_us, cost):
    assume(cost <= policy.quota)
    cell, admitted = history(policy, gaps)
    now_us = (admitted[-1] if admitted else START_US) + wait_us
    (verdict,), _ = rates.decide([policy], [cell], now_us, cost)
    retry_us = round(verdict.retry_after_s * SECOND_US)
    assert verdict.allowed is (retry_us == 0)
    assert rates.decide([policy], [cell], now_us + retry_us, cost)[0][0].allowed
    if retry_us:
        assert not rates.decide([policy], [cell], now_us + retry_us - 1, cost)[0][0].allowed


@given(policies, gaps_us, waits_us)
def test_at_the_reset_that_was_told_the_quota_is_whole_and_not_before(policy, gaps, wait_us):
    cell, admitted = history(policy, gaps)
    now_us = (admitted[-1] if admitted else START_US) + wait_us
    (verdict,), _ = rates.decide([policy], [cell], now_us, 1, charge=False)
    reset_us = round(verdict.reset_after_s * SECOND_US)
    assert rates.settled(policy, cell, now_us + reset_us).spent_us == 0
    if reset_us:
        assert rates.settled(policy, cell, now_us + reset_us - 1).spent_us > 0


@given(policies, gaps_us, waits_us)
def test_what_remains_is_what_passes(policy, gaps, wait_us):
    cell, admitted = history(policy, gaps)
    now_us = (admitted[-1] if admitted else START_US) + wait_us
    (verdict,), _ = rates.decide([policy], [cell], now_us, 0)
    assert rates.decide([policy], [cell], now_us, verdict.remaining)[0][0].allowed
    assert not rates.decide([policy], [cell], now_us, verdict.remaining + 1)[0][0].allowed


@given(policies, gaps_us, st.integers(-400 * SECOND_US, 400 * SECOND_US), waits_us, st.integers(1, 40))
def test_time_only_ever_gives_back(policy, gaps, at_us, later_us, cost):
    cell, admitted = history(policy, gaps)
    now_us = (admitted[-1] if admitted else START_US) + at_us
    if rates.fits(policy, rates.settled(policy, cell, now_us), cost):
        assert rates.fits(policy, rates.settled(policy, cell, now_us + later_us), cost)


@given(policies, gaps_us, st.lists(st.integers(0, 400 * SECOND_US), max_size=60))
def test_a_clock_that_goes_backwards_admits_no_more_than_one_that_stands_still(policy, gaps, steps_back):
    cell, admitted = history(policy, gaps)
    assume(admitted)
    room = rates.decide([policy], [cell], admitted[-1], 0)[0][0].remaining
    passed = 0
    for back_us in steps_back:
        _, cells = rates.decide([policy], [cell], admitted[-1] - back_us, 1)
        if cells:
            cell, passed = cells[0], passed + 1
    assert passed <= room


@given(windows, windows, st.integers(1, 40))
def test_a_changed_quota_keeps_the_calls_that_were_counted(before, after, calls):
    assume(calls <= before.quota)
    _, (cell,) = rates.decide([before], [None], START_US, calls)
    (verdict,), _ = rates.decide([after], [cell], START_US, 0)
    assert verdict.remaining == max(0, after.quota - calls)


@given(policies, gaps_us)
def test_a_dead_cell_says_what_no_cell_says(policy, gaps):
    cell, _ = history(policy, gaps)
    assume(cell is not None)
    dead_us = rates.dead_at_us(policy, cell)
    assert rates.settled(policy, cell, dead_us) == rates.settled(policy, None, dead_us)


counts = st.lists(
    st.builds(SubjectCount, st.sampled_from(["", "a", "b", "c", "d"]), st.integers(0, 9), st.integers(0, 9)),
    max_size=12,
)


@given(st.sampled_from(SPANS), counts, st.integers(0, 5))
def test_figures_lose_no_call(span, some, top):
    found = rates.figures(span, some, top)
    assert found.allowed == sum(one.allowed for one in some)
    assert found.refused == sum(one.refused for one in some)
    assert len(found.busiest) <= top
    totals = [one.allowed + one.refused for one in found.busiest]
    assert totals == sorted(totals, reverse=True)
    assert "" not in [one.subject for one in found.busiest]


@given(counts, st.integers(0, 6))
def test_thinning_loses_no_call_and_keeps_the_busiest(some, keep):
    thin = rates.thinned(some, keep)
    assert len(thin) <= keep + 1
    assert sum(one.allowed + one.refused for one in thin) == sum(one.allowed + one.refused for one in some)


@given(st.sampled_from(SPANS), st.integers(0, 4_000_000_000))
def test_a_span_reads_whole_buckets_that_reach_back_to_its_start(span, now_s):
    first, last = rates.first_bucket(span, now_s), rates.bucket(span, now_s)
    assert first <= now_s - span.length_s < first + span.bucket_s
    assert last <= now_s < last + span.bucket_s
