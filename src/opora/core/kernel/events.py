"""Facts that other contexts may react to, stored with the change that caused them."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A fact about `subject` (a record's or a task's id) that was true at `at`."""

    topic: ClassVar[str]
    subject: int | str
    at: datetime
