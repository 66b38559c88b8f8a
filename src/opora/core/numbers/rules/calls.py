"""What events make of a call, and calls of a number: the same whatever order they come in. Pure, told the time."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from opora.core.kernel.rules import instant
from opora.core.numbers.errors.calls import InvalidCallEvent
from opora.core.numbers.model.calls import OUTCOMES, Call, CallEvent, CallEventType, CallResult
from opora.core.numbers.model.numbers import CallingPolicy, Cause, NumberStatus, PhoneNumber
from opora.core.numbers.rules import lifecycle

FUTURE_MAX = timedelta(days=1)
"""How far ahead of this clock an event may lie."""


def refuse_future(event: CallEvent, now: datetime) -> None:
    """Raise InvalidCallEvent for an event further ahead than any clock can be off."""
    if event.occurred_at > now + FUTURE_MAX:
        raise InvalidCallEvent(errors={"occurred_at": ["lies in the future"]})


def folded(call: Call, event: CallEvent, now: datetime) -> Call:
    """Return the call with one event more. Any order and any repetition of the same events ends in the same call."""
    at = event.occurred_at
    call = replace(call, began_at=earlier(call.began_at, at), updated_at=now)
    if event.type is CallEventType.STARTED:
        return replace(call, started_at=earlier(call.started_at, at))
    if event.type is CallEventType.ENDED:
        return replace(call, ended_at=at if call.ended_at is None else max(call.ended_at, at))
    if call.result_at is not None and weight(call.result, call.result_at, call.result_event) >= weight(
        event.result, at, event.event_id
    ):
        return call
    return replace(
        call,
        result=event.result,
        cause=event.cause,
        result_at=at,
        result_event=event.event_id,
        result_data=event.data,
    )


def weight(result: CallResult | None, at: datetime, event_id: str | None) -> tuple[bool, datetime, str]:
    """Return by what the results of one call are ranked: a success stands, of others the latest does."""
    return result is CallResult.SUCCESS, at, event_id or ""


def earlier(known: datetime | None, at: datetime) -> datetime:
    """Return the earlier of a moment that may not be known yet and one that is."""
    return at if known is None else min(known, at)


def swept(call: Call, now: datetime) -> Call:
    """Return a call whose end is waited for no more; an event that comes after all still counts."""
    return replace(call, swept_at=now, updated_at=now)


def outcome(call: Call) -> tuple[NumberStatus, Cause | None, datetime] | None:
    """Return what a call came to, why, and since when; None while it goes on."""
    if call.result is not None and call.result_at is not None:
        return OUTCOMES[call.result], call.cause, call.result_at
    if call.swept_at is not None:
        return NumberStatus.NO_ANSWER, Cause.LOST, call.ended_at or call.began_at or call.swept_at
    return None


def settled(
    number: PhoneNumber, calls: Sequence[Call], attempts_max: int, now: datetime, policy: CallingPolicy
) -> PhoneNumber:
    """Return the number as all its calls together have it.

    One success ends the campaign for it. Else the latest call that began since the last claim (or since a person last
    spoke) decides; earlier ones are history. Each call is an attempt, and so is each claim, but a claim and the call
    it led to are one. What no call changes is returned as it is.
    """
    if number.status is NumberStatus.SUPPRESSED or not calls:
        return number
    began = max(call.began_at for call in calls if call.began_at is not None)
    number = replace(
        number,
        attempts=max(number.attempts, len(calls)),
        last_call_at=began if number.counted_from is None else max(number.counted_from, began),
        updated_at=now,
    )
    successes = [call for call in calls if call.result is CallResult.SUCCESS]
    if successes:
        first = min(successes, key=lambda call: (call.result_at, call.call_id))
        told = replace(number, result_data=result_data(first))
        return replace(lifecycle.ended(told, NumberStatus.SUCCESS, None, attempts_max, now), updated_at=now)
    counted = [call for call in calls if counts(call, number, policy)]
    if number.status is NumberStatus.SUCCESS or not counted:
        return number
    latest = max(counted, key=order)
    ended = max((call for call in counted if outcome(call) is not None), key=order, default=None)
    if ended is not None:
        number = replace(number, result_data=result_data(ended))
    found = outcome(latest)
    if found is None:
        since = latest.began_at or now
        return replace(
            number, status=NumberStatus.IN_PROGRESS, cause=None, next_call_at=since, lease_until=since + policy.lease
        )
    status, cause, since = found
    return replace(lifecycle.ended(number, status, cause, attempts_max, since), updated_at=now)


def order(call: Call) -> tuple[datetime, str]:
    """Return by what the calls of a number follow one another."""
    return call.began_at or call.updated_at, call.call_id


def result_data(call: Call) -> dict[str, object]:
    """Return what a number keeps of the call that decided it; what the telephone told besides is in `data`."""
    told: dict[str, object] = {"call_id": call.call_id, "result": call.result and str(call.result)}
    if call.cause is not None:
        told["cause"] = str(call.cause)
    if call.result_at is not None:
        told["result_at"] = instant(call.result_at)
    if call.result_data is not None:
        told["data"] = call.result_data
    return told


def counts(call: Call, number: PhoneNumber, policy: CallingPolicy) -> bool:
    """Tell whether a call began late enough to move its number; telephones' clocks may be off by a little."""
    if number.counted_from is None or call.began_at is None:
        return True
    return call.began_at >= number.counted_from - policy.clock_slack


def chosen(candidates: Sequence[PhoneNumber]) -> PhoneNumber | None:
    """Return the number that a call is about, of those with its digits: the one out for calling, else the last called.

    None where there is none.
    """
    return max(candidates, key=_aptness, default=None)


def _aptness(number: PhoneNumber) -> tuple[bool, float, int]:
    last = number.last_call_at
    return number.status is NumberStatus.IN_PROGRESS, 0.0 if last is None else last.timestamp(), -number.id
