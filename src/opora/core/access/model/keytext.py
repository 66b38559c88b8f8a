"""The text of an API key: `opk_live_`, 43 base62 characters of randomness, 6 of checksum."""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from zlib import crc32

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
SECRET_BYTES = 32
SECRET_LENGTH = 43
"""62**43 is the first power of 62 past 2**256."""
CHECKSUM_LENGTH = 6
SHOWN_LENGTH = 4
"""How many characters of the secret are kept readable, at its start and at its end."""
LOOKUP_LENGTH = 12
"""How much of an imported key's start finds it: `sk_live_` and four characters."""
_FOREIGN = re.compile(r"[A-Za-z0-9_.\-]{20,72}", re.ASCII)
"""What an imported key may look like; bcrypt reads 72 bytes and no more."""


class Environment(StrEnum):
    """What a key is for; `test` keys are told apart at sight."""

    LIVE = "live"
    TEST = "test"


def base62(number: int, length: int) -> str:
    """Write a number in base 62, filled with zeros to `length`."""
    digits: list[str] = []
    for _ in range(length):
        number, digit = divmod(number, 62)
        digits.append(ALPHABET[digit])
    if number:
        raise ValueError("the number does not fit the length")
    return "".join(reversed(digits))


def checksum(text: str) -> str:
    """Return the CRC32 (ISO 3309) of the text as six base62 characters; it betrays any one changed character."""
    return base62(crc32(text.encode()), CHECKSUM_LENGTH)


@dataclass(frozen=True, slots=True)
class KeyText:
    """A well-formed key, whole and secret; `start` and `last4` may be shown to anyone."""

    text: str = field(repr=False)
    environment: Environment
    start: str

    @property
    def last4(self) -> str:
        """The last characters, by which people tell keys apart."""
        return self.text[-SHOWN_LENGTH:]


@dataclass(frozen=True, slots=True)
class KeyFormat:
    """How this installation's keys begin; keys issued under another prefix are no longer read."""

    prefix: str = "opk"

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9]{1,15}", self.prefix):
            raise ValueError("a key prefix is 2 to 16 lower-case letters and digits and starts with a letter")

    def compose(self, environment: Environment, secret: bytes) -> KeyText:
        """Build the key that carries these 32 random bytes."""
        if len(secret) != SECRET_BYTES:
            raise ValueError(f"a key carries {SECRET_BYTES} random bytes")
        head = f"{self.prefix}_{environment}_"
        body = head + base62(int.from_bytes(secret), SECRET_LENGTH)
        return KeyText(body + checksum(body), environment, body[: len(head) + SHOWN_LENGTH])

    def parse(self, text: str) -> KeyText | None:
        """Read a key, or return None when its form or its checksum is wrong."""
        for environment in Environment:
            head = f"{self.prefix}_{environment}_"
            if text.startswith(head):
                body, check = text[:-CHECKSUM_LENGTH], text[-CHECKSUM_LENGTH:]
                secret = body[len(head) :]
                sound = len(secret) == SECRET_LENGTH and secret.isascii() and secret.isalnum()
                if sound and checksum(body) == check:
                    return KeyText(text, environment, text[: len(head) + SHOWN_LENGTH])
        return None

    def foreign(self, text: str) -> bool:
        """Tell whether the text could be a key of another system, taken over by its hash; ours never is."""
        return not text.startswith(f"{self.prefix}_") and _FOREIGN.fullmatch(text) is not None
