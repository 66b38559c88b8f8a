"""The signing keys of one purpose as a process works with them: parsed once, held until they are taken back."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from opora.adapters.crypto.sealing import AesSeal
from opora.adapters.crypto.signing_keys import PrivateKey, PublicKey, base64url, open_private
from opora.core.access.model.tokens import Algorithm, KeyPurpose, SigningKey, SigningKeyState


@dataclass(frozen=True, slots=True)
class RingKey:
    """One signing key, parsed once; `header` is the encoded start of every token it signs."""

    id: str
    algorithm: Algorithm
    public: PublicKey
    private: PrivateKey
    signs: bool
    header: str
    jwk: Mapping[str, str]


class KeyRing:
    """Finds keys by their ids, and names the one that signs.

    Parsing an RSA key costs hundreds of times a signature with it: keys are parsed when they are taken, never later.
    """

    def __init__(self, seal: AesSeal, purpose: KeyPurpose, token_type: str) -> None:
        """`token_type` is the `typ` of what these keys sign."""
        self._seal = seal
        self._purpose = purpose
        self._token_type = token_type
        self.keys: dict[str, RingKey] = {}
        self.signer: RingKey | None = None
        self.signs = asyncio.Event()

    def take(self, keys: Sequence[SigningKey]) -> bool:
        """Work with those of the keys that are of the ring's purpose; tell whether anything changed."""
        taken = {key.id: self._ring_key(key) for key in keys if key.purpose is self._purpose}
        if taken == self.keys:
            return False
        self.keys = taken
        self.signer = next((key for key in taken.values() if key.signs), None)
        if self.signer is not None:
            self.signs.set()
        return True

    def jwks(self) -> Mapping[str, object]:
        """Return the public parts as a JWK set."""
        return {"keys": [key.jwk for key in self.keys.values()]}

    def _ring_key(self, key: SigningKey) -> RingKey:
        signs = key.state is SigningKeyState.ACTIVE
        known = self.keys.get(key.id)
        if known is not None and known.signs == signs:
            return known
        private = known.private if known else open_private(key, self._seal)
        header = encoded({"alg": key.algorithm.value, "kid": key.id, "typ": self._token_type})
        jwk = {**json.loads(key.public_jwk), "kid": key.id, "alg": key.algorithm.value, "use": "sig"}
        return RingKey(key.id, key.algorithm, private.public_key(), private, signs, header, jwk)


def encoded(values: Mapping[str, object]) -> str:
    """Encode a header or a set of claims."""
    return base64url(json.dumps(values, separators=(",", ":")).encode())
