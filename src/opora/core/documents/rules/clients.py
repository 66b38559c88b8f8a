"""What may be said of a client, and by whom."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime

from opora.core.documents.errors import InvalidClient, NotYoursToSay
from opora.core.documents.model.clients import ClientProfile
from opora.core.kernel.model import Actor

PROCESS = "documents:process"
BANKS_OWN = frozenset({"financial_position_id", "user_type_id"})
"""What the bank says of a client, never a client of themselves."""
INN_WEIGHTS = {
    10: ((2, 4, 10, 3, 5, 9, 4, 6, 8),),
    12: ((7, 2, 4, 10, 3, 5, 9, 4, 6, 8), (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)),
}
OLDEST = date(1900, 1, 1)


def changed(
    profile: ClientProfile, changes: Mapping[str, object], actor: Actor, now: datetime, today: date
) -> ClientProfile:
    """Return the profile with these fields changed; raises NotYoursToSay, or InvalidClient naming every fault."""
    if not actor.may(PROCESS) and any(changes.get(name) is not None for name in BANKS_OWN):
        raise NotYoursToSay(fields=sorted(BANKS_OWN & changes.keys()))
    after = replace(profile, **changes, updated_at=now, version=profile.version + 1)  # type: ignore[arg-type]  # the edge's struct has the same field types
    errors: dict[str, list[str]] = {}
    if after.birthday is not None and not OLDEST <= after.birthday <= today:
        errors["birthday"] = ["is a day that has been"]
    if after.inn is not None and not is_inn(after.inn):
        errors["inn"] = ["is 10 or 12 digits whose check digits are right"]
    if errors:
        raise InvalidClient(errors=errors)
    return after


def is_inn(text: str) -> bool:
    """Tell whether a tax number's check digits are right (order of the tax service MMV-7-6/435 of 29 June 2012)."""
    if not (text.isascii() and text.isdecimal() and len(text) in INN_WEIGHTS):
        return False
    digits = [int(letter) for letter in text]
    return all(
        digits[len(weights)] == sum(weight * digit for weight, digit in zip(weights, digits, strict=False)) % 11 % 10
        for weights in INN_WEIGHTS[len(text)]
    )
