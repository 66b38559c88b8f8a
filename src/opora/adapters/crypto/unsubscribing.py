"""Tokens of the links that end letters: signed, so that nobody can make one, and kept nowhere, so that they last."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error

from opora.core.notifications.ports.channels import Unsubscribing

PREFIX = "opu_"
MARK_BYTES = 16
TOKEN_LENGTH_MAX = 200


class SignedUnsubscribing(Unsubscribing):
    """`opu_`, then base64url of 16 bytes of HMAC-SHA256 and of what they are over: `user_id:kind`."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def token(self, user_id: int, kind: str) -> str:
        told = f"{user_id}:{kind}".encode()
        return PREFIX + urlsafe_b64encode(self._mark(told) + told).decode().rstrip("=")

    def read(self, token: str) -> tuple[int, str] | None:
        text = token.removeprefix(PREFIX)
        if text == token or len(token) > TOKEN_LENGTH_MAX:
            return None
        try:
            found = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        except (Error, UnicodeEncodeError):
            return None
        mark, told = found[:MARK_BYTES], found[MARK_BYTES:]
        if not hmac.compare_digest(mark, self._mark(told)):
            return None
        user_id, _, kind = told.decode().partition(":")
        return int(user_id), kind

    def _mark(self, told: bytes) -> bytes:
        return hmac.digest(self._key, told, "sha256")[:MARK_BYTES]
