"""Randomness from the operating system."""

import secrets

from opora.core.kernel.ports import Randomness

PRECISION_BITS = 53


class SystemRandomness(Randomness):
    """Bytes and fractions that nobody can guess."""

    def token_bytes(self, count: int) -> bytes:
        return secrets.token_bytes(count)

    def fraction(self) -> float:
        return secrets.randbits(PRECISION_BITS) / (1 << PRECISION_BITS)
