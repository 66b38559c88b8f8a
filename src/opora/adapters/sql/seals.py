"""What sealed columns ask of whoever seals them."""

from typing import Protocol


class Seal(Protocol):
    """What keeps secrets in rows unreadable at rest."""

    def seal(self, plain: bytes, place: str) -> bytes:
        """Encrypt for one place, such as a row's name; it opens nowhere else."""
        ...

    def open(self, sealed: bytes, place: str) -> bytes:
        """Decrypt what was sealed for that place."""
        ...

    def is_newest(self, sealed: bytes, place: str) -> bool:
        """Tell whether it is sealed under the key that seals now; raises where no key opens it."""
        ...
