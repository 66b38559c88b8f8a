"""Calls as a telephone tells of them: events in any order, and what they come to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from opora.core.numbers.model.numbers import Cause, NumberStatus

ID_MAX = 200


class CallEventType(StrEnum):
    """What happened to a call."""

    STARTED = "call_started"
    ENDED = "call_ended"
    RESULT = "call_result"


class CallResult(StrEnum):
    """What came of a call."""

    SUCCESS = "success"
    FAILED = "failed"
    NO_ANSWER = "no_answer"


OUTCOMES = {
    CallResult.SUCCESS: NumberStatus.SUCCESS,
    CallResult.FAILED: NumberStatus.FAILED,
    CallResult.NO_ANSWER: NumberStatus.NO_ANSWER,
}
"""The status that a result gives a number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEvent:
    """One event. `project_id` is the campaign, if the telephone knows it; a result tells `result` and maybe `cause`."""

    event_id: str
    call_id: str
    type: CallEventType
    phone: int
    occurred_at: datetime
    project_id: int | None = None
    result: CallResult | None = None
    cause: Cause | None = None
    data: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What the events of a call come to, in whatever order and however often they arrive.

    `began_at` is the earliest moment of any of them; of several results a success counts, else the latest, told at
    `result_at` by `result_event`. `swept_at` is when waiting for an end was given up.
    """

    call_id: str
    phone: int
    project_id: int | None = None
    number_id: int | None = None
    began_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    result: CallResult | None = None
    cause: Cause | None = None
    result_at: datetime | None = None
    result_event: str | None = None
    result_data: Mapping[str, object] | None = None
    swept_at: datetime | None = None
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class SoftphoneKey:
    """What the telephone's messages are signed with."""

    key: bytes = field(repr=False)
