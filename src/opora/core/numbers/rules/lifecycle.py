"""How a number moves from call to call: attempts, back-off, leases. Pure, told the time."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from opora.core.kernel.errors import IllegalMove
from opora.core.numbers.model.numbers import (
    DIALABLE,
    MOVES,
    NEVER,
    CallingPolicy,
    Cause,
    NumberStatus,
    PhoneNumber,
)

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class BackOff:
    """How long to wait after the n-th attempt: `first`, doubled each time, up to `longest`."""

    first: timedelta
    longest: timedelta


BACK_OFF: Mapping[Cause, BackOff | None] = {
    Cause.BUSY: BackOff(10 * MINUTE, 2 * HOUR),
    Cause.UNANSWERED: BackOff(2 * HOUR, DAY),
    Cause.REJECTED: BackOff(4 * HOUR, DAY),
    Cause.UNREACHABLE: BackOff(HOUR, DAY),
    Cause.TECHNICAL: BackOff(15 * MINUTE, 4 * HOUR),
    Cause.VOICEMAIL: BackOff(2 * HOUR, DAY),
    Cause.LOST: BackOff(2 * HOUR, DAY),
    Cause.INVALID_NUMBER: None,
    Cause.WRONG_PERSON: None,
    Cause.REFUSED: None,
}
"""The wait after each cause; None for those that do not pass."""
CAUSE_UNTOLD: Mapping[NumberStatus, Cause | None] = {
    NumberStatus.NO_ANSWER: Cause.UNANSWERED,
    NumberStatus.FAILED: Cause.TECHNICAL,
}
"""The cause taken where an outcome comes without one."""


def passes(cause: Cause | None) -> bool:
    """Tell whether calling again may help."""
    return cause is None or BACK_OFF[cause] is not None


def next_call_at(cause: Cause, attempts: int, attempts_max: int, after: datetime) -> datetime:
    """Return when a number may be called again whose n-th attempt came to nothing; NEVER where it may not."""
    wait = BACK_OFF[cause]
    if wait is None or attempts >= attempts_max:
        return NEVER
    doubled = wait.first * (1 << min(max(attempts - 1, 0), 16))
    return after + min(doubled, wait.longest)


def allowed(number: PhoneNumber, attempts_max: int) -> list[NumberStatus]:
    """Return the statuses a person may give the number now, sorted."""
    following = MOVES.table[number.status]
    if number.status in DIALABLE and (number.attempts >= attempts_max or not passes(number.cause)):
        following = following - {NumberStatus.IN_PROGRESS}
    return sorted(following)


def refuse_move(number: PhoneNumber, target: NumberStatus, attempts_max: int) -> None:
    """Raise IllegalMove, naming what is allowed, unless the number may take that status now."""
    choices = allowed(number, attempts_max)
    if target not in choices:
        raise IllegalMove(
            f"{number.status} cannot become {target}",
            state=str(number.status),
            target=str(target),
            allowed=[str(one) for one in choices],
        )


def moved(
    number: PhoneNumber,
    target: NumberStatus,
    cause: Cause | None,
    attempts_max: int,
    now: datetime,
    policy: CallingPolicy,
) -> PhoneNumber:
    """Return the number after a person moved it; raises IllegalMove. Calls that began before now count no more."""
    refuse_move(number, target, attempts_max)
    if target is NumberStatus.IN_PROGRESS:
        return begun(number, now, policy)
    return ended(replace(number, counted_from=now), target, cause, attempts_max, now)


def begun(number: PhoneNumber, now: datetime, policy: CallingPolicy) -> PhoneNumber:
    """Return the number handed to a caller: one attempt more, under a lease."""
    return replace(
        number,
        status=NumberStatus.IN_PROGRESS,
        cause=None,
        attempts=number.attempts + 1,
        counted_from=now,
        last_call_at=now,
        lease_until=now + policy.lease,
        updated_at=now,
    )


def ended(
    number: PhoneNumber, outcome: NumberStatus, cause: Cause | None, attempts_max: int, at: datetime
) -> PhoneNumber:
    """Return the number with the outcome of its attempt, and when it may be called again, counted from `at`."""
    told = cause if outcome in CAUSE_UNTOLD and cause is not None else CAUSE_UNTOLD.get(outcome)
    return replace(
        number,
        status=outcome,
        cause=told,
        lease_until=None,
        next_call_at=NEVER if told is None else next_call_at(told, number.attempts, attempts_max, at),
        updated_at=max(at, number.updated_at),
    )


def released(number: PhoneNumber, attempts_max: int, now: datetime) -> PhoneNumber:
    """Return a number whose lease ended without a word: unanswered for a cause unknown, never silently new."""
    return ended(number, NumberStatus.NO_ANSWER, Cause.LOST, attempts_max, now)


def suppressed(number: PhoneNumber, now: datetime) -> PhoneNumber:
    """Return a number that is called no more."""
    return replace(
        number,
        status=NumberStatus.SUPPRESSED,
        cause=None,
        lease_until=None,
        next_call_at=NEVER,
        counted_from=now,
        updated_at=now,
    )
