"""News of people's lists across processes, by publish and subscribe."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Collection

from redis.exceptions import RedisError

from opora.adapters.redis.clients import listener_of
from opora.adapters.redis.connection import RedisConnection, Refused
from opora.core.kernel.errors import Unavailable
from opora.core.notifications.ports.channels import Live

type Heard = Callable[[Collection[int]], None]

AGAIN_S = 1.0
USERS_MAX = 1000
"""Users that one message names."""
LOG = logging.getLogger("opora.live")


class RedisLive(Live):
    """Publishes through the shared connection; listens on one of its own once somebody reads.

    What Redis loses, readers find by looking.
    """

    def __init__(self, redis: RedisConnection, url: str, channel: str) -> None:
        self._redis = redis
        self._url = url
        self._channel = channel
        self._heard: list[Heard] = []
        self._listening: asyncio.Task[None] | None = None

    async def announce(self, user_ids: Collection[int]) -> None:
        ids = sorted(user_ids)
        for start in range(0, len(ids), USERS_MAX):
            text = ",".join(map(str, ids[start : start + USERS_MAX]))
            with contextlib.suppress(Unavailable, Refused):
                await self._redis.call("PUBLISH", self._channel, text)

    def listen(self, heard: Heard) -> None:
        """Call `heard` with the users of every announcement from now on."""
        self._heard.append(heard)
        if self._listening is None:
            self._listening = asyncio.create_task(self._run(), name="hearing of news")

    async def close(self) -> None:
        """Hang up."""
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
            self._listening = None

    async def _run(self) -> None:
        while True:
            try:
                await self._subscribe()
            except (RedisError, OSError, TimeoutError) as error:
                LOG.warning("hearing of news: %s", type(error).__name__)
            await asyncio.sleep(AGAIN_S)

    async def _subscribe(self) -> None:
        redis = listener_of(self._url)
        try:
            async with redis.pubsub(ignore_subscribe_messages=True) as subscription:
                await subscription.subscribe(self._channel)
                async for message in subscription.listen():
                    self._tell(message["data"])
        finally:
            await redis.aclose()

    def _tell(self, data: object) -> None:
        text = data.decode("ascii", "replace") if isinstance(data, bytes) else str(data)
        ids = [int(one) for one in text.split(",") if one.isdigit()]
        for heard in self._heard:
            heard(ids)
