"""Contracts of the event bus and of the queue before it: subclass one and give it the adapter."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Protocol
from uuid import uuid4

import pytest

from opora.core.bus.errors import BusUnavailable
from opora.core.bus.model import Batch, Message
from opora.core.bus.ports import BusQueue, EventBus
from opora.core.kernel.events import Event
from opora.core.kernel.ports import Outbox, UnitOfWork

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
LEASE_S = 60.0
LAPSED_S = -1.0
"""A lease that has ended when it is given: what a dead publisher leaves behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed(Event):
    """Something passed."""

    topic: ClassVar[str] = "contract.passed"
    number: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Else(Event):
    """Something else passed."""

    topic: ClassVar[str] = "contract.else"


class OutboxTx(Protocol):
    """What the suite needs of a transaction."""

    @property
    def outbox(self) -> Outbox: ...


class BusQueueContract:
    """What the queue promises. `unit` writes events that are to leave for the bus."""

    unit: UnitOfWork[OutboxTx]
    queue: BusQueue
    prune: Callable[[float, int], Awaitable[int]]
    """Delete events dispatched so long ago, as housekeeping does."""

    async def happen(self, *events: Event) -> None:
        """Keep events, all in one transaction."""
        async with self.unit() as tx:
            for event in events:
                await tx.outbox.add(event)

    async def took(self, holder: str = "a", limit: int = 100, lease_s: float = LEASE_S) -> Batch:
        """Take a batch that must be had."""
        batch = await self.queue.take(holder, limit, lease_s)
        assert batch is not None
        return batch

    async def test_gives_events_in_the_order_of_their_commits_with_all_they_say(self) -> None:
        assert await self.queue.is_empty()
        for number in range(5):
            await self.happen(Passed(subject=number, at=NOON - timedelta(seconds=number), number=number))
        assert not await self.queue.is_empty()
        events = (await self.took()).events
        assert [json.loads(one.payload)["number"] for one in events] == list(range(5))
        assert [one.subject for one in events] == list("01234")
        assert [one.at for one in events] == [NOON - timedelta(seconds=number) for number in range(5)]
        assert {one.topic for one in events} == {Passed.topic}
        assert len({one.id for one in events}) == 5
        assert sorted(one.position for one in events) == [one.position for one in events]

    async def test_a_rollback_leaves_nothing_to_publish(self) -> None:
        with pytest.raises(ZeroDivisionError):
            async with self.unit() as tx:
                await tx.outbox.add(Passed(subject=1, at=NOON))
                raise ZeroDivisionError
        assert await self.queue.is_empty()

    async def test_what_is_gone_is_not_given_again_and_the_rest_is(self) -> None:
        await self.happen(*(Passed(subject=number, at=NOON) for number in range(4)))
        first = await self.took(limit=3)
        assert len(first.events) == 3
        await self.queue.gone("a", [first.events[0].position, first.events[2].position], "5-1")
        second = await self.took()
        assert [one.subject for one in second.events] == ["1", "3"]
        assert second.mark == await self.queue.mark() == "5-1"

    async def test_one_publisher_at_a_time_has_the_queue(self) -> None:
        await self.happen(Passed(subject=1, at=NOON))
        batches = await asyncio.gather(*(self.queue.take(f"p{number}", 10, LEASE_S) for number in range(6)))
        assert sum(batch is not None for batch in batches) == 1

    async def test_the_holder_may_take_again_and_another_once_it_is_done(self) -> None:
        await self.happen(Passed(subject=1, at=NOON))
        await self.took("a")
        batch = await self.took("a")
        assert await self.queue.take("b", 10, LEASE_S) is None
        await self.queue.gone("a", [batch.events[0].position], "")
        assert (await self.took("b")).events == []

    async def test_a_lease_that_ended_passes_to_another_and_who_is_late_takes_nothing_away(self) -> None:
        await self.happen(Passed(subject=1, at=NOON), Passed(subject=2, at=NOON))
        late = await self.took("late", lease_s=LAPSED_S)
        other = await self.took("other")
        assert other.events == late.events
        await self.queue.gone("late", [late.events[0].position], "1-1")
        assert await self.queue.take("third", 10, LEASE_S) is None
        assert await self.queue.mark() == ""
        await self.queue.gone("other", [one.position for one in other.events], "2-1")
        assert await self.queue.refill(10) == 2
        await self.queue.gone("late", [one.position for one in late.events], "1-1")
        again = await self.took("third")
        assert (again.events, again.mark) == (other.events, "2-1")

    async def test_an_event_that_waits_for_the_bus_is_not_pruned(self) -> None:
        await self.happen(Passed(subject=1, at=NOON))
        assert await self.prune(-1.0, 10) == 0
        batch = await self.took()
        await self.queue.gone("a", [one.position for one in batch.events], "")
        assert await self.prune(-1.0, 10) == 1

    async def test_what_the_bus_lost_is_queued_again_the_newest_of_it_before_what_waits(self) -> None:
        for number in range(5):
            await self.happen(Passed(subject=number, at=NOON))
        batch = await self.took(limit=4)
        await self.queue.gone("a", [one.position for one in batch.events], "")
        assert await self.queue.refill(4) == 3
        assert await self.queue.refill(4) == 0
        again = (await self.took()).events
        assert list(again[:3]) == batch.events[1:]
        assert [one.subject for one in again] == list("1234")

    async def test_events_since_a_time_or_of_a_topic_are_queued_again(self) -> None:
        await self.happen(*(Passed(subject=number, at=NOON + timedelta(hours=number)) for number in range(4)))
        await self.happen(Else(subject="x", at=NOON + timedelta(hours=9)))
        batch = await self.took()
        await self.queue.gone("a", [one.position for one in batch.events], "")
        assert await self.queue.again(NOON + timedelta(hours=3), Passed.topic) == 1
        assert await self.queue.again(NOON + timedelta(hours=2), None) == 2
        assert sorted(one.subject for one in (await self.took()).events) == ["2", "3", "x"]

    async def test_tells_how_much_waits_and_for_how_long(self) -> None:
        empty = await self.queue.backlog()
        assert (empty.waiting, empty.oldest_s) == (0, 0.0)
        past = datetime.now(UTC) - timedelta(hours=1)
        await self.happen(Passed(subject=1, at=past), Passed(subject=2, at=datetime.now(UTC)))
        found = await self.queue.backlog()
        assert found.waiting == 2
        assert 3500 < found.oldest_s < 7200


def a_message(number: int = 1, topic: str = "contract.passed") -> Message:
    """Build a message with an id of its own."""
    id = uuid4()
    return Message(id, topic, json.dumps({"id": str(id), "type": topic, "data": {"number": number}}).encode())


class EventBusContract:
    """What a bus promises. `heard` returns the bodies that a listener of everything got, `count` of them at least."""

    bus: EventBus
    away: EventBus
    """The same adapter with an address where nobody answers."""
    heard: Callable[[int], Awaitable[Sequence[bytes]]]

    async def test_what_is_taken_is_heard_in_order(self) -> None:
        messages = [a_message(number) for number in range(30)]
        for start in range(0, 30, 10):
            part = messages[start : start + 10]
            receipt = await self.bus.publish(part)
            assert receipt.taken == {one.id for one in part}
        bodies = await self.heard(30)
        assert sorted(bodies) == sorted(one.body for one in messages)
        tens = [[json.loads(body)["data"]["number"] // 10 for body in bodies[at : at + 10]] for at in (0, 10, 20)]
        assert tens == [[0] * 10, [1] * 10, [2] * 10]

    async def test_nothing_is_a_batch_too(self) -> None:
        assert (await self.bus.publish([])).taken == frozenset()

    async def test_the_same_message_may_be_sent_again(self) -> None:
        message = a_message()
        for _ in range(2):
            assert (await self.bus.publish([message])).taken == {message.id}
        assert list(await self.heard(2)) == [message.body] * 2

    async def test_it_keeps_what_it_said_it_took(self) -> None:
        receipt = await self.bus.publish([a_message(), a_message()])
        assert await self.bus.keeps(receipt.mark)

    async def test_says_what_it_is(self) -> None:
        assert await self.bus.check()

    async def test_a_bus_that_is_away_says_so_soon_and_takes_nothing(self) -> None:
        with pytest.raises(BusUnavailable):
            await self.away.publish([a_message()])
        with pytest.raises(BusUnavailable):
            await self.away.check()
