"""Numbers out of a seed: a counter-mode stream for choices, a permutation for what must be unique.

Nothing here remembers a draw: person `index` of a seed is computed without the others, in any order, by any process.
"""

from collections.abc import Callable, Sequence
from hashlib import blake2b, shake_128
from itertools import accumulate
from math import gcd
from struct import Struct

PEOPLE_MAX = 1_000_000
"""How many people a seed has: the six-digit serial of a Russian taxpayer's number allows no more in one tax office."""

LAST_NAME, FIRST_NAME, MIDDLE_NAME, CITY = range(4)
"""The places in a person's block that draw 32 bits: `block[CITY] * choices >> WIDE`."""

SEX, POSTAL_CODE, STREET, HOUSE, APARTMENT, MOVED, BIRTH_PLACE = range(4, 11)
ISSUE_DAY, DEPARTMENT, PHONE_LINE, DOMAIN, BANK, CARD, EXPIRY = range(11, 18)
"""The places that draw 16 bits: `block[STREET] * choices >> NARROW`. Each field has a place of its own, so a new one
(ten are free, then comes a second block) moves what no other draws."""

WIDE, NARROW = 32, 16
_LAYOUT = "<4I24H"

type Block = tuple[int, ...]
"""What one person's choices are drawn from."""

_SIDE = 1_000
_ROUNDS = 3


def stream_key(version: int, locale: str, seed: int) -> bytes:
    """Return the 32-byte key of one data version, locale and seed."""
    return blake2b(f"opora.profiles/{version}/{locale}/{seed}".encode(), digest_size=32).digest()


def keystream(key: bytes) -> Callable[[int], Block]:
    """Return the function from an index to its block of 64 bytes: BLAKE2b (RFC 7693) of the index.

    The key goes in as salt and personalisation, which costs one compression less than BLAKE2b's own key.
    """
    keyed = blake2b(salt=key[:16], person=key[16:])
    unpack = Struct(_LAYOUT).unpack

    def drawn(index: int) -> Block:
        block = keyed.copy()
        block.update(index.to_bytes(8, "little"))
        return unpack(block.digest())

    return drawn


def permutation(key: bytes) -> Callable[[int], int]:
    """Return a bijection of 0…PEOPLE_MAX-1: a three-round Feistel network over two base-1,000 halves.

    The round functions are tables of SHAKE128 output. The domain is exactly the product of the halves, so no walk back
    into it is needed.
    """
    material = shake_128(b"permutation" + key).digest(_ROUNDS * _SIDE * 2)
    numbers: tuple[int, ...] = Struct(f"<{_ROUNDS * _SIDE}H").unpack(material)
    first, second, third = numbers[:_SIDE], numbers[_SIDE : 2 * _SIDE], numbers[2 * _SIDE :]

    def permute(index: int) -> int:
        left, right = divmod(index, _SIDE)
        left = (left + first[right]) % _SIDE
        right = (right + second[left]) % _SIDE
        return (left + third[right]) % _SIDE * _SIDE + right

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
    """A weighted choice: `items[bisect(bounds, number below total)]`; the hot paths write that out."""

    __slots__ = ("bounds", "items", "total")

    def __init__(self, items: Sequence[T], weights: Sequence[int]) -> None:
        """Weigh `items`; both sequences are of one length, every weight is positive."""
        self.items = tuple(items)
        self.bounds = tuple(accumulate(weights))
        self.total = self.bounds[-1] if self.bounds else 1
