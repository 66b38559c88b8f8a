"""Keys of several purposes out of one secret."""

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SECRET_BYTES_MIN = 32


def derived_key(secret: bytes, purpose: str) -> bytes:
    """Return 32 bytes that depend on the secret and the purpose (HKDF-SHA256, RFC 5869) and tell nothing of either."""
    if len(secret) < SECRET_BYTES_MIN:
        raise ValueError(f"a secret key has at least {SECRET_BYTES_MIN} bytes")
    return HKDF(SHA256(), 32, salt=None, info=f"opora/{purpose}".encode()).derive(secret)
