"""Web Push: messages encrypted for one browser (RFC 8291), in the name of this service (VAPID, RFC 8292)."""

import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from os import urandom
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from opora.adapters.outbound.client import Answer, OutboundClient
from opora.core.kernel.ports import Clock
from opora.core.notifications.errors import Deferred, Refused, TargetGone
from opora.core.notifications.model.letters import PushMessage
from opora.core.notifications.model.places import PushSubscription
from opora.core.notifications.ports.channels import Pusher

CURVE = ec.SECP256R1()
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of P-256: how many points its generator makes."""
RECORD_BYTES = 4096
PAYLOAD_BYTES_MAX = RECORD_BYTES - 86 - 17
"""What one record holds besides its head, its end mark and its tag."""
TOKEN_TTL_S = 12 * 3600
TOKEN_RENEWED_S = 6 * 3600
ORIGINS_MAX = 200
END = b"\x02"
TOO_LARGE, TOO_MANY, SERVER_ERROR = 413, 429, 500
GOOD, GONE = range(200, 300), frozenset({404, 410})


class EncryptedPush(Pusher):
    """Web Push under one VAPID key, made from a seed, so that every process of an installation has the same."""

    def __init__(self, client: OutboundClient, seed: bytes, contact: str, clock: Clock) -> None:
        """`contact` (`mailto:…`) is told to push services, for when they want to complain."""
        self._client = client
        self._key = ec.derive_private_key(int.from_bytes(seed) % (ORDER - 1) + 1, CURVE)
        self._public = encoded(point(self._key.public_key()))
        self._contact = contact
        self._clock = clock
        self._tokens: dict[str, tuple[float, str]] = {}

    def public_key(self) -> str:
        return self._public

    async def send(self, message: PushMessage) -> str:
        plain = json.dumps(message.body, ensure_ascii=False, separators=(",", ":")).encode()
        if len(plain) > PAYLOAD_BYTES_MAX:
            raise Refused("the message is too long for Web Push")
        try:
            body = encrypted(plain, message.subscription, urandom(16), ec.generate_private_key(CURVE))
        except ValueError as error:
            raise TargetGone("the subscription's key is no point of the curve") from error
        headers = {
            "authorization": self._authorization(message.subscription.endpoint),
            "content-encoding": "aes128gcm",
            "content-type": "application/octet-stream",
            "ttl": str(message.ttl_s),
            "topic": message.topic[:32],
            "urgency": "high" if message.is_urgent else "normal",
        }
        return judged(await self._client.post(message.subscription.endpoint, headers, body))

    def _authorization(self, endpoint: str) -> str:
        """Return the proof of who calls, made anew twice as often as it must be."""
        parts = urlsplit(endpoint)
        origin = f"{parts.scheme}://{parts.netloc}"
        now_s = self._clock.now().timestamp()
        made_s, token = self._tokens.get(origin, (0.0, ""))
        if now_s - made_s > TOKEN_RENEWED_S:
            if len(self._tokens) >= ORIGINS_MAX:
                self._tokens.clear()
            token = self._token({"aud": origin, "exp": int(now_s) + TOKEN_TTL_S, "sub": self._contact})
            self._tokens[origin] = now_s, token
        return f"vapid t={token}, k={self._public}"

    def _token(self, claims: Mapping[str, object]) -> str:
        parts = [encoded(json.dumps(one).encode()) for one in ({"typ": "JWT", "alg": "ES256"}, claims)]
        signed = ".".join(parts)
        r, s = decode_dss_signature(self._key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{encoded(r.to_bytes(32) + s.to_bytes(32))}"


def encrypted(
    plain: bytes, subscription: PushSubscription, salt: bytes, ephemeral: ec.EllipticCurvePrivateKey
) -> bytes:
    """Encrypt one message as a single record of `aes128gcm` (RFC 8188), for the holder of a subscription's keys."""
    theirs = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, subscription.p256dh)
    ours = point(ephemeral.public_key())
    shared = ephemeral.exchange(ec.ECDH(), theirs)
    of_pair = hmac.digest(subscription.auth, shared, "sha256")
    keying = hmac.digest(of_pair, b"WebPush: info\0" + subscription.p256dh + ours + b"\x01", "sha256")
    extracted = hmac.digest(salt, keying, "sha256")
    key = hmac.digest(extracted, b"Content-Encoding: aes128gcm\0\x01", "sha256")[:16]
    nonce = hmac.digest(extracted, b"Content-Encoding: nonce\0\x01", "sha256")[:12]
    head = salt + RECORD_BYTES.to_bytes(4) + len(ours).to_bytes(1) + ours
    return head + AESGCM(key).encrypt(nonce, plain + END, None)


def point(key: ec.EllipticCurvePublicKey) -> bytes:
    """Write a public key as an uncompressed point."""
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def encoded(data: bytes) -> str:
    """Write bytes in base64url without padding."""
    return urlsafe_b64encode(data).decode().rstrip("=")


def judged(answer: Answer) -> str:
    """Return what a good answer says; raises for every other one (RFC 8030)."""
    if answer.status in GOOD:
        return f"{answer.status}"
    if answer.status in GONE:
        raise TargetGone(f"{answer.status}")
    if answer.status == TOO_MANY or answer.status >= SERVER_ERROR:
        raise Deferred(f"{answer.status}")
    raise Refused(f"{answer.status}")
