"""Signed calls of other programs, by Standard Webhooks: HMAC-SHA256 (`v1`) and ed25519 (`v1a`)."""

import hmac
import json
from base64 import b64decode, b64encode

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from opora.adapters.outbound.client import Answer, OutboundClient
from opora.core.kernel.ports import Clock
from opora.core.notifications.errors import Deferred, TargetGone
from opora.core.notifications.model.letters import WebhookCall
from opora.core.notifications.ports.channels import WebhookSender

GONE = 410
GOOD = range(200, 300)


class SignedWebhooks(WebhookSender):
    """Calls are signed with the endpoint's own secret and with the key of the service."""

    def __init__(self, client: OutboundClient, signing_seed: bytes, clock: Clock) -> None:
        """Take 32 bytes as the seed of the service's ed25519 key."""
        self._client = client
        self._key = Ed25519PrivateKey.from_private_bytes(signing_seed)
        self._clock = clock

    def public_key(self) -> str:
        return "whpk_" + b64encode(self._key.public_key().public_bytes_raw()).decode()

    async def send(self, call: WebhookCall) -> str:
        body = json.dumps(call.body, ensure_ascii=False, separators=(",", ":")).encode()
        at = str(int(self._clock.now().timestamp()))
        headers = {
            "content-type": "application/json",
            "user-agent": "Opora-Webhooks/1",
            "webhook-id": call.id,
            "webhook-timestamp": at,
            "webhook-signature": self.signature(call.endpoint.secret, call.id, at, body),
        }
        return judged(await self._client.post(call.endpoint.url, headers, body))

    def signature(self, secret: str, id: str, at: str, body: bytes) -> str:
        """Return both signatures of a call."""
        signed = f"{id}.{at}.".encode() + body
        key = b64decode(secret.removeprefix("whsec_"))
        shared = b64encode(hmac.digest(key, signed, "sha256")).decode()
        own = b64encode(self._key.sign(signed)).decode()
        return f"v1,{shared} v1a,{own}"


def judged(answer: Answer) -> str:
    """Return what a good answer says; raises for every other one."""
    if answer.status in GOOD:
        return f"{answer.status}"
    if answer.status == GONE:
        raise TargetGone("410 Gone")
    raise Deferred(f"{answer.status}")
