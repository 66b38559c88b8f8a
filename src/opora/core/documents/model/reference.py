"""The lists that documents and clients refer to."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """A kind of paper (document 4 calls it callcopy): how many working days it takes, and how long it is kept.

    `name` is what people read and `code` what programs may say instead; either finds it.
    """

    id: int
    code: str
    name: str
    processing_days: int
    retention_days: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ReferenceItem:
    """An entry of a list that migrations seed: what programs say, and what people read."""

    id: int
    code: str
    name: str


class ReferenceList(StrEnum):
    """The lists that nobody changes at run time."""

    OPERATION_STATUSES = "operation_statuses"
    FINANCIAL_POSITIONS = "financial_positions"
    USER_TYPES = "user_types"
