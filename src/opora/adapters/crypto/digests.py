"""Digests of API keys under peppers that the database does not hold."""

import hmac
from collections.abc import Mapping, Sequence

from opora.core.access.model.keys import KeyDigest
from opora.core.access.ports.keys import KeyDigests

PEPPER_BYTES_MIN = 16
SCHEME = "hmac-sha256"


class PepperedDigests(KeyDigests):
    """HMAC-SHA256 under a ring of peppers: the last writes, all are read, so that a pepper can be replaced.

    A fast digest is enough because keys carry 256 random bits (OWASP ASVS 5.0, 6.5.2 asks for 112).
    """

    def __init__(self, peppers: Mapping[str, bytes]) -> None:
        """Take the peppers by their ids, the one that writes last."""
        if not peppers or any(len(pepper) < PEPPER_BYTES_MIN for pepper in peppers.values()):
            raise ValueError(f"at least one pepper, each of {PEPPER_BYTES_MIN} bytes or more")
        self._ring = [(f"{SCHEME}:{name}", pepper) for name, pepper in reversed(list(peppers.items()))]

    def written(self, text: str) -> KeyDigest:
        scheme, pepper = self._ring[0]
        return KeyDigest(scheme, hmac.digest(pepper, text.encode(), "sha256"))

    def candidates(self, text: str) -> Sequence[KeyDigest]:
        plain = text.encode()
        return [KeyDigest(scheme, hmac.digest(pepper, plain, "sha256")) for scheme, pepper in self._ring]
