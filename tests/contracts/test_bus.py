"""The queue before the bus and each bus keep their contracts; a publisher between them loses nothing."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from uuid import uuid4

import aio_pika
import pytest

from opora.adapters.amqp.bus import RabbitBus
from opora.adapters.redis.bus import RedisBus, place
from opora.adapters.redis.connection import RedisConnection
from opora.adapters.sql.bus.queue import SqlBusQueue
from opora.adapters.sql.connection import Database
from opora.adapters.sql.repositories import SqlParts
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.testing.bus import BusQueueContract, EventBusContract, a_message

pytestmark = pytest.mark.anyio
HEARD_WITHIN_S = 30


@pytest.fixture
def unit(database: Database, sql_parts: SqlParts) -> SqlUnitOfWork:
    """A unit of work on each store in turn, whose events leave for a bus."""
    parts = SqlParts(sql_parts.identifiers, sql_parts.audit_key, sql_parts.announcer, {}, to_bus=True)
    return SqlUnitOfWork(database, parts)


class TestQueue(BusQueueContract):
    """The queue on each relational store in turn."""

    @pytest.fixture(autouse=True)
    def _store(self, unit: SqlUnitOfWork, database: Database) -> None:
        self.unit = unit
        self.queue = SqlBusQueue(database)
        self.prune = unit.prune_outbox


class TestRabbitMQ(EventBusContract):
    """A topic exchange."""

    @pytest.fixture(autouse=True)
    async def _bus(self, amqp_url: str) -> AsyncIterator[None]:
        name = f"opora.test.{uuid4().hex[:12]}"
        self.bus = RabbitBus(amqp_url, name)
        self.away = RabbitBus("amqp://127.0.0.1:9/", name)
        await self.bus.check()
        connection = await aio_pika.connect(amqp_url)
        channel = await connection.channel()
        self._channel, self._name, self._url = channel, name, amqp_url
        self._queue = await channel.declare_queue(exclusive=True)
        await self._queue.bind(name, "#")
        yield
        await self.bus.close()
        await channel.exchange_delete(name)
        await connection.close()

    async def heard(self, count: int) -> Sequence[bytes]:
        bodies: list[bytes] = []
        async with asyncio.timeout(HEARD_WITHIN_S), self._queue.iterator(no_ack=True) as messages:
            async for message in messages:
                bodies.append(message.body)
                if len(bodies) == count:
                    return bodies
        return bodies

    async def test_a_message_says_what_it_is_to_those_who_do_not_open_it(self) -> None:
        sent = a_message(topic="user.created")
        await self.bus.publish([sent])
        async with asyncio.timeout(HEARD_WITHIN_S), self._queue.iterator(no_ack=True) as messages:
            got = await anext(messages)
        assert (got.message_id, got.type, got.routing_key) == (str(sent.id), "user.created", "user.created")
        assert got.content_type == "application/cloudevents+json; charset=utf-8"
        assert got.delivery_mode == aio_pika.DeliveryMode.PERSISTENT

    async def test_what_the_broker_refuses_is_not_taken_and_the_rest_is(self) -> None:
        full = {"x-max-length": 2, "x-overflow": "reject-publish"}
        small = await self._channel.declare_queue(exclusive=True, arguments=full)
        await small.bind(self._name, "small")
        receipts = [await self.bus.publish([a_message(topic="small"), a_message(topic="large")]) for _ in range(3)]
        assert [len(one.taken) for one in receipts] == [2, 2, 1]

    async def test_a_message_that_nobody_is_bound_for_is_taken(self) -> None:
        await self._queue.unbind(self._name, "#")
        assert len((await self.bus.publish([a_message()])).taken) == 1

    async def test_it_comes_back_by_itself_after_its_connection_was_closed(self) -> None:
        await self.bus.publish([a_message()])
        await self.bus.close()
        assert len((await self.bus.publish([a_message()])).taken) == 1


class TestRedis(EventBusContract):
    """A stream."""

    @pytest.fixture(autouse=True)
    async def _bus(self, redis_url: str, redis_prefix: str) -> AsyncIterator[None]:
        self._redis = RedisConnection(redis_url, timeout_s=5.0)
        self._stream = f"{redis_prefix}events"
        self.bus = RedisBus(RedisConnection(redis_url, timeout_s=5.0), self._stream, 1000)
        self.away = RedisBus(RedisConnection("redis://127.0.0.1:9", timeout_s=1.0), self._stream, 1000)
        yield
        await self.bus.close()
        await self._redis.close()

    async def heard(self, count: int) -> Sequence[bytes]:
        entries = await self._redis.call("XRANGE", self._stream, "-", "+")
        assert len(entries) >= count
        return [dict(zip(fields[::2], fields[1::2], strict=True))[b"event"] for _, fields in entries]

    async def test_an_entry_says_what_it_is_to_those_who_do_not_open_it(self) -> None:
        sent = a_message(topic="user.created")
        await self.bus.publish([sent])
        ((_, fields),) = await self._redis.call("XRANGE", self._stream, "-", "+")
        told = dict(zip(fields[::2], fields[1::2], strict=True))
        assert (told[b"id"], told[b"type"]) == (str(sent.id).encode(), b"user.created")
        assert json.loads(told[b"event"])["id"] == str(sent.id)

    async def test_a_stream_that_was_flushed_or_fell_back_does_not_keep_what_it_took(self) -> None:
        first = await self.bus.publish([a_message()])
        second = await self.bus.publish([a_message()])
        assert await self.bus.keeps(first.mark) and await self.bus.keeps(second.mark)
        await self._redis.call("DEL", self._stream)
        assert not await self.bus.keeps(second.mark)
        await self._redis.call("XADD", self._stream, first.mark, "id", "x")
        assert await self.bus.keeps(first.mark)
        assert not await self.bus.keeps(second.mark)

    async def test_the_stream_stays_about_as_long_as_it_may_be(self) -> None:
        for _ in range(10):
            await self.bus.publish([a_message() for _ in range(300)])
        assert 1000 <= await self._redis.call("XLEN", self._stream) <= 1200

    async def test_what_redis_refuses_is_not_taken(self) -> None:
        await self._redis.call("SET", self._stream, "not a stream")
        with pytest.raises(Exception, match="took nothing"):
            await self.bus.publish([a_message()])
        await self._redis.call("DEL", self._stream)


def test_the_places_of_entries_sort_as_numbers() -> None:
    assert sorted([b"10-2", b"9-11", b"10-10"], key=place) == [b"9-11", b"10-2", b"10-10"]
