"""One after another where everybody wants the same time."""

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

from opora.core.bookings.model.appointments import Appointment


@dataclass(slots=True, weakref_slot=True, eq=False)
class Door:
    """Where those wait who want one thing, and whose time was given away there."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    given: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Turn:
    """Somebody's turn at a door, at which `seen` givers were gone when they came."""

    door: Door
    seen: int

    @property
    def gone(self) -> frozenset[int]:
        """Return whose time was given away while this one waited."""
        return frozenset(self.door.given[self.seen :])

    def give(self, committed: Appointment) -> None:
        """Tell those who wait whose time is gone; where a session has room for more, they ask the store."""
        if committed.capacity == 1:
            self.door.given.append(committed.staff_id)


class Turns:
    """Lets those who want the same thing go one after another, in the order in which they came.

    It is this process alone that waits here, and nobody who waits holds a connection: between processes the store
    decides, as it would between all.
    """

    def __init__(self) -> None:
        self._doors: WeakValueDictionary[Hashable, Door] = WeakValueDictionary()

    @asynccontextmanager
    async def of(self, thing: Hashable) -> AsyncIterator[Turn]:
        """Give the block its turn."""
        door = self._doors.get(thing)
        if door is None:
            door = self._doors[thing] = Door()  # it goes with the last who stands there
        turn = Turn(door, len(door.given))
        async with door.lock:
            yield turn
