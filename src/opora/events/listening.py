"""Listening for ever, over every loss of the bus."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from opora.events.handling import Handler, Patience, Reception
from opora.events.inboxes import KEEP_DAYS, Inbox

AGAIN_S = 1.0
AGAIN_MAX_S = 30.0
FORGET_S = 3600.0
LOG = logging.getLogger("opora.events")


class Line(Protocol):
    """A bus that can be listened to."""

    async def run(self, reception: Reception, listening: asyncio.Event) -> None:
        """Deliver until the bus is lost, which raises; `listening` is set once nothing published now is missed."""
        ...


async def listen(
    url: str,
    consumer: str,
    handler: Handler,
    inbox: Inbox,
    *,
    topics: Sequence[str] = ("#",),
    exchange: str = "opora.events",
    stream: str = "opora:events",
    patience: Patience | None = None,
    listening: asyncio.Event | None = None,
) -> None:
    """Deliver events of these topics to the handler, one by one, until cancelled.

    `url` is that of RabbitMQ (`amqp://`, then `exchange` counts) or of Redis (`redis://` or, for a cluster,
    `redis+cluster://host:port,…`, then `stream` counts).
    `consumer` names the queue or the group, and the events it has dealt with: two processes of one name share the work.
    What cannot be handled goes to the dead letters: the queue `CONSUMER.dead`, or the stream `{STREAM}:CONSUMER:dead`.
    """
    line = line_of(url, exchange, stream)
    reception = Reception(consumer, handler, inbox, tuple(topics), patience or Patience())
    ready = listening or asyncio.Event()
    await inbox.open()
    tidying = asyncio.create_task(_tidy(inbox), name="forgetting events")
    pause_s = AGAIN_S
    try:
        while True:
            started_s = asyncio.get_running_loop().time()
            try:
                await line.run(reception, ready)
            except Exception as error:  # the bus is away: however that shows, it is asked again
                LOG.warning("the bus was lost: %s", type(error).__name__)
            if asyncio.get_running_loop().time() - started_s > AGAIN_MAX_S:
                pause_s = AGAIN_S
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, AGAIN_MAX_S)
    finally:
        tidying.cancel()
        await asyncio.gather(tidying, return_exceptions=True)


def line_of(url: str, exchange: str, stream: str) -> Line:
    """Choose the bus by its address; raises ValueError for another scheme."""
    scheme = url.partition(":")[0]
    if scheme in ("amqp", "amqps"):
        from opora.events.rabbitmq import RabbitLine  # noqa: PLC0415  # an extra: aio-pika

        return RabbitLine(url, exchange)
    if scheme.removesuffix("+cluster") in ("redis", "rediss"):
        from opora.events.redis_streams import RedisLine  # noqa: PLC0415  # whoever has RabbitMQ needs no Redis

        return RedisLine(url, stream)
    raise ValueError("a bus is found at amqp://, amqps://, redis://, rediss:// or redis+cluster://")


async def _tidy(inbox: Inbox) -> None:
    while True:
        await asyncio.sleep(FORGET_S)
        try:
            await inbox.forget(timedelta(days=KEEP_DAYS))
        except Exception as error:  # it is tried again in an hour
            LOG.warning("forgetting events: %s", type(error).__name__)
