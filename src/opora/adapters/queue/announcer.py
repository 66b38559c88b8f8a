"""Announces committed work through a taskiq broker, without waiting and without failing."""

import asyncio
from collections.abc import Callable, Sequence
from uuid import UUID

from taskiq import AsyncBroker, InMemoryBroker
from taskiq.kicker import AsyncKicker
from taskiq_redis import ListQueueBroker

from opora.core.jobs.ports import Announcer

WAKE_TASK = "opora.wake"
QUEUE = "opora:wake"
IDS_MAX = 100


def broker(redis_url: str | None) -> AsyncBroker:
    """Choose the broker: Redis where it is given, else this process."""
    if redis_url is None:
        return InMemoryBroker()
    return ListQueueBroker(redis_url, queue_name=QUEUE, max_connection_pool_size=4)


class TaskiqAnnouncer(Announcer):
    """Sends one message for all that was committed in one turn of the event loop."""

    def __init__(self, broker: AsyncBroker, on_failure: Callable[[BaseException], None]) -> None:
        self._broker = broker
        self._on_failure = on_failure
        self._waiting: list[str] = []
        self._sending: asyncio.Task[None] | None = None

    def announce(self, ids: Sequence[UUID]) -> None:
        self._waiting.extend(str(one) for one in ids[:IDS_MAX])
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send())

    async def _send(self) -> None:
        await asyncio.sleep(0)  # what the same turn commits goes with this message
        ids, self._waiting = self._waiting[:IDS_MAX], []
        kicker: AsyncKicker[[list[str]], None] = AsyncKicker(task_name=WAKE_TASK, broker=self._broker, labels={})
        try:
            await kicker.kiq(ids)
        except Exception as error:  # a lost hint costs a second: the sweep finds the work
            self._on_failure(error)
