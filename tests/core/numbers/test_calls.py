"""Events of calls end in the same number whatever order they come in."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opora.core.numbers.errors.calls import InvalidCallEvent
from opora.core.numbers.model.calls import Call, CallEvent, CallEventType, CallResult
from opora.core.numbers.model.numbers import NEVER, CallingPolicy, Cause, NumberStatus, PhoneNumber
from opora.core.numbers.rules import calls, lifecycle

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
POLICY = CallingPolicy()
PHONE = 79161234567
NUMBER = PhoneNumber(id=1, project_id=1, phone=PHONE, created_at=NOON, updated_at=NOON)


def an_event(call_id: str, type: CallEventType, minute: int, event_id: str, **more: object) -> CallEvent:
    """Build an event some minutes past noon."""
    at = NOON + timedelta(minutes=minute)
    return CallEvent(
        event_id=event_id,
        call_id=call_id,
        type=type,
        phone=PHONE,
        occurred_at=at,
        **more,  # type: ignore[arg-type]
    )


@st.composite
def stories(draw: st.DrawFn) -> list[CallEvent]:
    """Up to three calls with events at any times, some with several results."""
    events: list[CallEvent] = []
    for call in range(draw(st.integers(1, 3))):
        for number in range(draw(st.integers(1, 4))):
            type = draw(st.sampled_from(CallEventType))
            told = {}
            if type is CallEventType.RESULT:
                told = {"result": draw(st.sampled_from(CallResult)), "cause": draw(st.sampled_from([None, *Cause]))}
            minute = draw(st.integers(call * 10, call * 10 + 30))
            events.append(an_event(f"c{call}", type, minute, f"{call}.{number}", **told))
    return events


def told(number: PhoneNumber, events: list[CallEvent]) -> PhoneNumber:
    """Tell a number of events as the use case does: each once, one after another."""
    kept: set[str] = set()
    known: dict[str, Call] = {}
    for event in events:
        if event.event_id in kept:
            continue
        kept.add(event.event_id)
        call = known.get(event.call_id, Call(call_id=event.call_id, phone=PHONE, updated_at=NOON))
        known[event.call_id] = calls.folded(call, event, NOON)
        number = calls.settled(number, list(known.values()), 5, NOON, POLICY)
    return number


@given(stories(), st.randoms(use_true_random=False), st.booleans())
def test_any_order_and_any_repetition_end_alike(events: list[CallEvent], random: object, claimed: bool) -> None:
    number = lifecycle.begun(NUMBER, NOON, POLICY) if claimed else NUMBER
    shuffled = [*events, *events]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert told(number, shuffled) == told(number, events)


@given(stories())
def test_a_number_ends_as_its_calls_say(events: list[CallEvent]) -> None:
    number = told(NUMBER, events)
    by_call = {
        id: list(some)
        for id, some in groupby(sorted(events, key=lambda event: event.call_id), lambda event: event.call_id)
    }
    results = {event.result for event in events}
    assert number.attempts == len(by_call)
    if CallResult.SUCCESS in results:
        assert (number.status, number.next_call_at) == (NumberStatus.SUCCESS, NEVER)
        return
    latest = max(by_call, key=lambda one: (min(event.occurred_at for event in by_call[one]), one))
    outcomes = [event for event in by_call[latest] if event.result is not None]
    if outcomes:
        last = max(outcomes, key=lambda event: (event.occurred_at, event.event_id))
        assert str(number.status) == str(last.result)
        assert number.lease_until is None
    else:
        assert number.status is NumberStatus.IN_PROGRESS
        assert number.lease_until is not None


def test_a_late_word_on_an_earlier_attempt_does_not_end_the_present_one() -> None:
    first = lifecycle.begun(NUMBER, NOON, POLICY)
    lost = lifecycle.released(first, 5, NOON + timedelta(hours=1))
    second = lifecycle.begun(lost, NOON + timedelta(hours=5), POLICY)
    late = an_event("c1", CallEventType.RESULT, 10, "e1", result=CallResult.NO_ANSWER)
    after = told(second, [late])
    assert (after.status, after.attempts) == (NumberStatus.IN_PROGRESS, 2)
    success = an_event("c1", CallEventType.RESULT, 11, "e2", result=CallResult.SUCCESS)
    assert told(second, [late, success]).status is NumberStatus.SUCCESS


def test_a_claim_and_the_call_it_led_to_are_one_attempt() -> None:
    claimed = lifecycle.begun(NUMBER, NOON, POLICY)
    after = told(claimed, [an_event("c1", CallEventType.STARTED, 1, "e1")])
    assert (after.attempts, after.status) == (1, NumberStatus.IN_PROGRESS)


def test_a_call_without_an_end_counts_as_lost_until_one_is_told() -> None:
    call = calls.folded(
        Call(call_id="c1", phone=PHONE, updated_at=NOON), an_event("c1", CallEventType.STARTED, 0, "e1"), NOON
    )
    swept = calls.swept(call, NOON + timedelta(hours=1))
    lost = calls.settled(NUMBER, [swept], 5, NOON, POLICY)
    assert (lost.status, lost.cause) == (NumberStatus.NO_ANSWER, Cause.LOST)
    event = an_event("c1", CallEventType.RESULT, 5, "e2", result=CallResult.FAILED, cause=Cause.REFUSED)
    told_after_all = calls.settled(lost, [calls.folded(swept, event, NOON)], 5, NOON, POLICY)
    assert (told_after_all.status, told_after_all.cause) == (NumberStatus.FAILED, Cause.REFUSED)


def test_calls_move_neither_what_is_suppressed_nor_what_a_person_decided_later() -> None:
    suppressed = lifecycle.suppressed(NUMBER, NOON)
    failed = an_event("c1", CallEventType.RESULT, 1, "e1", result=CallResult.FAILED)
    assert told(suppressed, [failed]) == suppressed
    claimed = lifecycle.begun(NUMBER, NOON, POLICY)
    decided = lifecycle.moved(claimed, NumberStatus.SUCCESS, None, 5, NOON + timedelta(hours=1), POLICY)
    assert told(decided, [failed]).status is NumberStatus.SUCCESS


def test_an_event_far_ahead_is_refused() -> None:
    calls.refuse_future(an_event("c1", CallEventType.STARTED, 60, "e1"), NOON)
    with pytest.raises(InvalidCallEvent):
        calls.refuse_future(an_event("c1", CallEventType.STARTED, 60 * 25, "e1"), NOON)


def test_of_several_campaigns_the_one_that_is_calling_is_meant() -> None:
    out = replace(lifecycle.begun(NUMBER, NOON, POLICY), id=2)
    called = replace(NUMBER, id=3, last_call_at=NOON + timedelta(hours=1))
    assert calls.chosen([called, out, NUMBER]) == out
    assert calls.chosen([NUMBER, called]) == called
    assert calls.chosen([replace(NUMBER, id=5), NUMBER]) == NUMBER
    assert calls.chosen([]) is None
