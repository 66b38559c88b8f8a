"""Which files may be swept."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

VERSION_7 = 7
STAMP_SHIFT = 80


def is_settled(id: UUID, now: datetime, after: timedelta) -> bool:
    """Tell whether a file named then has had time for its row: a UUIDv7 says when it was made (RFC 9562, 5.7).

    A name of another kind was not made by us, and is settled.
    """
    if id.version != VERSION_7:
        return True
    made_at = datetime.fromtimestamp((id.int >> STAMP_SHIFT) / 1000, UTC)
    return now - made_at > after
