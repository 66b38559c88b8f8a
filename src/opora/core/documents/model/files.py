"""A file on its way in, and what is found out about it."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from opora.core.documents.model.documents import MediaType


@dataclass(frozen=True, slots=True)
class Received:
    """A file that came in whole and is kept aside: its `place` is known to the intake and the judge alone."""

    place: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFacts:
    """What a file is by its own structure; `text` is the beginning of what can be read in it."""

    media_type: MediaType
    pages: int | None = None
    text: str = ""


class Fault(StrEnum):
    """Why a file is not taken."""

    EMPTY = "empty"
    UNSUPPORTED = "unsupported"
    MACROS = "macros"
    POLYGLOT = "polyglot"
    DAMAGED = "damaged"
    ENCRYPTED = "encrypted"
    BOMB = "bomb"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a virus scanner said of a file; `signature` names what it found."""

    is_clean: bool
    signature: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentWish:
    """What a document is to be, as somebody said: `category` is an id, a name or a code."""

    description: str
    category: str | int
    file_name: str
    actual_date: date | None = None
    actual_end_date: date | None = None
