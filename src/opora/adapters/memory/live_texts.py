"""What is being written in this process, for whoever reads it here."""

import asyncio
from dataclasses import dataclass
from uuid import UUID

from opora.core.generation.model.texts import Place, Words
from opora.core.generation.ports.texts import LiveTexts


@dataclass(slots=True)
class Written:
    """The words so far of the call that counts."""

    attempt: int
    content: str = ""


class MemoryLiveTexts(LiveTexts):
    """Words in memory, and those who wait for more of them."""

    def __init__(self) -> None:
        self._written: dict[UUID, Written] = {}
        self._for_more: dict[UUID, set[asyncio.Future[bool]]] = {}
        self._for_end: dict[UUID, set[asyncio.Future[bool]]] = {}

    def begin(self, id: UUID, attempt: int) -> None:
        self._written[id] = Written(attempt)
        wake(self._for_more, id)

    def say(self, id: UUID, text: str) -> None:
        found = self._written.get(id)
        if found is not None:  # else it was cancelled this moment
            found.content += text
            wake(self._for_more, id)

    def end(self, id: UUID) -> None:
        self._written.pop(id, None)
        wake(self._for_more, id)
        wake(self._for_end, id)

    def words(self, id: UUID, place: Place) -> Words | None:
        found = self._written.get(id)
        if found is None:
            return None
        if found.attempt == place.attempt and place.offset <= len(found.content):
            return Words(found.attempt, place.offset, found.content[place.offset :])
        return Words(found.attempt, 0, found.content)

    async def more(self, id: UUID, place: Place, timeout_s: float) -> bool:
        found = self._written.get(id)
        if found is not None and has_more(found, place):
            return True
        return await waited(self._for_more, id, timeout_s)

    async def ended(self, id: UUID, timeout_s: float) -> None:
        await waited(self._for_end, id, timeout_s)


def has_more(found: Written, place: Place) -> bool:
    """Tell whether somebody at a place lacks words, or has some that do not count any more."""
    if found.attempt == place.attempt:
        return len(found.content) > place.offset
    return bool(found.content) or place.offset > 0


def wake(waiting: dict[UUID, set[asyncio.Future[bool]]], id: UUID) -> None:
    """Wake all who wait for this text."""
    for one in waiting.pop(id, ()):
        if not one.done():
            one.set_result(True)


async def waited(waiting: dict[UUID, set[asyncio.Future[bool]]], id: UUID, timeout_s: float) -> bool:
    """Wait to be woken; tell whether that came before the time was over."""
    own: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    waiting.setdefault(id, set()).add(own)
    try:
        async with asyncio.timeout(timeout_s):
            return await own
    except TimeoutError:
        return False
    finally:
        others = waiting.get(id)
        if others is not None:
            others.discard(own)
            if not others:
                del waiting[id]
