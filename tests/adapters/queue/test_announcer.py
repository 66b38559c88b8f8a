"""Wake-ups: one message for what is committed together, none lost by us, none that fails anybody."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
from taskiq import BrokerMessage, InMemoryBroker
from taskiq.kicker import AsyncKicker

from opora.adapters.queue import announcer
from opora.adapters.queue.announcer import WAITING_MAX, BoundedListBroker, TaskiqAnnouncer
from opora.worker.tasks import WAKE_TASK, listen

pytestmark = pytest.mark.anyio


class Kept(InMemoryBroker):
    """Keeps messages in place of running them; each takes as long as `open` is shut."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[BrokerMessage] = []
        self.open = asyncio.Event()
        self.open.set()
        self.error: Exception | None = None

    async def kick(self, message: BrokerMessage) -> None:
        await self.open.wait()
        if self.error is not None:
            raise self.error
        self.messages.append(message)


@pytest.fixture
async def broker(anyio_backend: str) -> Kept:
    return Kept()


async def settled() -> None:
    """Let everything run that can."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_what_one_turn_commits_is_one_message(broker: Kept) -> None:
    said = TaskiqAnnouncer(broker, pytest.fail)
    for _ in range(50):
        said.announce([uuid4()])
    await settled()
    assert len(broker.messages) == 1


async def test_what_is_committed_while_a_message_is_under_way_gets_another(broker: Kept) -> None:
    said = TaskiqAnnouncer(broker, pytest.fail)
    broker.open.clear()
    said.announce([UUID(int=1)])
    await settled()
    said.announce([])
    broker.open.set()
    await settled()
    assert len(broker.messages) == 2


async def test_a_message_names_no_more_than_a_hundred_jobs(broker: Kept) -> None:
    said = TaskiqAnnouncer(broker, pytest.fail)
    for _ in range(3):
        said.announce([uuid4() for _ in range(60)])
    await settled()
    (message,) = broker.messages
    assert len(message.message) < 100 * 45


async def test_a_messenger_that_fails_is_told_of_and_fails_nobody(broker: Kept) -> None:
    errors: list[BaseException] = []
    said = TaskiqAnnouncer(broker, errors.append)
    broker.error = ConnectionError()
    said.announce([uuid4()])
    await settled()
    broker.error = None
    said.announce([uuid4()])
    await settled()
    assert [str(error.__cause__ or error) for error in errors] != []
    assert len(broker.messages) == 1


async def test_a_message_wakes_everything_that_listens(anyio_backend: str) -> None:
    local, woken = InMemoryBroker(), []
    listen(local, lambda: woken.append("engine"), lambda: woken.append("relay"))
    await AsyncKicker(task_name=WAKE_TASK, broker=local, labels={}).kiq(["7"])
    await local.wait_all()
    assert woken == ["engine", "relay"]


def test_a_broker_on_redis_is_bounded_and_connects_to_nothing_before_its_use() -> None:
    assert isinstance(announcer.broker("redis://127.0.0.1:1"), BoundedListBroker)


class TestRedis:
    """The list in Redis."""

    @pytest.fixture
    async def wakes(self, anyio_backend: str, redis_url: str, redis_prefix: str) -> AsyncIterator[BoundedListBroker]:
        broker = BoundedListBroker(redis_url, queue_name=f"{redis_prefix}wake", max_connection_pool_size=4)
        yield broker
        await broker.shutdown()

    async def test_what_is_sent_is_heard(self, wakes: BoundedListBroker) -> None:
        await wakes.kick(BrokerMessage(task_id="1", task_name=WAKE_TASK, message=b"hello", labels={}))
        async with asyncio.timeout(5):
            assert await anext(wakes.listen()) == b"hello"

    async def test_while_nobody_listens_the_list_stays_bounded(self, wakes: BoundedListBroker) -> None:
        message = BrokerMessage(task_id="1", task_name=WAKE_TASK, message=b"hello", labels={})
        await asyncio.gather(*(self.some(wakes, message) for _ in range(3)))
        heard = wakes.listen()
        async with asyncio.timeout(20):
            for _ in range(WAITING_MAX):
                await anext(heard)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await anext(heard)

    async def some(self, wakes: BoundedListBroker, message: BrokerMessage) -> None:
        for _ in range(400):
            await wakes.kick(message)
