"""Wake-ups through a list in Redis, by taskiq."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

from taskiq import AsyncBroker
from taskiq.api import run_receiver_task

from opora.adapters.queue.announcer import TaskiqAnnouncer, broker
from opora.bootstrap.messenger import Messenger, Wake
from opora.worker.journal import LoggedJournal
from opora.worker.tasks import listen


class RedisMessenger(Messenger):
    """Sends to whichever worker asks first; nothing is connected before it is needed."""

    def __init__(self, redis_url: str, queue: str) -> None:
        self._broker = broker(redis_url, queue)
        self._announcer = TaskiqAnnouncer(self._broker, LoggedJournal().unannounced)

    def announce(self, ids: Sequence[UUID]) -> None:
        self._announcer.announce(ids)

    @asynccontextmanager
    async def heard(self, *wakes: Wake) -> AsyncIterator[None]:
        listen(self._broker, *wakes)
        receiving = asyncio.create_task(receive(self._broker), name="receiver")
        try:
            yield
        finally:
            receiving.cancel()
            await asyncio.gather(receiving, return_exceptions=True)

    async def close(self) -> None:
        await self._announcer.close()


async def receive(broker: AsyncBroker) -> None:
    """Listen for wake-ups for ever; a messenger that is away costs latency, not work."""
    journal = LoggedJournal()
    while True:
        try:
            broker.is_worker_process = True
            await run_receiver_task(broker, run_startup=True)
        except asyncio.CancelledError:
            with contextlib.suppress(Exception):
                await broker.shutdown()
            raise
        except BaseException as error:  # taskiq wraps a lost Redis in an ExceptionGroup
            journal.troubled("listening for wake-ups", error)
            await asyncio.sleep(1.0)
