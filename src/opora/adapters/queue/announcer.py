"""Announces committed work through a taskiq broker, without waiting and without failing."""

import asyncio
import logging
from abc import abstractmethod
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any, cast
from uuid import UUID

from redis.asyncio import Redis
from redis.exceptions import RedisError
from taskiq import AsyncBroker, BrokerMessage
from taskiq.kicker import AsyncKicker
from taskiq_redis import ListQueueBroker

from opora.core.jobs.ports import Announcer

WAKE_TASK = "opora.wake"
QUEUE = "opora:wake"
IDS_MAX = 100
SEND_S = 2.0
WAITING_MAX = 1000
LISTEN_S = 5
PATIENT_S = 2.0 * LISTEN_S
"""The driver's own bound is LISTEN_S: every quiet wait would end in an error."""
PAUSE_S = 1.0
LOG = logging.getLogger("opora.queue")


def broker(redis_url: str, queue: str = QUEUE) -> AsyncBroker:
    """Return the broker on a Redis; nothing is connected yet."""
    return BoundedListBroker(redis_url, queue_name=queue, max_connection_pool_size=4, socket_timeout=PATIENT_S)


def broker_on(client: Any, queue: str = QUEUE) -> AsyncBroker:
    """Return the broker on a client of redis-py, of a cluster or of a watched master; it is closed with the broker."""
    return ClientListBroker(client, queue)


class BoundedList(AsyncBroker):
    """A list in Redis that keeps the newest messages only: while no worker listens it must not grow."""

    queue_name: str

    @abstractmethod
    def lent(self) -> AbstractAsyncContextManager[Any]:
        """Lend a client of redis-py."""

    async def kick(self, message: BrokerMessage) -> None:
        queue = message.labels.get("queue_name") or self.queue_name
        async with self.lent() as connection:
            pipeline = connection.pipeline(transaction=False)
            pipeline.lpush(queue, message.message)
            pipeline.ltrim(queue, 0, WAITING_MAX - 1)
            await pipeline.execute()

    async def listen(self) -> AsyncGenerator[bytes, None]:
        """Yield messages for ever; a Redis that refuses or is frozen is asked again after a pause, never in a spin."""
        while True:
            try:
                async with asyncio.timeout(LISTEN_S * 2), self.lent() as connection:
                    found = await connection.brpop([self.queue_name], timeout=LISTEN_S)
            except (RedisError, OSError, TimeoutError) as error:
                LOG.warning("no wake-ups from Redis: %s", type(error).__name__)
                await asyncio.sleep(PAUSE_S)
                continue
            if found is not None:
                yield cast("bytes", found[1])


class BoundedListBroker(BoundedList, ListQueueBroker):
    """The list on one server, over a pool of few connections."""

    def lent(self) -> AbstractAsyncContextManager[Any]:
        return Redis(connection_pool=self.connection_pool)


class ClientListBroker(BoundedList):
    """The list wherever a client finds it."""

    def __init__(self, client: Any, queue: str) -> None:
        super().__init__()
        self._client = client
        self.queue_name = queue

    def lent(self) -> AbstractAsyncContextManager[Any]:
        return nullcontext(self._client)

    async def shutdown(self) -> None:
        await super().shutdown()
        await self._client.aclose()


class TaskiqAnnouncer(Announcer):
    """Sends one message for all that was committed in one turn of the event loop, or one a queue where there are more.

    `queues` names the queue of each kind of job that has its own; any other goes to the broker's first.
    """

    def __init__(
        self,
        broker: AsyncBroker,
        on_failure: Callable[[BaseException], None],
        queues: Mapping[str, str] | None = None,
    ) -> None:
        self._broker = broker
        self._on_failure = on_failure
        self._queues = queues or {}
        self._waiting: list[str] = []
        self._asked: set[str] = set()
        self._sending: asyncio.Task[None] | None = None

    def announce(self, ids: Sequence[UUID], kinds: Collection[str] = ()) -> None:
        self._asked |= {self._queues.get(kind, "") for kind in kinds} or {""}
        self._waiting.extend(str(one) for one in ids[: IDS_MAX - len(self._waiting)])
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send())

    async def close(self) -> None:
        """Wait until what was announced is sent, SEND_S at the longest: a command ends right after its commit."""
        if self._sending is not None:
            await self._sending

    async def _send(self) -> None:
        while self._asked:  # what is committed while a message is under way needs another one
            await asyncio.sleep(0)  # what the same turn commits goes with this message
            queues, self._asked = self._asked, set()
            ids, self._waiting = self._waiting, []
            for queue in sorted(queues):
                await self._kick(ids, queue)

    async def _kick(self, ids: list[str], queue: str) -> None:
        labels = {"queue_name": queue} if queue else {}
        kicker: AsyncKicker[[list[str]], None] = AsyncKicker(task_name=WAKE_TASK, broker=self._broker, labels=labels)
        try:
            async with asyncio.timeout(SEND_S):
                await kicker.kiq(ids)
        except Exception as error:  # a lost hint costs a second: the sweep finds the work
            self._on_failure(error)
