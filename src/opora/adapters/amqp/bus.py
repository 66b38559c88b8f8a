"""The event bus on RabbitMQ: a durable topic exchange, persistent messages, publisher confirms."""

import asyncio
import contextlib
from collections.abc import Sequence
from urllib.parse import urlsplit

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractExchange
from aio_pika.exceptions import DeliveryError

from opora.core.bus.errors import BusUnavailable
from opora.core.bus.model import Message, Receipt
from opora.core.bus.ports import EventBus

CONNECT_S = 5.0
CONFIRM_S = 10.0
MEDIA_TYPE = "application/cloudevents+json; charset=utf-8"


class RabbitBus(EventBus):
    """Publishes to one exchange under the topic as routing key; connects at the first need, and again after a loss.

    A message that no queue is bound for is dropped by the broker and counts as taken: nobody listens.
    """

    def __init__(self, url: str, exchange: str, *, confirm_s: float = CONFIRM_S) -> None:
        self._url = url
        self._name = exchange
        self._confirm_s = confirm_s
        self._connection: AbstractConnection | None = None
        self._channel: AbstractChannel | None = None
        self._exchange: AbstractExchange | None = None
        self._connecting = asyncio.Lock()

    async def publish(self, messages: Sequence[Message]) -> Receipt:
        if not messages:
            return Receipt(frozenset())
        exchange = await self._ready()
        sending = [asyncio.ensure_future(self._send(exchange, message)) for message in messages]
        try:
            await asyncio.wait(sending, timeout=self._confirm_s)
        finally:
            late = [task for task in sending if not task.done()]
            for task in late:
                task.cancel()
            ended = await asyncio.gather(*sending, return_exceptions=True)
        if any(isinstance(one, BaseException) and not isinstance(one, DeliveryError) for one in ended):
            await self._drop()  # in whatever state it is: the next batch begins anew
        taken = [message.id for message, end in zip(messages, ended, strict=True) if not isinstance(end, BaseException)]
        if not taken:
            error = next(one for one in ended if isinstance(one, BaseException))
            raise BusUnavailable("RabbitMQ confirmed nothing") from error
        return Receipt(frozenset(taken))

    async def _send(self, exchange: AbstractExchange, message: Message) -> None:
        sent = aio_pika.Message(
            message.body,
            message_id=str(message.id),
            type=message.topic,
            content_type=MEDIA_TYPE,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            app_id="opora",
        )
        await exchange.publish(sent, routing_key=message.topic, mandatory=False)

    async def keeps(self, mark: str) -> bool:  # noqa: ARG002  # a durable exchange tells nothing of its queues
        return True

    async def check(self) -> str:
        await self._ready()
        return f"RabbitMQ at {urlsplit(self._url).hostname} answers; exchange {self._name}"

    async def close(self) -> None:
        await self._drop()

    async def _ready(self) -> AbstractExchange:
        async with self._connecting:
            if self._exchange is not None and self._channel is not None and not self._channel.is_closed:
                return self._exchange
            await self._drop()
            try:
                async with asyncio.timeout(CONNECT_S):
                    return await self._connect()
            except Exception as error:  # whatever the driver raises means the same here: no bus
                await self._drop()
                raise BusUnavailable("RabbitMQ does not answer") from error

    async def _connect(self) -> AbstractExchange:
        self._connection = await aio_pika.connect(self._url, timeout=CONNECT_S)
        self._channel = await self._connection.channel(publisher_confirms=True)
        self._exchange = await self._channel.declare_exchange(self._name, aio_pika.ExchangeType.TOPIC, durable=True)
        return self._exchange

    async def _drop(self) -> None:
        connection, self._connection, self._channel, self._exchange = self._connection, None, None, None
        if connection is not None:
            with contextlib.suppress(Exception):  # it may be gone already
                async with asyncio.timeout(1.0):
                    await connection.close()
