"""What a change asked for makes of a number."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime

from opora.core.access.model.changes import KEEP, Keep, kept
from opora.core.kernel.errors import IllegalMove
from opora.core.numbers.errors.numbers import InvalidNumberChange, NoSuchNumber
from opora.core.numbers.model.numbers import (
    RESULT_DATA_MAX,
    CallingPolicy,
    NumberChanges,
    NumberStatus,
    PhoneNumber,
    Refused,
)
from opora.core.numbers.rules import lifecycle

WITH_CAUSE = frozenset({NumberStatus.FAILED, NumberStatus.NO_ANSWER})
"""The statuses that a cause may be told with."""


def refuse_bad_changes(changes: NumberChanges) -> None:
    """Raise InvalidNumberChange, naming every field at fault."""
    errors: dict[str, list[str]] = {}
    if changes == NumberChanges():
        errors["body"] = ["names nothing to change"]
    if changes.cause is not KEEP and changes.status not in WITH_CAUSE:
        errors["cause"] = ["is told with the status failed or no_answer"]
    if isinstance(changes.result_data, Mapping):
        size = len(json.dumps(changes.result_data, ensure_ascii=False, default=str))
        if size > RESULT_DATA_MAX:
            errors["result_data"] = [f"takes up to {RESULT_DATA_MAX} characters of JSON, not {size}"]
    if errors:
        raise InvalidNumberChange(errors=errors)


def changed(
    number: PhoneNumber, changes: NumberChanges, attempts_max: int, now: datetime, policy: CallingPolicy
) -> PhoneNumber:
    """Return the number as it is to be; raises IllegalMove with what is allowed."""
    after = replace(
        number,
        result_data=kept(changes.result_data, number.result_data),
        provider_id=kept(changes.provider_id, number.provider_id),
        geo_id=kept(changes.geo_id, number.geo_id),
        updated_at=now,
    )
    if isinstance(changes.status, Keep):
        return after
    return lifecycle.moved(after, changes.status, kept(changes.cause, None), attempts_max, now, policy)


def changed_all(
    numbers: Sequence[PhoneNumber],
    changes: NumberChanges,
    limits: Mapping[int, int],
    now: datetime,
    policy: CallingPolicy,
) -> tuple[list[tuple[PhoneNumber, PhoneNumber]], list[Refused]]:
    """Return each number as it is to be and as it was, and those that may not move; `limits` are by project."""
    pairs: list[tuple[PhoneNumber, PhoneNumber]] = []
    refused: list[Refused] = []
    for number in numbers:
        try:
            pairs.append((changed(number, changes, limits[number.project_id], now, policy), number))
        except IllegalMove as refusal:
            refused.append(Refused(number.id, refusal.code, str(refusal)))
    return pairs, refused


def missing(ids: Sequence[int], numbers: Sequence[PhoneNumber]) -> list[Refused]:
    """Return a refusal for each id that no number within reach has."""
    there = {one.id for one in numbers}
    return [Refused(id, NoSuchNumber.code, f"There is no number {id}.") for id in ids if id not in there]


def moves_area(changes: NumberChanges) -> bool:
    """Tell whether the area is to change, and the zones with it."""
    return not isinstance(changes.geo_id, Keep)


def in_zones(number: PhoneNumber, zone_set: int) -> PhoneNumber:
    """Return the number in other zones."""
    return replace(number, zone_set=zone_set)


def words(changes: NumberChanges) -> dict[str, object]:
    """Return what was asked for as the audit log keeps it; result data is only said to have been set."""
    told: dict[str, object] = {}
    for field in fields(changes):
        value = getattr(changes, field.name)
        if not isinstance(value, Keep):
            told[field.name] = "…" if isinstance(value, Mapping) else value
    return told
