"""A phone number in a project, and the table by which its status moves."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from opora.core.access.model.changes import KEEP, Keep
from opora.core.kernel.model import Moves

BULK_MAX = 50_000
"""How many numbers one call may add or change."""
CLAIM_MAX = 1000
"""How many numbers one claim may take."""
NEVER = datetime(9999, 12, 31, tzinfo=UTC)
"""When a number is next called that is called no more."""
FIRST = datetime(1970, 1, 1, tzinfo=UTC)
"""When a new number may be called: at once."""
NO_PROJECT = 0
"""The id of the project that holds numbers of none; only who sees every project sees it."""
RESULT_DATA_MAX = 16_384
"""How many characters of JSON a number's result data may have."""
UNKNOWN_ZONE = 0
"""The id of the empty set of zones: nobody knows where the number is."""


class NumberStatus(StrEnum):
    """Where a number stands in its campaign."""

    NEW = "new"
    IN_PROGRESS = "in_progress"
    SUCCESS = "success"
    FAILED = "failed"
    NO_ANSWER = "no_answer"
    SUPPRESSED = "suppressed"


class Cause(StrEnum):
    """Why a call came to nothing. `lost` says that nobody ever heard how it ended."""

    BUSY = "busy"
    UNANSWERED = "unanswered"
    REJECTED = "rejected"
    UNREACHABLE = "unreachable"
    TECHNICAL = "technical"
    VOICEMAIL = "voicemail"
    INVALID_NUMBER = "invalid_number"
    WRONG_PERSON = "wrong_person"
    REFUSED = "refused"
    LOST = "lost"


STATUS_CODES = {status: code for code, status in enumerate(NumberStatus)}
"""The number under which a status is stored. Never changed, only added to."""
CAUSE_CODES = {cause: code for code, cause in enumerate(Cause, start=1)}
"""The number under which a cause is stored. Never changed, only added to."""
DIALABLE = frozenset({NumberStatus.NEW, NumberStatus.FAILED, NumberStatus.NO_ANSWER})
"""The statuses from which a number can be called."""

MOVES = Moves(
    {
        NumberStatus.NEW: frozenset({NumberStatus.IN_PROGRESS, NumberStatus.SUPPRESSED}),
        NumberStatus.IN_PROGRESS: frozenset(
            {NumberStatus.SUCCESS, NumberStatus.FAILED, NumberStatus.NO_ANSWER, NumberStatus.SUPPRESSED}
        ),
        NumberStatus.NO_ANSWER: frozenset({NumberStatus.IN_PROGRESS, NumberStatus.SUPPRESSED}),
        NumberStatus.FAILED: frozenset({NumberStatus.IN_PROGRESS, NumberStatus.SUPPRESSED}),
        NumberStatus.SUCCESS: frozenset({NumberStatus.SUPPRESSED}),
        NumberStatus.SUPPRESSED: frozenset(),
    }
)
"""Which statuses follow which. A failed or unanswered number moves only while attempts are left and its cause may
pass, which `rules.lifecycle` decides. Success is final but for suppression.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneNumber:
    """A number in a project; `phone` holds the digits of its E.164 form.

    `zone_set` is the id of the zones it may lie in. A claim or a call by hand makes an attempt. Calls that began before
    `counted_from` (the last claim, or the last word of a person) no longer move it. `lease_until` ends a claim that
    nobody settled.
    """

    id: int
    project_id: int
    phone: int
    status: NumberStatus = NumberStatus.NEW
    cause: Cause | None = None
    attempts: int = 0
    zone_set: int = UNKNOWN_ZONE
    provider_id: int | None = None
    geo_id: int | None = None
    next_call_at: datetime = FIRST
    last_call_at: datetime | None = None
    counted_from: datetime | None = None
    lease_until: datetime | None = None
    result_data: Mapping[str, object] | None = None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class CallingPolicy:
    """How long a claim is held, and how far a telephone's clock may be off."""

    lease: timedelta = timedelta(minutes=15)
    clock_slack: timedelta = timedelta(minutes=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewNumber:
    """A number to be added, normalised; `index` is its place in what was sent."""

    index: int
    phone: int
    provider_id: int | None = None
    geo_id: int | None = None
    zone_set: int = UNKNOWN_ZONE


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberFilter:
    """Which numbers are wanted; None wants any. `phone` is the beginning of the E.164 digits.

    Made at `created_after` or later, and before `created_before`.
    """

    project_id: int | None = None
    status: NumberStatus | None = None
    provider_id: int | None = None
    geo_id: int | None = None
    phone: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one of many: its place in what was sent, a stable code and a sentence."""

    index: int
    code: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenNumber:
    """A number as it was sent, one of many: any spelling, and what it belongs to."""

    phone_number: str
    project_id: int | None = None
    provider_id: int | None = None
    geo_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberChanges:
    """What is asked for of a number; what is not named stays."""

    status: NumberStatus | Keep = KEEP
    cause: Cause | Keep | None = KEEP
    result_data: Mapping[str, object] | Keep | None = KEEP
    provider_id: int | Keep | None = KEEP
    geo_id: int | Keep | None = KEEP


@dataclass(frozen=True, slots=True)
class Refused:
    """One of many numbers that was not changed: its id, a stable code and a sentence."""

    id: int
    code: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateOutcome:
    """What became of a change of many numbers."""

    updated: int
    refused: int
    errors: tuple[Refused, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkOutcome:
    """What became of many numbers at once; `errors` tells of each that was not taken, up to a bound."""

    created: int
    duplicates: int
    invalid: int
    suppressed: int
    errors: tuple[Fault, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """A number never to be called, in one project or, where that is None, in any."""

    id: int
    phone: int
    project_id: int | None
    reason: str
    created_by: str
    created_at: datetime
