"""The hub tells every reader each entry once and in order, and holds up nobody for one who is slow."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

import pytest

from opora.adapters.memory.live import LocalLive
from opora.adapters.redis.connection import RedisConnection
from opora.adapters.redis.live import RedisLive
from opora.api import live
from opora.api.live import LiveHub, Reader, TooManyReaders
from opora.api.problems import problem
from opora.core.kernel.model import Page, PageRequest
from opora.core.notifications.model.inbox import Entry, EntryFilter
from opora.core.notifications.model.letters import Recipient
from opora.core.notifications.ports.people import InboxViews, Recipients

pytestmark = pytest.mark.anyio

NOW = datetime(2030, 1, 1, tzinfo=UTC)
ANNA, BOB = 3, 4


class Lists(InboxViews, Recipients):
    """Lists kept in memory, of people who may lapse."""

    def __init__(self) -> None:
        self.last: dict[int, int] = {}
        self.gone: set[int] = set()
        self.broken = False
        self.asked = 0

    def grow(self, user_id: int, count: int = 1) -> None:
        self.last[user_id] = self.last.get(user_id, 0) + count

    async def heads(self, user_ids: Collection[int]) -> Mapping[int, int]:
        if self.broken:
            raise OSError
        return {one: self.last.get(one, 0) for one in user_ids}

    async def after(self, numbers: Mapping[int, int], limit: int) -> Sequence[Entry]:
        self.asked += 1
        if self.broken:
            raise OSError
        found = [
            Entry(
                user_id=user_id, number=number, notice_id=UUID(int=number), kind="x", title="", text="", data={},
                created_at=NOW,
            )
            for user_id, after in sorted(numbers.items())
            for number in range(after + 1, self.last.get(user_id, 0) + 1)
        ]  # fmt: skip
        return found[:limit]

    async def lapsed(self, since: Mapping[int, datetime]) -> frozenset[int]:
        return frozenset(self.gone & since.keys())

    async def page(self, wanted: EntryFilter, request: PageRequest) -> Page[Entry]:
        raise NotImplementedError

    async def one(self, user_id: int, number: int = 0) -> Entry | Recipient | None:  # type: ignore[override]
        raise NotImplementedError

    async def unread(self, user_id: int) -> int:
        raise NotImplementedError


@pytest.fixture
def lists() -> Lists:
    return Lists()


@pytest.fixture
def news() -> LocalLive:
    return LocalLive()


@pytest.fixture
async def hub(anyio_backend: str, lists: Lists, news: LocalLive) -> AsyncIterator[LiveHub]:
    hub = LiveHub(lists, lists, news, lambda entry: f"{entry.user_id}:{entry.number}")
    yield hub
    for readers in tuple(hub._readers.values()):
        for reader in tuple(readers):
            hub.close(reader)


async def read(reader: Reader, count: int) -> list[int]:
    """Take that many entries."""
    found: list[int] = []
    async with asyncio.timeout(5):
        while len(found) < count:
            found += [told.number for told in await reader.take(1.0)]
    return found


async def test_every_reader_gets_each_entry_once_and_in_order(hub: LiveHub, lists: Lists, news: LocalLive) -> None:
    readers = [await hub.open(ANNA, NOW, None) for _ in range(3)] + [await hub.open(BOB, NOW, None)]
    for _ in range(20):
        lists.grow(ANNA)
        await news.announce([ANNA])
        await asyncio.sleep(0)
    for reader in readers[:3]:
        assert await read(reader, 20) == list(range(1, 21))
    assert await readers[3].take(0.05) == []
    assert lists.asked < 10


async def test_what_was_not_announced_is_found_by_looking(hub: LiveHub, lists: Lists) -> None:
    reader = await hub.open(ANNA, NOW, None)
    lists.grow(ANNA)
    assert await read(reader, 1) == [1]


@pytest.mark.parametrize(("after", "expected"), [(None, [6]), (0, [1, 2, 3, 4, 5, 6]), (3, [4, 5, 6]), (10**18, [6])])
async def test_a_reader_begins_after_what_it_has_read(
    hub: LiveHub, lists: Lists, news: LocalLive, after: int | None, expected: list[int]
) -> None:
    lists.grow(ANNA, 5)
    reader = await hub.open(ANNA, NOW, after)
    await hub.open(ANNA, NOW, 2)
    lists.grow(ANNA)
    await news.announce([ANNA])
    assert await read(reader, len(expected)) == expected


async def test_a_long_absence_is_made_up_for_in_parts(
    hub: LiveHub, lists: Lists, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "ENTRIES_AT_ONCE", 70)
    lists.grow(ANNA, 450)
    reader = await hub.open(ANNA, NOW, 0)
    assert await read(reader, 450) == list(range(1, 451))


async def test_a_slow_reader_is_dropped_and_nobody_waits_for_it(
    hub: LiveHub, lists: Lists, news: LocalLive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "SLOW_S", 0.2)
    slow, quick = await hub.open(ANNA, NOW, None), await hub.open(ANNA, NOW, None)
    lists.grow(ANNA, live.WAITING_MAX + 50)
    await news.announce([ANNA])
    assert len(await read(quick, live.WAITING_MAX + 50)) == live.WAITING_MAX + 50
    async with asyncio.timeout(5):
        while not slow.end:  # noqa: ASYNC110  # it says nothing when it ends
            await asyncio.sleep(0.05)
    assert (slow.end, quick.end) == ("slow", "")
    assert len(slow._waiting) == live.WAITING_MAX


async def test_who_lapsed_is_ended_and_others_are_not(
    hub: LiveHub, lists: Lists, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "STANDING_S", 0.0)
    anna, bob = await hub.open(ANNA, NOW, None), await hub.open(BOB, NOW, None)
    lists.gone.add(ANNA)
    assert await anna.take(5.0) == []
    assert (anna.end, bob.end) == ("lapsed", "")


async def test_a_store_that_is_away_costs_time_and_no_entry(hub: LiveHub, lists: Lists, news: LocalLive) -> None:
    reader = await hub.open(ANNA, NOW, None)
    lists.grow(ANNA)
    lists.broken = True
    await news.announce([ANNA])
    assert await reader.take(0.7) == []
    lists.broken = False
    assert await read(reader, 1) == [1]


async def test_there_are_no_more_readers_than_there_may_be(hub: LiveHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "READERS_OF_ONE_MAX", 2)
    first = await hub.open(ANNA, NOW, None)
    await hub.open(ANNA, NOW, None)
    with pytest.raises(TooManyReaders) as refused:
        await hub.open(ANNA, NOW, None)
    told = problem(refused.value)
    assert (told.members["limit"], told.members["remaining"]) == (2, 0)
    assert datetime.fromisoformat(str(told.members["reset_at"])).tzinfo is not None
    assert dict(told.headers)[b"x-ratelimit-limit"] == b"2"
    hub.close(first)
    hub.close(first)
    await hub.open(ANNA, NOW, None)
    monkeypatch.setattr(live, "READERS_MAX", 2)
    with pytest.raises(TooManyReaders):
        await hub.open(BOB, NOW, None)


async def test_without_readers_nothing_is_looked_for(hub: LiveHub, lists: Lists, news: LocalLive) -> None:
    reader = await hub.open(ANNA, NOW, None)
    hub.close(reader)
    asked = lists.asked
    lists.grow(ANNA)
    await news.announce([ANNA])
    await asyncio.sleep(0.05)
    assert (lists.asked, hub._running) == (asked, None)


async def test_news_crosses_processes_through_redis(redis_url: str) -> None:
    connections = [RedisConnection(redis_url, timeout_s=1.0) for _ in range(2)]
    here, there = [RedisLive(one, redis_url, "test:live") for one in connections]
    heard: list[int] = []
    listening: Callable[[Collection[int]], None] = heard.extend
    there.listen(listening)
    async with asyncio.timeout(5):
        while not heard:
            await here.announce([ANNA, BOB])
            await asyncio.sleep(0.02)
    assert heard[:2] == [ANNA, BOB]
    for one in (here, there, *connections):
        await one.close()


async def test_redis_that_is_away_costs_no_notice() -> None:
    gone = RedisConnection("redis://127.0.0.1:9", timeout_s=0.2)
    await RedisLive(gone, "redis://127.0.0.1:9", "x").announce([ANNA])
    await gone.close()
