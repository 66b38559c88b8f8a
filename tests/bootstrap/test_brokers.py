"""Wake-ups by every messenger: within the process, through Redis, through RabbitMQ; and each of them lost and back."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import aio_pika
import pytest

from opora.adapters.queue.announcer import WAITING_MAX, broker
from opora.adapters.queue.rabbitmq import RabbitWakes
from opora.bootstrap.contexts import HANDLERS
from opora.bootstrap.messenger import LocalMessenger, Messenger
from opora.bootstrap.taskiq_messenger import QUEUES, TaskiqMessenger
from servers.proxy import Proxy

pytestmark = pytest.mark.anyio
WITHIN_S = 60
LONG = "test.long"


class Bench:
    """Messengers of one installation: each call is another process."""

    def __init__(self, build: Callable[[], Messenger], proxy: Proxy | None = None, queue: str = "") -> None:
        self.build = build
        self.proxy = proxy
        self.queue = queue

    @asynccontextmanager
    async def worker(self, messenger: Messenger) -> AsyncIterator[asyncio.Event]:
        """Listen; the event is set by every wake-up."""
        woken = asyncio.Event()
        async with messenger.heard(woken.set):
            yield woken

    async def heard(self, service: Messenger, woken: asyncio.Event, *kinds: str) -> None:
        """Announce until it is heard: a message may be lost while somebody connects, and jobs are swept for anyway."""
        woken.clear()
        async with asyncio.timeout(WITHIN_S):
            while not woken.is_set():
                service.announce([UUID(int=1)], kinds)
                await asyncio.sleep(0.1)


@pytest.fixture
async def within_the_process(anyio_backend: str) -> Bench:
    messenger = LocalMessenger()
    return Bench(lambda: messenger)


@pytest.fixture
async def redis(anyio_backend: str, redis_url: str, redis_prefix: str) -> AsyncIterator[Bench]:
    proxy = Proxy(redis_url)
    await proxy.start()
    yield Bench(lambda: TaskiqMessenger(broker(proxy.url, f"{redis_prefix}wake")), proxy)
    await proxy.cut()


@pytest.fixture
async def rabbitmq(anyio_backend: str, amqp_url: str) -> AsyncIterator[Bench]:
    name = f"opora.test.{uuid4().hex[:12]}"
    queues = [name, f"{name}.long"]
    proxy = Proxy(amqp_url)
    await proxy.start()
    yield Bench(lambda: TaskiqMessenger(RabbitWakes(proxy.url, name, queues), {LONG: queues[1]}), proxy, name)
    await proxy.cut()
    async with await aio_pika.connect(amqp_url) as connection:
        channel = await connection.channel()
        for queue in (*queues, f"{name}.dropped"):
            await channel.queue_delete(queue)
        await channel.exchange_delete(name)


@pytest.fixture(params=["within_the_process", "redis", "rabbitmq"])
def bench(request: pytest.FixtureRequest) -> Bench:
    return request.getfixturevalue(request.param)  # type: ignore[no-any-return]


async def test_what_is_announced_wakes_a_worker_whatever_its_kind(bench: Bench) -> None:
    service, messenger = bench.build(), bench.build()
    async with bench.worker(messenger) as woken:
        await bench.heard(service, woken)
        await bench.heard(service, woken, "exports.render")
        await bench.heard(service, woken, LONG)
        await bench.heard(service, woken, LONG, "exports.render")
    for one in (service, messenger):
        await one.close()


async def test_a_broker_that_is_cut_fails_nobody_and_is_heard_again_once_it_is_back(bench: Bench) -> None:
    service, messenger = bench.build(), bench.build()
    async with bench.worker(messenger) as woken:
        await bench.heard(service, woken)
        if bench.proxy is not None:
            for _ in range(2):
                await bench.proxy.cut()
                service.announce([UUID(int=1)])
                await asyncio.sleep(0.2)
                await bench.proxy.start()
        await bench.heard(service, woken)
        await bench.heard(service, woken, LONG)
    for one in (service, messenger):
        await one.close()


async def test_a_broker_that_was_never_there_fails_nobody(bench: Bench) -> None:
    if bench.proxy is not None:
        await bench.proxy.cut()
    service, messenger = bench.build(), bench.build()
    async with asyncio.timeout(WITHIN_S), bench.worker(messenger):
        for _ in range(3):
            service.announce([], [LONG])
            await asyncio.sleep(0.01)
        await service.close()
        await messenger.close()


async def test_jobs_of_a_kind_with_a_queue_wake_through_it_and_what_waits_is_bounded(
    rabbitmq: Bench, amqp_url: str
) -> None:
    service = rabbitmq.build()
    messages = RabbitWakes(amqp_url, rabbitmq.queue, [rabbitmq.queue, f"{rabbitmq.queue}.long"])
    await messages.startup()
    await messages.shutdown()
    async with await aio_pika.connect(amqp_url) as connection:
        channel = await connection.channel()

        async def counts() -> list[int]:
            names = (rabbitmq.queue, f"{rabbitmq.queue}.long")
            found = [await channel.declare_queue(name, passive=True) for name in names]
            return [one.declaration_result.message_count or 0 for one in found]

        service.announce([UUID(int=1)], [LONG])
        await service.close()
        assert await counts() == [0, 1]
        exchange = await channel.get_exchange(rabbitmq.queue, ensure=False)
        for _ in range(3):
            sending = (exchange.publish(aio_pika.Message(b"x"), rabbitmq.queue) for _ in range(500))
            await asyncio.gather(*sending)
        assert await counts() == [WAITING_MAX, 1]


def test_document_3_s_queues_have_their_names() -> None:
    assert QUEUES == {"generate.long": "generate.long", "generate.retry": "generate.retry"}
    assert QUEUES.keys() <= HANDLERS.keys()
