"""What a partial change says of a field: a new value, or that it stays as it is."""

from enum import Enum
from typing import Final


class Keep(Enum):
    """The type of KEEP, for signatures: `str | None | Keep`."""

    KEEP = "keep"


KEEP: Final = Keep.KEEP
"""Leave the field as it is; None is a value of its own for fields that can be empty."""


def kept[T](change: T | Keep, present: T) -> T:
    """Return the new value, or the present one where the field stays."""
    return present if isinstance(change, Keep) else change
