"""What a person reads in the program itself: numbered without gaps, so that a reader knows what is missing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One notice in a person's list; `number` grows by one from entry to entry of that person."""

    user_id: int
    number: int
    notice_id: UUID
    kind: str
    title: str
    text: str
    data: Mapping[str, object]
    created_at: datetime
    read_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """Which entries are wanted."""

    user_id: int
    unread_only: bool = False
