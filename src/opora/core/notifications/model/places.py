"""Places a person has named for notices to go to: browsers and endpoints of other programs."""

from dataclasses import dataclass, field
from datetime import datetime

SUBSCRIPTIONS_MAX = 20
"""Browsers of one person."""
ENDPOINTS_MAX = 10
"""Webhook endpoints of one person."""
P256DH_BYTES = 65
AUTH_BYTES = 16
URL_LENGTH_MAX = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class PushSubscription:
    """A browser that takes Web Push (RFC 8030): where, and the keys that messages are encrypted for."""

    id: int
    user_id: int
    endpoint: str
    p256dh: bytes = field(repr=False)
    auth: bytes = field(repr=False)
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEndpoint:
    """A program that is called with notices of its owner, of some `kinds` or of all where there are none named.

    `secret` signs by HMAC (Standard Webhooks `v1`); the key of the service signs besides (`v1a`).
    """

    id: int
    user_id: int
    url: str
    kinds: tuple[str, ...]
    secret: str = field(repr=False)
    is_active: bool
    created_at: datetime

    def hears(self, kind: str) -> bool:
        """Tell whether it is called with notices of a kind."""
        return self.is_active and (not self.kinds or kind in self.kinds)
