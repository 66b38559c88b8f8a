"""Choices of words that a newer service may have added to."""

from enum import StrEnum
from typing import Self


class OpenEnum(StrEnum):
    """Words of the API; one that this client does not know yet is kept as it came."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        member = str.__new__(cls, value)
        member._name_ = member._value_ = value
        return member
