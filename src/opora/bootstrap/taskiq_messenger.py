"""Wake-ups through a broker of taskiq: a list in Redis, or queues in RabbitMQ."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

from taskiq import AsyncBroker
from taskiq.api import run_receiver_task

from opora.adapters.queue.announcer import PATIENT_S, TaskiqAnnouncer, broker, broker_on
from opora.adapters.redis.addresses import Whereabouts
from opora.adapters.redis.clients import client_of
from opora.bootstrap.bus import BusLacking
from opora.bootstrap.messenger import Messenger, Wake
from opora.bootstrap.settings import Settings
from opora.worker.journal import LoggedJournal
from opora.worker.tasks import listen

QUEUES: Mapping[str, str] = {"generate.long": "generate.long", "generate.retry": "generate.retry"}
"""The queues of RabbitMQ by the kind of job: document 3 gives these two their names. Every other kind shares one."""


class TaskiqMessenger(Messenger):
    """Sends to whichever worker asks first; nothing is connected before it is needed."""

    def __init__(self, broker: AsyncBroker, queues: Mapping[str, str] | None = None) -> None:
        self._broker = broker
        self._announcer = TaskiqAnnouncer(self._broker, LoggedJournal().unannounced, queues)

    def announce(self, ids: Sequence[UUID], kinds: Collection[str] = ()) -> None:
        self._announcer.announce(ids, kinds)

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
        with contextlib.suppress(Exception):  # it may be gone already
            await self._broker.shutdown()


def messenger_of(settings: Settings) -> Messenger:
    """Build the messenger that the settings choose; nothing is connected yet. Raises BusLacking."""
    if settings.broker_chosen == "redis":
        return TaskiqMessenger(redis_broker(settings.redis_url, f"{settings.redis_prefix}:wake"))
    try:
        from opora.adapters.queue.rabbitmq import RabbitWakes  # noqa: PLC0415  # an extra
    except ImportError as fault:
        raise BusLacking(f"OPORA_AMQP_URL: {fault.name} is not installed; install opora[rabbitmq]") from fault
    name = f"{settings.redis_prefix}.wake"
    wakes = RabbitWakes(settings.amqp_url, name, [name, *sorted(set(QUEUES.values()))])
    return TaskiqMessenger(wakes, QUEUES)


def redis_broker(url: str, queue: str) -> AsyncBroker:
    """Return the broker on a Redis of any kind."""
    if Whereabouts.parse(url).kind == "server":
        return broker(url, queue)
    return broker_on(client_of(url, socket_timeout=PATIENT_S), queue)


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
