"""What a bank sets for its documents."""

from dataclasses import dataclass, field
from datetime import timedelta

from opora.core.documents.model.calendars import BusinessCalendar

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """How a bank works on documents: when, and whether decisions want another person and moves a reason.

    `quarantine_kept_for` is how long a harmful file is kept for those who look into it.
    """

    calendar: BusinessCalendar = field(repr=False)
    is_four_eyed: bool = False
    wants_reasons: bool = False
    quarantine_kept_for: timedelta = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadPolicy:
    """How large a file may be, how many a batch may hold and how large all of them may be."""

    size_max: int = 50 * MIB
    batch_max: int = 500
    batch_size_max: int = 1024 * MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepPolicy:
    """How old what a crash left must be to be swept: longer than any upload takes from its last byte to its row."""

    unfinished_after: timedelta = timedelta(hours=1)
