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
    """AES-256-GCM with a random nonce: one format byte, the nonce, the ciphertext with its tag."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, plain: bytes, place: str) -> bytes:
        """Encrypt for one place, such as a record's name; it opens nowhere else."""
        nonce = token_bytes(NONCE_BYTES)
        return FORMAT + nonce + self._cipher.encrypt(nonce, plain, place.encode())

    def open(self, sealed: bytes, place: str) -> bytes:
        """Decrypt; raise SealBroken."""
        if sealed[:1] != FORMAT:
            raise SealBroken(place)
        nonce, text = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, text, place.encode())
        except (InvalidTag, ValueError) as error:
            raise SealBroken(place) from error


class AnswerVault(AesSeal):
    """Seals answers kept for repetition, and marks requests so that what they held cannot be guessed from the mark."""

    def __init__(self, key: bytes, mark_key: bytes) -> None:
        super().__init__(key)
        self._mark_key = mark_key

    def mark(self, fingerprint: bytes) -> bytes:
        """Return the HMAC-SHA256 of a request's fingerprint."""
        return hmac.digest(self._mark_key, fingerprint, "sha256")
