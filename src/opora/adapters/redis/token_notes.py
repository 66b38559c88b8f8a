"""Notes of access tokens in Redis, under the names that other services read."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from time import time

import msgspec

from opora.adapters.redis.connection import RedisConnection
from opora.adapters.redis.rates import answered
from opora.core.access.model.notes import TokenNote
from opora.core.access.ports.identities import TokenNotes


class Written(msgspec.Struct, frozen=True):
    """A note as it stands in Redis."""

    user_id: int
    email: str
    scopes: tuple[str, ...]
    roles: tuple[str, ...]
    tier: str
    email_verified: bool
    session_id: int | None
    granted: tuple[str, ...]
    exp: int


class RedisTokenNotes(TokenNotes):
    """`auth:jwt:{jti}` is the note as JSON, `auth:jwts:{user id}` the ids of the tokens of a person by their ends."""

    def __init__(self, connection: RedisConnection, *, prefix: str = "auth:jwt:") -> None:
        """Put `prefix` before every `jti`."""
        self._connection = connection
        self._prefix = prefix
        self._index = prefix.removesuffix(":") + "s:"
        self._decoder = msgspec.json.Decoder(Written)

    async def keep(self, note: TokenNote) -> None:
        end_ms = milliseconds(note.expires_at)
        index = f"{self._index}{note.user_id}"
        call = self._connection.call
        await asyncio.gather(
            answered(call("SET", self._prefix + note.token_id, text_of(note), "PXAT", end_ms)),
            answered(call("ZADD", index, end_ms, note.token_id)),
            answered(call("ZREMRANGEBYSCORE", index, "-inf", int(time() * 1000))),
            answered(call("PEXPIREAT", index, end_ms)),
        )

    async def of(self, user_id: int) -> Sequence[TokenNote]:
        call = self._connection.call
        ids = [one.decode() for one in await answered(call("ZRANGE", f"{self._index}{user_id}", 0, -1))]
        if not ids:
            return []
        # One key a command: on Redis Cluster they lie in many slots. All leave in one write.
        texts = await asyncio.gather(*(answered(call("GET", self._prefix + one)) for one in ids))
        return [note_of(one, self._decoder.decode(text)) for one, text in zip(ids, texts, strict=True) if text]

    async def renew(self, note: TokenNote) -> None:
        await answered(self._connection.call("SET", self._prefix + note.token_id, text_of(note), "XX", "KEEPTTL"))

    async def drop(self, user_id: int, token_id: str) -> None:
        call = self._connection.call
        await asyncio.gather(
            answered(call("DEL", self._prefix + token_id)),
            answered(call("ZREM", f"{self._index}{user_id}", token_id)),
        )


def milliseconds(at: datetime) -> int:
    """Return an instant as Redis counts it."""
    return int(at.timestamp() * 1000)


def text_of(note: TokenNote) -> bytes:
    """Write a note."""
    return msgspec.json.encode(
        Written(
            note.user_id,
            note.email,
            note.scopes,
            note.roles,
            note.tier,
            note.email_verified,
            note.session_id,
            note.granted,
            int(note.expires_at.timestamp()),
        )
    )


def note_of(token_id: str, written: Written) -> TokenNote:
    """Read a note."""
    return TokenNote(
        token_id=token_id,
        user_id=written.user_id,
        session_id=written.session_id,
        email=written.email,
        scopes=written.scopes,
        granted=written.granted,
        roles=written.roles,
        tier=written.tier,
        email_verified=written.email_verified,
        expires_at=datetime.fromtimestamp(written.exp, UTC),
    )
