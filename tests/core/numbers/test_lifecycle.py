"""How a number moves from call to call."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from opora.core.kernel.errors import IllegalMove
from opora.core.numbers.model.numbers import (
    CAUSE_CODES,
    DIALABLE,
    MOVES,
    NEVER,
    STATUS_CODES,
    CallingPolicy,
    Cause,
    NumberStatus,
    PhoneNumber,
)
from opora.core.numbers.rules import lifecycle

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
POLICY = CallingPolicy()
NUMBER = PhoneNumber(id=1, project_id=1, phone=79161234567, created_at=NOON, updated_at=NOON)
ATTEMPTS_MAX = 3


def test_codes_in_the_store_are_those_they_have_always_been() -> None:
    assert {str(status): code for status, code in STATUS_CODES.items()} == {
        "new": 0,
        "in_progress": 1,
        "success": 2,
        "failed": 3,
        "no_answer": 4,
        "suppressed": 5,
    }
    assert [str(cause) for cause in sorted(CAUSE_CODES, key=CAUSE_CODES.__getitem__)] == [
        "busy", "unanswered", "rejected", "unreachable", "technical", "voicemail", "invalid_number", "wrong_person",
        "refused", "lost",
    ]  # fmt: skip
    assert {STATUS_CODES[status] for status in DIALABLE} == {0, 3, 4}


@given(st.sampled_from(Cause), st.integers(1, 40), st.integers(1, 40))
def test_waiting_grows_with_attempts_up_to_its_bound_and_ends_with_them(cause: Cause, attempts: int, most: int) -> None:
    at = lifecycle.next_call_at(cause, attempts, most, NOON)
    wait = lifecycle.BACK_OFF[cause]
    if wait is None or attempts >= most:
        assert at == NEVER
    else:
        assert wait.first <= at - NOON <= wait.longest
        assert at <= lifecycle.next_call_at(cause, attempts + 1, most + 1, NOON)


@pytest.mark.parametrize("status", NumberStatus)
@pytest.mark.parametrize("target", NumberStatus)
def test_the_table_decides_every_pair(status: NumberStatus, target: NumberStatus) -> None:
    number = replace(NUMBER, status=status)
    if target in MOVES.table[status]:
        assert lifecycle.moved(number, target, None, ATTEMPTS_MAX, NOON, POLICY).status is target
    else:
        with pytest.raises(IllegalMove) as refusal:
            lifecycle.moved(number, target, None, ATTEMPTS_MAX, NOON, POLICY)
        assert refusal.value.facts["allowed"] == [str(one) for one in MOVES.allowed(status)]


@pytest.mark.parametrize(
    "number",
    [
        replace(NUMBER, status=NumberStatus.FAILED, cause=Cause.INVALID_NUMBER, attempts=1),
        replace(NUMBER, status=NumberStatus.NO_ANSWER, cause=Cause.UNANSWERED, attempts=ATTEMPTS_MAX),
    ],
)
def test_without_attempts_or_for_a_cause_that_stays_only_suppression_is_left(number: PhoneNumber) -> None:
    assert lifecycle.allowed(number, ATTEMPTS_MAX) == [NumberStatus.SUPPRESSED]


def test_an_outcome_without_a_cause_has_the_usual_one() -> None:
    begun = lifecycle.begun(NUMBER, NOON, POLICY)
    causes = {
        outcome: lifecycle.moved(begun, outcome, None, ATTEMPTS_MAX, NOON, POLICY).cause
        for outcome in (NumberStatus.SUCCESS, NumberStatus.FAILED, NumberStatus.NO_ANSWER)
    }
    assert list(causes.values()) == [None, Cause.TECHNICAL, Cause.UNANSWERED]


class NumberMachine(RuleBasedStateMachine):
    """A number under people, claims and sweeps, against what may ever be true of one."""

    def __init__(self) -> None:
        super().__init__()
        self.number = NUMBER
        self.now = NOON
        self.calls = 0
        self.was_suppressed = self.had_success = False

    @rule(hours=st.integers(0, 48))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule(status=st.sampled_from(NumberStatus), cause=st.sampled_from([None, *Cause]))
    def a_person_moves_it(self, status: NumberStatus, cause: Cause | None) -> None:
        may = status in lifecycle.allowed(self.number, ATTEMPTS_MAX)
        try:
            self.number = lifecycle.moved(self.number, status, cause, ATTEMPTS_MAX, self.now, POLICY)
        except IllegalMove:
            assert not may
            return
        assert may
        self.calls += status is NumberStatus.IN_PROGRESS

    @precondition(lambda self: self.number.status in DIALABLE and self.number.attempts < ATTEMPTS_MAX)
    @precondition(lambda self: self.number.next_call_at <= self.now)
    @rule()
    def it_is_claimed(self) -> None:
        self.number = lifecycle.begun(self.number, self.now, POLICY)
        self.calls += 1

    @precondition(lambda self: self.number.lease_until is not None and self.number.lease_until <= self.now)
    @rule()
    def its_lease_ends(self) -> None:
        self.number = lifecycle.released(self.number, ATTEMPTS_MAX, self.now)

    @invariant()
    def attempts_are_counted_and_bounded(self) -> None:
        assert self.number.attempts == self.calls <= ATTEMPTS_MAX

    @invariant()
    def only_what_is_out_has_a_lease(self) -> None:
        assert (self.number.lease_until is not None) == (self.number.status is NumberStatus.IN_PROGRESS)

    @invariant()
    def what_is_final_stays(self) -> None:
        status = self.number.status
        assert not self.was_suppressed or status is NumberStatus.SUPPRESSED
        assert not self.had_success or status in {NumberStatus.SUCCESS, NumberStatus.SUPPRESSED}
        self.was_suppressed |= status is NumberStatus.SUPPRESSED
        self.had_success |= status is NumberStatus.SUCCESS

    @invariant()
    def a_number_without_attempts_is_never_due(self) -> None:
        if self.number.status in DIALABLE and self.number.attempts >= ATTEMPTS_MAX:
            assert self.number.next_call_at == NEVER

    @invariant()
    def a_failure_tells_its_cause(self) -> None:
        outcomes = {NumberStatus.FAILED, NumberStatus.NO_ANSWER}
        assert (self.number.cause is not None) == (self.number.status in outcomes)


TestNumberMachine = NumberMachine.TestCase
