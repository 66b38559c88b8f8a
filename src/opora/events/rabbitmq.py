"""Listening on RabbitMQ: a durable quorum queue bound to the topics, acknowledged by hand, with dead letters."""

import asyncio

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, AbstractQueue

from opora.events.handling import Reception, Verdict

PREFETCH = 1
"""What ends its consumer again and again is told by its deliveries: nothing innocent may be delivered along with it."""
CONNECT_S = 10.0
READY_S = 20.0
"""A queue without a leader answers nothing, while its broker's heart goes on beating: it is asked anew."""


class RabbitLine:
    """One queue of one exchange."""

    def __init__(self, url: str, exchange: str) -> None:
        self._url = url
        self._exchange = exchange

    async def run(self, reception: Reception, listening: asyncio.Event) -> None:
        """Deliver until the connection or the channel is lost, which raises."""
        connection = await aio_pika.connect(self._url, timeout=CONNECT_S)
        async with connection:
            waiting: asyncio.Queue[AbstractIncomingMessage | None] = asyncio.Queue()
            async with asyncio.timeout(READY_S):
                channel = await connection.channel()
                await channel.set_qos(prefetch_count=PREFETCH)
                queue = await self._declared(channel, reception)
                channel.close_callbacks.add(lambda *_: waiting.put_nowait(None))
                await queue.consume(waiting.put)
            listening.set()
            while (message := await waiting.get()) is not None:
                await settle(message, reception)
        raise ConnectionError("the channel was closed")

    async def _declared(self, channel: AbstractChannel, reception: Reception) -> AbstractQueue:
        """Declare the exchange as Opora does, the queue and its dead letters, and bind what is asked for."""
        exchange = await channel.declare_exchange(self._exchange, aio_pika.ExchangeType.TOPIC, durable=True)
        dead = f"{reception.consumer}.dead"
        await channel.declare_queue(dead, durable=True, arguments={"x-queue-type": "quorum"})
        queue = await channel.declare_queue(
            reception.consumer,
            durable=True,
            arguments={
                "x-queue-type": "quorum",
                "x-dead-letter-exchange": "",
                "x-dead-letter-routing-key": dead,
                "x-delivery-limit": reception.patience.deliveries,
            },
        )
        for topic in reception.topics:
            await queue.bind(exchange, topic)
        return queue


async def settle(message: AbstractIncomingMessage, reception: Reception) -> None:
    """Deal with a delivery, then acknowledge it or send it to the dead letters."""
    if await reception.take(message.body) is Verdict.DONE:
        await message.ack()
    else:
        await message.reject(requeue=False)
