"""Listening on RabbitMQ and on a stream in Redis: filters, dead letters, and what a listener that died had in hand."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import aio_pika
import pytest
from redis.asyncio import Redis

from opora.events import Event, MemoryInbox, Patience, listen, listening
from opora.events import rabbitmq as rabbit
from opora.events.listening import line_of
from opora.events.redis_streams import dead_letters

pytestmark = pytest.mark.anyio
WITHIN_S = 60
QUICK = Patience(attempts=2, pause_s=0.01, deliveries=3)


def an_event(number: int, type: str = "user.created") -> bytes:
    told = {"specversion": "1.0", "id": str(uuid4()), "source": "/", "type": type, "data": {"number": number}}
    return json.dumps(told).encode()


@dataclass
class Listener:
    """A handler that keeps numbers, and fails or hangs for some."""

    numbers: list[int] = field(default_factory=list)
    calls: list[int] = field(default_factory=list)
    poison: set[int] = field(default_factory=set)
    hangs: set[int] = field(default_factory=set)

    async def __call__(self, event: Event, tx: Any) -> None:
        number = event.data["number"]
        self.calls.append(number)
        if number in self.poison:
            raise ZeroDivisionError
        if number in self.hangs:
            await asyncio.Event().wait()
        self.numbers.append(number)

    async def until(self, *numbers: int) -> None:
        async with asyncio.timeout(WITHIN_S):
            while not set(numbers) <= set(self.numbers):  # noqa: ASYNC110  # the bus decides when
                await asyncio.sleep(0.02)


@dataclass
class Wire:
    """One bus, as a test speaks to it."""

    url: str
    name: str
    send: Callable[[bytes, str], Awaitable[object]]
    dead: Callable[[], Awaitable[Sequence[bytes]]]

    @asynccontextmanager
    async def listening(self, listener: Listener, *topics: str) -> AsyncIterator[None]:
        ready = asyncio.Event()
        names = {"exchange": self.name, "stream": self.name}
        wanted = topics or ("#",)
        told: dict[str, Any] = {"topics": wanted, "patience": QUICK, "listening": ready, **names}
        task = asyncio.create_task(listen(self.url, self.name, listener, MemoryInbox(), **told))
        try:
            async with asyncio.timeout(WITHIN_S):
                await ready.wait()
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def buried(self, count: int) -> Sequence[bytes]:
        """Wait until so many are among the dead letters."""
        async with asyncio.timeout(WITHIN_S):
            found: list[bytes] = []
            while len(found) < count:
                found += await self.dead()
                await asyncio.sleep(0.02)
        return found


@pytest.fixture
async def rabbitmq(anyio_backend: str, amqp_url: str) -> AsyncIterator[Wire]:
    name = f"opora.test.{uuid4().hex[:12]}"
    async with await aio_pika.connect(amqp_url) as connection:
        channel = await connection.channel()
        exchange = await channel.declare_exchange(name, aio_pika.ExchangeType.TOPIC, durable=True)

        async def dead() -> Sequence[bytes]:
            queue = await channel.get_queue(f"{name}.dead", ensure=False)
            message = await queue.get(no_ack=True, fail=False)
            return [] if message is None else [message.body]

        yield Wire(amqp_url, name, lambda body, topic: exchange.publish(aio_pika.Message(body), topic), dead)
        for queue in (name, f"{name}.dead"):
            await channel.queue_delete(queue)
        await channel.exchange_delete(name)


@pytest.fixture
async def redis(anyio_backend: str, redis_url: str, redis_prefix: str) -> AsyncIterator[Wire]:
    stream = f"{redis_prefix}events"
    async with Redis.from_url(redis_url) as client:
        seen: set[bytes] = set()

        async def dead() -> Sequence[bytes]:
            entries = await client.xrange(dead_letters(stream, stream))
            new = [(id, fields) for id, fields in entries if id not in seen]
            seen.update(id for id, _ in new)
            return [fields.get(b"event", b"") for _, fields in new]

        yield Wire(redis_url, stream, lambda body, _: client.xadd(stream, {"event": body}), dead)


@pytest.fixture(params=["rabbitmq", "redis"])
def wire(request: pytest.FixtureRequest) -> Wire:
    return request.getfixturevalue(request.param)  # type: ignore[no-any-return]


async def test_events_are_handled_in_order_and_those_not_asked_for_are_left_out(wire: Wire) -> None:
    listener = Listener()
    async with wire.listening(listener, "user.*"):
        for number in range(10):
            topic = "document.uploaded" if number % 2 else "user.created"
            await wire.send(an_event(number, topic), topic)
        await listener.until(8)
    assert listener.numbers == [0, 2, 4, 6, 8]


async def test_what_cannot_be_handled_or_read_is_buried_and_the_next_has_its_turn(wire: Wire) -> None:
    listener = Listener(poison={1})
    bodies = [an_event(0), an_event(1), b"no event at all", an_event(3)]
    async with wire.listening(listener):
        for body in bodies:
            await wire.send(body, "user.created")
        await listener.until(0, 3)
        assert sorted(await wire.buried(2)) == sorted(bodies[1:3])
    assert listener.numbers == [0, 3]
    assert listener.calls.count(1) == QUICK.attempts


async def test_what_a_listener_had_in_hand_when_it_died_goes_to_the_next(wire: Wire) -> None:
    dying, heir = Listener(hangs={1}), Listener()
    async with wire.listening(dying):
        for number in range(3):
            await wire.send(an_event(number), "user.created")
        async with asyncio.timeout(WITHIN_S):
            while 1 not in dying.calls:  # noqa: ASYNC110  # as above
                await asyncio.sleep(0.02)
    async with wire.listening(heir):
        await heir.until(1, 2)
    assert dying.numbers == [0]
    assert heir.numbers == [1, 2]


async def test_a_message_that_ends_its_listener_again_and_again_is_buried(wire: Wire) -> None:
    listener = Listener(hangs={0})
    body = an_event(0)
    async with wire.listening(listener):
        await wire.send(body, "user.created")
        await wire.send(an_event(1), "user.created")
    async with asyncio.timeout(WITHIN_S):
        while 1 not in listener.numbers:
            before = len(listener.calls)
            async with wire.listening(listener):
                for _ in range(100):
                    if len(listener.calls) > before:
                        break
                    await asyncio.sleep(0.02)
    assert await wire.buried(1) == [body]
    assert listener.calls.count(0) <= QUICK.deliveries + 1


async def test_a_new_group_of_a_stream_begins_with_the_oldest_entry(redis: Wire) -> None:
    await redis.send(an_event(0), "user.created")
    listener = Listener()
    async with redis.listening(listener):
        await listener.until(0)


def test_a_bus_of_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="amqp://"):
        line_of("kafka://localhost", "e", "s")


async def test_a_queue_that_does_not_answer_is_given_up_and_asked_anew(
    amqp_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    async def silent(line: rabbit.RabbitLine, *_: object) -> None:
        asked.append(line)
        await asyncio.Event().wait()

    monkeypatch.setattr(rabbit, "READY_S", 0.05)
    monkeypatch.setattr(listening, "AGAIN_S", 0.01)
    monkeypatch.setattr(rabbit.RabbitLine, "_declared", silent)
    task = asyncio.create_task(listen(amqp_url, f"opora.test.{uuid4().hex[:12]}", Listener(), MemoryInbox()))
    async with asyncio.timeout(WITHIN_S):
        while len(asked) < 3:  # noqa: ASYNC110  # the clock decides when
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
