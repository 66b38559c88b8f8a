"""An entry of the audit log as it is read, and what a check of the whole log finds."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One change: `old_values` and `new_values` hold what changed; `seal_number` is None until it is sealed."""

    id: int
    created_at: datetime
    user_id: int | None
    key_id: int | None
    action: str
    entity_type: str
    entity_id: str
    old_values: Mapping[str, object] | None
    new_values: Mapping[str, object] | None
    ip_address: str
    user_agent: str
    request_id: str
    seal_number: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """Which entries are wanted; None wants any."""

    user_id: int | None = None
    action: str | None = None
    entity_type: str | None = None
    entity_id: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Verification:
    """What a walk over the chain found: `broken_at` is the first entry that does not fit, None where all do.

    `checked` counts sealed entries, `unsealed` those that wait for the sealer.
    """

    whole: bool
    checked: int
    unsealed: int
    broken_at: int | None = None
    reason: str | None = None
