"""What every change of a campaign leaves behind."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from opora.core.kernel.model import Actor, Change
from opora.core.kernel.rules import instant


def entry(
    actor: Actor,
    action: str,
    subject: tuple[str, int | str],
    at: datetime,
    old: Mapping[str, object] | None = None,
    new: Mapping[str, object] | None = None,
) -> Change:
    """The audit entry of a change; `subject` is the kind of a record and its id."""
    return Change(
        actor=actor, action=action, entity_type=subject[0], entity_id=str(subject[1]), at=at, old=old, new=new
    )


def differences(before: Any, after: Any) -> tuple[dict[str, object], dict[str, object]]:
    """Return what differs between two states of a record, before and after, as plain values."""
    old, new = asdict(before), asdict(after)
    names = [name for name in old if old[name] != new[name] and name not in {"version", "updated_at"}]
    return {name: told(old[name]) for name in names}, {name: told(new[name]) for name in names}


def told(value: object) -> object:
    """Return a value as the audit log keeps it."""
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple | list | frozenset | set):
        return [told(one) for one in value]
    return value
