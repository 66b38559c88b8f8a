"""Numbers out of a seed: a counter-mode stream for choices, a permutation for what must be unique.

Nothing here remembers a draw: person `index` of a seed is computed without the others, in any order, by any process.
"""

from collections.abc import Callable, Sequence
from hashlib import blake2b
from itertools import accumulate
from math import gcd
from struct import Struct

PEOPLE_MAX = 1_000_000
"""How many people a seed has: the six-digit serial of a Russian taxpayer's number allows no more in one tax office."""

NAME, BIRTH, PLACE, PASSPORT, CONTACT, FINANCE = range(6)
"""Which 64-bit word of a person's stream a group of fields draws from. A new group takes the next word (two are
free, then comes a second block), a new field of a group draws last: neither moves what was drawn before."""

_SIDE = 1_000


def stream_key(version: int, locale: str, seed: int) -> bytes:
    """Return the 32-byte key of one data version, locale and seed."""
    return blake2b(f"opora.profiles/{version}/{locale}/{seed}".encode(), digest_size=32).digest()


def keystream(key: bytes) -> Callable[[int], tuple[int, ...]]:
    """Return the function from an index to its block of eight 64-bit words: keyed BLAKE2b (RFC 7693) of the index."""
    keyed = blake2b(key=key, digest_size=64)
    unpack = Struct("<8Q").unpack

    def words(index: int) -> tuple[int, ...]:
        block = keyed.copy()
        block.update(index.to_bytes(8, "little"))
        return unpack(block.digest())

    return words


def permutation(key: bytes) -> Callable[[int], int]:
    """Return a bijection of 0…PEOPLE_MAX-1: a three-round Feistel network over two base-1,000 halves.

    The domain is exactly the product of the halves, so no walk back into it is needed.
    """
    m1, m2, m3, a1, a2, a3 = Struct("<3I3H").unpack(blake2b(b"permutation", key=key, digest_size=18).digest())

    def permute(index: int) -> int:
        left, right = divmod(index, _SIDE)
        left = (left + ((right + a1) * m1 >> 13)) % _SIDE
        right = (right + ((left + a2) * m2 >> 13)) % _SIDE
        left = (left + ((right + a3) * m3 >> 13)) % _SIDE
        return int(left * _SIDE + right)

    return permute


def spread(key: bytes, field: str, size: int) -> tuple[int, int]:
    """Return `(factor, offset)`: `(n * factor + offset) % size` differs for any `size` consecutive n.

    Fed with the permuted index it fills a field's own domain, each field by its own factor.
    """
    material = blake2b(field.encode(), key=key, digest_size=32).digest()
    factor = int.from_bytes(material[:16], "little") % size
    while gcd(factor, size) != 1:
        factor += 1
    return factor, int.from_bytes(material[16:], "little") % size


class Weighted[T]:
    """A weighted choice: `items[bisect(bounds, n % total)]`; the hot paths write that out."""

    __slots__ = ("bounds", "items", "total")

    def __init__(self, items: Sequence[T], weights: Sequence[int]) -> None:
        """Weigh `items`; both sequences are of one length, every weight is positive."""
        self.items = tuple(items)
        self.bounds = tuple(accumulate(weights))
        self.total = self.bounds[-1] if self.bounds else 1
