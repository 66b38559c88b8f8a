"""The texts of refresh tokens: `opr_` and 43 base62 characters."""

import hashlib
import hmac
from secrets import token_bytes

from opora.core.access.model.keytext import SECRET_LENGTH, base62
from opora.core.access.ports.tokens import RefreshSecrets

PREFIX = "opr_"


class DerivedRefreshSecrets(RefreshSecrets):
    """Each text is a MAC of the one before, so the successor can be told again without being stored."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def first(self, session_id: int) -> str:
        return self._text(token_bytes(32), session_id, 1)

    def successor(self, text: str, session_id: int, number: int) -> str:
        return self._text(text.encode("utf-8", "surrogatepass"), session_id, number)

    def digest(self, text: str) -> bytes:
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()

    def _text(self, seed: bytes, session_id: int, number: int) -> str:
        # The seed comes last: the numbers before it have no separator of their own to be confused with.
        mac = hmac.digest(self._key, f"{session_id}/{number}/".encode() + seed, "sha256")
        return PREFIX + base62(int.from_bytes(mac), SECRET_LENGTH)
