"""Links that let whoever holds them read one file for a while."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkPolicy:
    """The secret that signs links, and how long they hold by default and at most."""

    secret: bytes = field(repr=False)
    holds_for: timedelta = timedelta(minutes=10)
    holds_at_most: timedelta = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadLink:
    """What a link says: which document, until when, and the signature over both."""

    document_id: int
    expires_at: datetime
    signature: str
