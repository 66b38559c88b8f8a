"""Words of texts written in this process, for whoever reads them here."""

import asyncio
from uuid import uuid4

import pytest

from opora.adapters.memory.live_texts import MemoryLiveTexts
from opora.core.generation.model.texts import Place, Words

pytestmark = pytest.mark.anyio
ID = uuid4()


async def test_words_are_given_from_a_place_on_and_whole_to_readers_of_another_call() -> None:
    live = MemoryLiveTexts()
    assert live.words(ID, Place()) is None
    live.begin(ID, 2)
    live.say(ID, "one")
    live.say(ID, " two")
    assert live.words(ID, Place(2, 3)) == Words(2, 3, " two")
    assert live.words(ID, Place(1, 3)) == Words(2, 0, "one two")
    assert live.words(ID, Place(2, 30)) == Words(2, 0, "one two")
    live.end(ID)
    live.say(ID, "late")
    assert live.words(ID, Place()) is None


async def test_readers_wake_by_words_by_another_call_and_by_the_end() -> None:
    live = MemoryLiveTexts()
    live.begin(ID, 1)
    for act in (lambda: live.say(ID, "x"), lambda: live.begin(ID, 2), lambda: live.end(ID)):
        place = Place(1, len(words.text)) if (words := live.words(ID, Place())) else Place()
        reading = asyncio.create_task(live.more(ID, place, 30))
        await asyncio.sleep(0)
        act()
        assert await reading


async def test_who_waits_too_long_is_told_so_and_forgotten() -> None:
    live = MemoryLiveTexts()
    live.begin(ID, 1)
    assert not await live.more(ID, Place(1, 0), 0.01)
    assert not await live.more(ID, Place(0, 0), 0.01)
    await live.ended(ID, 0.01)
    assert (live._for_more, live._for_end) == ({}, {})
    live.say(ID, "x")
    assert await live.more(ID, Place(1, 0), 30)
    assert await live.more(ID, Place(0, 0), 30)
    assert await live.more(ID, Place(2, 1), 30)


async def test_the_end_wakes_all_who_wait_for_it() -> None:
    live = MemoryLiveTexts()
    waiting = [asyncio.create_task(live.ended(ID, 30)) for _ in range(3)]
    await asyncio.sleep(0)
    live.end(ID)
    await asyncio.gather(*waiting)
