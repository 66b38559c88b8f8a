"""Pairs of keys that sign access tokens, and how they are written down."""

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa_key
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from opora.adapters.crypto.sealing import AesSeal
from opora.adapters.crypto.threads import BoundedThreads
from opora.core.access.model.tokens import Algorithm, KeyPurpose, SigningKey, SigningKeyState
from opora.core.access.ports.tokens import SigningKeyMaker

type PrivateKey = RSAPrivateKey | EllipticCurvePrivateKey | Ed25519PrivateKey
type PublicKey = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey
type Jwk = Mapping[str, str]

COORDINATE_BYTES = 32
"""Of P-256, for a point's coordinate and for either half of a signature (RFC 7518 section 3.4)."""
RSA_BITS = 4096
THUMBPRINT_MEMBERS = {"RSA": ("e", "kty", "n"), "EC": ("crv", "kty", "x", "y"), "OKP": ("crv", "kty", "x")}


def base64url(raw: bytes) -> str:
    """Encode without padding (RFC 7515 section 2)."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def unbase64url(text: str) -> bytes:
    """Decode what has no padding; raise ValueError."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _integer(number: int, length: int | None = None) -> str:
    return base64url(number.to_bytes(length or (number.bit_length() + 7) // 8))


def public_jwk(key: PublicKey) -> dict[str, str]:
    """Write a public key as a JWK (RFC 7517, RFC 7518 section 6, RFC 8037)."""
    match key:
        case RSAPublicKey():
            numbers = key.public_numbers()
            return {"kty": "RSA", "n": _integer(numbers.n), "e": _integer(numbers.e)}
        case EllipticCurvePublicKey():
            point = key.public_numbers()
            x, y = _integer(point.x, COORDINATE_BYTES), _integer(point.y, COORDINATE_BYTES)
            return {"kty": "EC", "crv": "P-256", "x": x, "y": y}
        case Ed25519PublicKey():
            return {"kty": "OKP", "crv": "Ed25519", "x": base64url(key.public_bytes_raw())}


def thumbprint(jwk: Jwk) -> str:
    """Return the SHA-256 thumbprint of a JWK (RFC 7638)."""
    needed = {name: jwk[name] for name in THUMBPRINT_MEMBERS[jwk["kty"]]}
    canonical = json.dumps(needed, sort_keys=True, separators=(",", ":"))
    return base64url(hashlib.sha256(canonical.encode()).digest())


def sign(key: PrivateKey, payload: bytes) -> bytes:
    """Sign as the JWS algorithm of the key's type does: RS256, ES256 or EdDSA."""
    match key:
        case RSAPrivateKey():
            return key.sign(payload, PKCS1v15(), SHA256())
        case EllipticCurvePrivateKey():
            halves = decode_dss_signature(key.sign(payload, ECDSA(SHA256())))
            return b"".join(half.to_bytes(COORDINATE_BYTES) for half in halves)
        case Ed25519PrivateKey():
            return key.sign(payload)


def signature_holds(key: PublicKey, signature: bytes, payload: bytes) -> bool:
    """Check a signature under the one algorithm of the key's type."""
    try:
        match key:
            case RSAPublicKey():
                key.verify(signature, payload, PKCS1v15(), SHA256())
            case EllipticCurvePublicKey():
                if len(signature) != 2 * COORDINATE_BYTES:
                    return False
                first, second = signature[:COORDINATE_BYTES], signature[COORDINATE_BYTES:]
                encoded = encode_dss_signature(int.from_bytes(first), int.from_bytes(second))
                key.verify(encoded, payload, ECDSA(SHA256()))
            case Ed25519PublicKey():
                key.verify(signature, payload)
    except InvalidSignature:
        return False
    return True


def open_private(key: SigningKey, seal: AesSeal) -> PrivateKey:
    """Open and parse a stored private key; raise SealBroken."""
    # The seal proves that these are the bytes that were made here. Checking the primes again takes a third of a second
    # for 4096 bits, at every start.
    der = seal.open(key.private_sealed, key.id)
    private = load_der_private_key(der, None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(private, RSAPrivateKey | EllipticCurvePrivateKey | Ed25519PrivateKey):
        raise TypeError(f"signing key {key.id} is of a kind that signs no token")
    return private


class SealedKeyMaker(SigningKeyMaker):
    """Makes pairs in a thread and seals the private part for the database."""

    def __init__(self, seal: AesSeal, threads: BoundedThreads, rsa_bits: int = RSA_BITS) -> None:
        self._seal = seal
        self._threads = threads
        self._makers: Mapping[Algorithm, Callable[[], PrivateKey]] = {
            Algorithm.RS256: lambda: generate_rsa_key(65537, rsa_bits),
            Algorithm.ES256: lambda: generate_private_key(SECP256R1()),
            Algorithm.EDDSA: Ed25519PrivateKey.generate,
        }

    async def make(self, algorithm: Algorithm, now: datetime, purpose: KeyPurpose = KeyPurpose.ACCESS) -> SigningKey:
        private = await self._threads.run(self._makers[algorithm])
        jwk = public_jwk(private.public_key())
        key_id = thumbprint(jwk)
        der = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        return SigningKey(
            id=key_id,
            algorithm=algorithm,
            state=SigningKeyState.PENDING,
            public_jwk=json.dumps(jwk, sort_keys=True),
            private_sealed=self._seal.seal(der, key_id),
            created_at=now,
            purpose=purpose,
        )
