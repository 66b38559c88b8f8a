"""Wake-ups through RabbitMQ: short bounded queues, for a message is a hint and the jobs are rows."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence
from typing import Any

from taskiq import AckableMessage, BrokerMessage
from taskiq_aio_pika import AioPikaBroker
from taskiq_aio_pika.exchange import Exchange
from taskiq_aio_pika.queue import Queue, QueueType

from opora.adapters.queue.announcer import WAITING_MAX

CONNECT_S = 5.0
PREFETCH = 10
NEWEST: dict[str, Any] = {"x-max-length": WAITING_MAX, "x-overflow": "drop-head"}


class RabbitWakes(AioPikaBroker):
    """The broker on RabbitMQ: connects when it is first needed, whoever needs it, and anew after a failure to."""

    def __init__(self, url: str, exchange: str, queues: Sequence[str]) -> None:
        """`queues` are declared and listened to, all of them; what names none goes to the first."""
        super().__init__(
            url,
            qos=PREFETCH,
            exchange=Exchange(name=exchange),
            task_queues=[Queue(name=name, type=QueueType.CLASSIC, arguments=NEWEST) for name in queues],
            dead_letter_queue=Queue(name=f"{exchange}.dropped", type=QueueType.CLASSIC, arguments=NEWEST),
            timeout=CONNECT_S,
        )
        self._first = queues[0]
        self._starting = asyncio.Lock()

    async def startup(self) -> None:
        """Connect anew and declare what is used; whoever asks meanwhile waits for the end of it."""
        async with self._starting:
            await self._begin()

    async def _begin(self) -> None:
        await self.shutdown()
        await super().startup()

    async def kick(self, message: BrokerMessage) -> None:
        async with self._starting:
            if self.write_channel is None:
                await self._begin()
        message.labels.setdefault("queue_name", self._first)
        await super().kick(message)

    async def listen(self) -> AsyncGenerator[AckableMessage, None]:
        """Yield messages until the connection is lost, which ends it: the receiver begins anew."""
        async for message in super().listen():
            yield message

    async def shutdown(self) -> None:
        """Hang up; a later message connects again."""
        links = [one for one in (self.write_conn, self.read_conn) if one is not None]
        self.write_channel = self.read_channel = self.write_conn = self.read_conn = None
        for link in links:
            with contextlib.suppress(Exception):  # it may be gone already
                await link.close()
        await super().shutdown()
