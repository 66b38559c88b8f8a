"""The event bus on a stream in Redis: bounded, in order, and watched for what Redis forgot."""

import asyncio
from collections.abc import Sequence

from opora.adapters.redis.connection import RedisConnection, Refused
from opora.core.bus.errors import BusUnavailable
from opora.core.bus.model import Message, Receipt
from opora.core.bus.ports import EventBus
from opora.core.kernel.errors import Unavailable


class RedisBus(EventBus):
    """Appends to one stream, which keeps about the newest `length_max` entries.

    An entry has the fields `id`, `type` and `event`, the last of which is the envelope. The mark is the id of the last
    entry: a stream that ends before it was flushed, or fell back to an older copy at a restart.
    """

    def __init__(self, redis: RedisConnection, stream: str, length_max: int) -> None:
        self._redis = redis
        self._stream = stream
        self._length_max = length_max

    async def publish(self, messages: Sequence[Message]) -> Receipt:
        if not messages:
            return Receipt(frozenset())
        ended = await asyncio.gather(*(self._add(message) for message in messages), return_exceptions=True)
        taken = {message.id: end for message, end in zip(messages, ended, strict=True) if isinstance(end, bytes)}
        if not taken:
            error = next(one for one in ended if isinstance(one, BaseException))
            raise BusUnavailable("Redis took nothing") from error
        return Receipt(frozenset(taken), max(taken.values(), key=place).decode())

    async def _add(self, message: Message) -> bytes:
        fields = ("id", str(message.id), "type", message.topic, "event", message.body)
        found: bytes = await self._redis.call("XADD", self._stream, "MAXLEN", "~", self._length_max, "*", *fields)
        return found

    async def keeps(self, mark: str) -> bool:
        try:
            told = await self._redis.call("XINFO", "STREAM", self._stream)
        except Refused:  # there is no such stream
            return False
        except Unavailable as error:
            raise BusUnavailable("Redis does not answer") from error
        facts = dict(zip(told[::2], told[1::2], strict=True))
        return place(facts[b"last-generated-id"]) >= place(mark.encode())

    async def check(self) -> str:
        try:
            await self._redis.call("PING")
        except (Refused, Unavailable) as error:
            raise BusUnavailable("Redis does not answer") from error
        return f"a stream in Redis, {self._stream}"

    async def close(self) -> None:
        await self._redis.close()


def place(id: bytes) -> tuple[int, int]:
    """Return an entry's id, milliseconds and a number within them, in a form that sorts."""
    time_ms, _, number = id.partition(b"-")
    return int(time_ms), int(number or 0)
