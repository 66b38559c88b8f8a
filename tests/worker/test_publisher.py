"""The publisher between the queue and a bus that fails as buses do: nothing lost, order kept, no spinning."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from opora.core.bus.errors import BusUnavailable
from opora.core.bus.model import Backlog, Batch, Message, Receipt, WaitingEvent
from opora.core.bus.ports import BusQueue, EventBus
from opora.worker.publisher import Publisher, PublishPolicy

pytestmark = pytest.mark.anyio
NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


@dataclass
class Kept(BusQueue):
    """A queue in memory."""

    events: list[WaitingEvent] = field(default_factory=list)
    kept_mark: str = ""
    holder: str = ""
    refilled: int = 0

    def add(self, *subjects: str) -> None:
        for subject in subjects:
            position = len(self.events) + 1
            self.events.append(
                WaitingEvent(
                    position=position, id=UUID(int=position), topic="a.b", subject=subject, at=NOON, payload="{}"
                )
            )

    async def is_empty(self) -> bool:
        return not self.events

    async def take(self, holder: str, limit: int, lease_s: float) -> Batch | None:
        if self.holder not in ("", holder):
            return None
        self.holder = holder
        return Batch(self.events[:limit], self.kept_mark)

    async def gone(self, holder: str, positions: Sequence[int], mark: str) -> None:  # type: ignore[override]
        self.events = [one for one in self.events if one.position not in positions]
        self.holder, self.kept_mark = "", mark

    async def mark(self) -> str:
        return self.kept_mark

    async def refill(self, limit: int) -> int:
        self.refilled += 1
        self.add("again")
        return 1

    async def again(self, since: datetime, topic: str | None) -> int:
        return 0

    async def backlog(self) -> Backlog:
        return Backlog(len(self.events), 0.0)


@dataclass
class Played(EventBus):
    """A bus that takes what it is told to."""

    heard: list[str] = field(default_factory=list)
    waves: list[int] = field(default_factory=list)
    refuses: set[str] = field(default_factory=set)
    down: bool = False
    has: bool = True

    async def publish(self, messages: Sequence[Message]) -> Receipt:
        if self.down:
            raise BusUnavailable
        self.waves.append(len(messages))
        told = {message.id: json.loads(message.body) for message in messages}
        taken = {id for id, one in told.items() if one["subject"] not in self.refuses}
        self.heard += [f"{told[id]['subject']}{id.int}" for id in told if id in taken]
        return Receipt(frozenset(taken), f"{len(self.heard)}-0")

    async def keeps(self, mark: str) -> bool:
        if self.down:
            raise BusUnavailable
        return self.has

    async def check(self) -> str:
        return "played"

    async def close(self) -> None:
        return


@dataclass
class Notes:
    """A journal that remembers."""

    counts: list[tuple[str, int]] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    backlogs: list[Backlog] = field(default_factory=list)

    def published(self, count: int) -> None:
        self.counts.append(("published", count))

    def refused(self, count: int) -> None:
        self.counts.append(("refused", count))

    def refilled(self, count: int) -> None:
        self.counts.append(("refilled", count))

    def waited(self, backlog: Backlog) -> None:
        self.backlogs.append(backlog)

    def troubled(self, what: str, error: BaseException) -> None:
        self.troubles.append(what)


class Stage:
    """A publisher and everything around it, under a clock that is moved by hand."""

    def __init__(self, chunk: int = 10) -> None:
        self.now_s = 0.0
        self.queue, self.bus, self.notes = Kept(), Played(), Notes()
        self.publish = Publisher(
            self.queue,
            self.bus,
            self.notes,
            "https://x",
            "me",
            PublishPolicy(chunk=chunk),
            monotonic=lambda: self.now_s,
        )


async def test_events_of_different_things_go_together_and_those_of_one_after_another() -> None:
    stage = Stage()
    stage.queue.add("a", "b", "a", "c", "a")
    assert not await stage.publish()
    assert stage.bus.waves == [3, 1, 1]
    assert stage.bus.heard == ["a1", "b2", "c4", "a3", "a5"]
    assert (stage.queue.events, stage.queue.kept_mark) == ([], "5-0")
    assert stage.notes.counts == [("published", 5)]


async def test_a_full_batch_asks_for_another_turn_at_once() -> None:
    stage = Stage(chunk=2)
    stage.queue.add("a", "b", "c")
    assert await stage.publish()
    assert not await stage.publish()
    assert len(stage.bus.heard) == 3


async def test_what_is_refused_holds_back_the_rest_of_its_thing_and_nothing_else() -> None:
    stage = Stage()
    stage.queue.add("a", "b", "a", "b")
    stage.bus.refuses = {"a"}
    assert not await stage.publish()
    assert stage.bus.heard == ["b2", "b4"]
    assert stage.notes.counts == [("published", 2), ("refused", 2)]
    stage.bus.refuses = set()
    stage.now_s += 60
    assert not await stage.publish()
    assert stage.bus.heard == ["b2", "b4", "a1", "a3"]


async def test_where_everything_left_is_held_back_nothing_more_is_sent() -> None:
    stage = Stage()
    stage.queue.add("a", "a", "a")
    stage.bus.refuses = {"a"}
    await stage.publish()
    assert stage.bus.waves == [1]


async def test_a_bus_that_is_down_keeps_everything_and_is_asked_ever_more_seldom() -> None:
    stage = Stage()
    stage.queue.add("a", "b")
    stage.bus.down = True
    for _ in range(600):
        assert not await stage.publish()
        stage.now_s += 0.1
    assert 5 <= len(stage.notes.troubles) <= 12
    assert len(stage.queue.events) == 2
    stage.bus.down = False
    stage.now_s += 20
    assert not await stage.publish()
    assert stage.bus.heard == ["a1", "b2"]


async def test_what_went_before_the_bus_failed_is_not_sent_again() -> None:
    stage = Stage()
    stage.queue.add("a", "a")
    taking = stage.bus.publish

    async def once(messages: Sequence[Message]) -> Receipt:
        receipt = await taking(messages)
        stage.bus.down = True
        return receipt

    stage.bus.publish = once  # type: ignore[method-assign]
    await stage.publish()
    assert [one.position for one in stage.queue.events] == [2]
    assert stage.notes.troubles == ["publishing events"]


async def test_while_another_has_the_queue_nothing_is_sent() -> None:
    stage = Stage()
    stage.queue.add("a")
    stage.queue.holder = "other"
    assert not await stage.publish()
    assert stage.bus.heard == []


async def test_an_idle_publisher_looks_now_and_then_whether_the_bus_lost_something() -> None:
    stage = Stage()
    stage.queue.add("a")
    await stage.publish()
    stage.bus.has = False
    assert not await stage.publish()
    stage.now_s += 6
    assert not await stage.publish()
    assert stage.queue.refilled == 1
    assert stage.bus.heard[1:] == ["again1"]
    assert ("refilled", 1) in stage.notes.counts


async def test_a_refill_that_found_nothing_is_not_told() -> None:
    stage = Stage()
    stage.queue.kept_mark, stage.bus.has = "1-0", False

    async def none(limit: int) -> int:
        return 0

    stage.queue.refill = none  # type: ignore[method-assign]
    assert not await stage.publish()
    assert [one for one in stage.notes.counts if one[0] == "refilled"] == []
    assert (stage.queue.kept_mark, stage.queue.holder) == ("", "")


async def test_a_bus_that_cannot_be_looked_at_gives_the_queue_back() -> None:
    stage = Stage()
    stage.queue.kept_mark, stage.bus.down = "1-0", True
    stage.queue.add("a")
    assert not await stage.publish()
    assert (stage.queue.holder, stage.queue.kept_mark) == ("", "1-0")


async def test_no_wave_is_begun_that_might_end_after_the_lease() -> None:
    stage = Stage()
    stage.queue.add("a", "a", "a")
    taking = stage.bus.publish

    async def slowly(messages: Sequence[Message]) -> Receipt:
        stage.now_s += 10
        return await taking(messages)

    stage.bus.publish = slowly  # type: ignore[method-assign]
    assert await stage.publish()
    assert stage.bus.heard == ["a1", "a2"]
    assert not await stage.publish()
    assert stage.bus.heard == ["a1", "a2", "a3"]


async def test_the_backlog_is_told_now_and_then_even_while_the_bus_is_down() -> None:
    stage = Stage()
    stage.queue.add("a")
    stage.bus.down = True
    for _ in range(120):
        await stage.publish()
        stage.now_s += 0.1
    assert [one.waiting for one in stage.notes.backlogs] == [1, 1, 1]


async def test_the_mark_of_a_bus_that_gives_none_stays_as_it_was() -> None:
    stage = Stage()
    stage.queue.kept_mark = "7-7"
    stage.queue.add("a")
    taking = stage.bus.publish

    async def unmarked(messages: Sequence[Message]) -> Receipt:
        return replace(await taking(messages), mark="")

    stage.bus.publish = unmarked  # type: ignore[method-assign]
    await stage.publish()
    assert stage.queue.kept_mark == "7-7"
