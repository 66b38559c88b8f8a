"""The texts of one-time tokens, and the seal of second factors."""

import hashlib
from secrets import token_bytes

from opora.adapters.crypto.sealing import AesSeal, SealBroken
from opora.core.access.errors import FactorUnreadable
from opora.core.access.model.keytext import SECRET_LENGTH, base62
from opora.core.access.ports.proofs import FactorSecrets, OneTimeSecrets

PREFIX = "opt_"


class RandomOneTimeSecrets(OneTimeSecrets):
    """`opt_` and 256 random bits in base62, kept as SHA-256: so much randomness needs no slow digest."""

    def text(self) -> str:
        return PREFIX + base62(int.from_bytes(token_bytes(32)), SECRET_LENGTH)

    def digest(self, text: str) -> bytes:
        return hashlib.sha256(text.strip().encode("utf-8", "surrogatepass")).digest()


class SealedFactors(FactorSecrets):
    """Seals each secret for its owner: moved to another person's row it does not open."""

    def __init__(self, seal: AesSeal) -> None:
        self._seal = seal

    def seal(self, plain: bytes, user_id: int) -> bytes:
        return self._seal.seal(plain, f"second_factors/{user_id}")

    def open(self, sealed: bytes, user_id: int) -> bytes:
        try:
            return self._seal.open(sealed, f"second_factors/{user_id}")
        except SealBroken as error:
            raise FactorUnreadable from error
