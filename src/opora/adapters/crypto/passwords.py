"""Password hashes: argon2id for new ones; bcrypt ones of other systems are checked and then made anew."""

from base64 import b64encode
from dataclasses import dataclass
from secrets import token_bytes

import argon2
import argon2.low_level
import bcrypt

from opora.adapters.crypto.threads import BoundedThreads
from opora.core.access.model.people import PasswordCheck
from opora.core.access.ports.people import PasswordHasher

BCRYPT_BYTES_MAX = 72
"""What bcrypt reads; the systems that made these hashes dropped the rest."""


@dataclass(frozen=True, slots=True)
class HashCost:
    """What one hash costs; the default is OWASP's minimum for argon2id."""

    memory_kib: int = 19 * 1024
    passes: int = 2
    lanes: int = 1


class ArgonPasswords(PasswordHasher):
    """argon2id (RFC 9106) in bounded threads. Memory is at most `threads` × `memory_kib`."""

    def __init__(self, threads: BoundedThreads, cost: HashCost = HashCost()) -> None:
        self._threads = threads
        self._argon = argon2.PasswordHasher(cost.passes, cost.memory_kib, cost.lanes, type=argon2.Type.ID)
        # No password's hash, but of the present cost: checking against it takes as long as against a real one.
        cost_text = f"m={cost.memory_kib},t={cost.passes},p={cost.lanes}"
        self._dummy = f"$argon2id$v={argon2.low_level.ARGON2_VERSION}${cost_text}${_text(16)}${_text(32)}"

    async def hash(self, password: str) -> str:
        return await self._threads.run(lambda: self._argon.hash(_plain(password)))

    async def check(self, password: str, stored: str | None) -> PasswordCheck:
        return await self._threads.run(lambda: self._check(_plain(password), stored))

    def _check(self, password: bytes, stored: str | None) -> PasswordCheck:
        if stored is not None and stored.startswith("$2"):
            return PasswordCheck(_bcrypt_matches(password, stored), outdated=True)
        known = stored is not None and stored.startswith("$argon2")
        try:
            self._argon.verify(stored if known and stored else self._dummy, password)
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return PasswordCheck(False)
        return PasswordCheck(known, known and stored is not None and self._argon.check_needs_rehash(stored))


def _text(length: int) -> str:
    """Return random bytes as argon2 writes a salt or a digest: base64 without padding."""
    return b64encode(token_bytes(length)).rstrip(b"=").decode()


def _plain(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")


def _bcrypt_matches(password: bytes, stored: str) -> bool:
    try:
        return bcrypt.checkpw(password[:BCRYPT_BYTES_MAX], stored.encode())
    except ValueError:  # a stored text that is no bcrypt hash, or a NUL in the password
        return False
