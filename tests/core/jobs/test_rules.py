"""When a job runs, when it is tried again and when it is given up."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opora.core.jobs import rules
from opora.core.jobs.errors import Hopeless, LeaseLost
from opora.core.jobs.model import MOVES, Claim, CronSlot, JobState, LeasePolicy, Priority, RetryPolicy

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
FRACTIONS = st.floats(0, 1, exclude_max=True)
TIMES = st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))
SPANS = st.timedeltas(timedelta(seconds=1), timedelta(days=400))


def a_claim(attempt: int = 1, attempts_max: int = 5) -> Claim:
    return Claim(id=UUID(int=7), kind="k", payload={}, attempt=attempt, attempts_max=attempts_max, lease_id="l")


@given(st.integers(1, 10_000), FRACTIONS, st.floats(0.001, 100), st.floats(0.001, 10_000))
def test_j6_a_retry_waits_between_nothing_and_the_cap(
    attempt: int, fraction: float, base_s: float, cap_s: float
) -> None:
    assert 0 <= rules.retry_delay_s(attempt, RetryPolicy(base_s, cap_s), fraction) <= cap_s


def test_the_ceiling_of_a_retry_doubles_until_the_cap() -> None:
    ceilings = [rules.retry_delay_s(attempt, RetryPolicy(1.0, 10.0), 1.0) for attempt in range(1, 7)]
    assert ceilings == [1, 2, 4, 8, 10, 10]


def test_a_failure_is_tried_again_while_attempts_are_left() -> None:
    assert rules.after_failure(a_claim(4, 5), ConnectionError()) is JobState.QUEUED
    assert rules.after_failure(a_claim(5, 5), ConnectionError()) is JobState.DEAD


def test_a_hopeless_failure_is_never_tried_again() -> None:
    assert rules.after_failure(a_claim(1, 5), Hopeless()) is JobState.DEAD


@given(TIMES, SPANS)
def test_now_lies_in_its_slot_and_the_next_one_begins_where_it_ends(now: datetime, every: timedelta) -> None:
    slot = CronSlot("s", "k", every)
    start = rules.slot_start(slot, now)
    assert start <= now < rules.next_slot(slot, now) == start + every
    assert (start - rules.EPOCH) % every == timedelta(0)


@given(TIMES, SPANS, FRACTIONS)
def test_j12_any_two_moments_of_a_slot_make_one_job(now: datetime, every: timedelta, fraction: float) -> None:
    slot = CronSlot("s", "k", every)
    start = rules.slot_start(slot, now)
    within = min(start + every * fraction, start + every - timedelta(microseconds=1))
    assert rules.slot_job(slot, rules.slot_start(slot, within)) == rules.slot_job(slot, start)


def test_the_job_of_a_slot_is_named_by_slot_and_start_and_gives_way_to_people() -> None:
    job = rules.slot_job(CronSlot("tidy", "jobs.tidy", timedelta(hours=1), {"deep": True}), NOON)
    assert (job.kind, job.dedup_key, job.priority) == ("jobs.tidy", "cron:tidy:2030-01-01T12:00:00Z", Priority.LOW)
    assert job.payload == {"deep": True}


def test_a_job_is_overdue_from_the_moment_it_was_due() -> None:
    assert rules.overdue_s(NOON, NOON + timedelta(seconds=90)) == 90
    assert rules.overdue_s(NOON, NOON - timedelta(seconds=90)) == 0


def test_two_heartbeats_may_be_missed() -> None:
    assert LeasePolicy(30.0).beat_s == 10.0


def test_j4_only_a_dead_job_comes_back_and_only_by_hand() -> None:
    assert MOVES.final() == {JobState.SUCCEEDED, JobState.CANCELLED}
    assert MOVES.allowed(JobState.DEAD) == [JobState.QUEUED]


@pytest.mark.parametrize("state", JobState)
def test_every_state_can_be_reached(state: JobState) -> None:
    reached, frontier = {JobState.QUEUED}, [JobState.QUEUED]
    while frontier:
        new = MOVES.table[frontier.pop()] - reached
        reached |= new
        frontier += new
    assert state in reached


def test_what_is_wrong_about_a_job_says_so_in_its_first_line() -> None:
    assert str(LeaseLost()) == "The job's lease ended or another attempt began; this attempt's end does not count."
