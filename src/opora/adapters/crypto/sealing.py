"""Texts that only the holder of the secret can read, and that cannot be moved to another place unnoticed."""

import hmac
from secrets import token_bytes

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12
FORMAT = b"\x01"


class SealBroken(Exception):
    """The sealed text was changed, moved, or sealed under another secret."""


class AesSeal:
    """AES-256-GCM with a random nonce: one format byte, the nonce, the ciphertext with its tag.

    The first key seals. What older ones sealed opens too, until it is sealed anew: the tag tells which key fits.
    """

    def __init__(self, key: bytes, *older: bytes) -> None:
        self._ciphers = [AESGCM(one) for one in (key, *older)]

    def seal(self, plain: bytes, place: str) -> bytes:
        """Encrypt for one place, such as a record's name; it opens nowhere else."""
        nonce = token_bytes(NONCE_BYTES)
        return FORMAT + nonce + self._ciphers[0].encrypt(nonce, plain, place.encode())

    def open(self, sealed: bytes, place: str) -> bytes:
        """Decrypt; raise SealBroken."""
        return self._opened(sealed, place)[0]

    def is_newest(self, sealed: bytes, place: str) -> bool:
        """Tell whether it was sealed under the key that seals now; raise SealBroken where no key opens it."""
        return self._opened(sealed, place)[1]

    def _opened(self, sealed: bytes, place: str) -> tuple[bytes, bool]:
        if sealed[:1] != FORMAT:
            raise SealBroken(place)
        nonce, text = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
        for cipher in self._ciphers:
            try:
                return cipher.decrypt(nonce, text, place.encode()), cipher is self._ciphers[0]
            except (InvalidTag, ValueError):
                continue
        raise SealBroken(place)


class AnswerVault(AesSeal):
    """Seals answers kept for repetition, and marks requests so that what they held cannot be guessed from the mark."""

    def __init__(self, key: bytes, mark_key: bytes, *older: bytes) -> None:
        super().__init__(key, *older)
        self._mark_key = mark_key

    def mark(self, fingerprint: bytes) -> bytes:
        """Return the HMAC-SHA256 of a request's fingerprint."""
        return hmac.digest(self._mark_key, fingerprint, "sha256")
