"""Virtual time: an event loop whose clock jumps to the next thing that is to happen."""

import asyncio
import selectors
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from opora.core.kernel.ports import Clock

BEGINNING = datetime(2030, 1, 1, tzinfo=UTC)


type Seconds = float


class Stuck(Exception):
    """Nothing is left that could happen: somebody waits for ever."""


class JumpingSelector(selectors.BaseSelector):
    """Waits for nothing outside: the time that the loop would sleep is simply added to the clock."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self._keys: dict[int, selectors.SelectorKey] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        number = fileobj if isinstance(fileobj, int) else fileobj.fileno()
        self._keys[number] = selectors.SelectorKey(fileobj, number, events, data)
        return self._keys[number]

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._keys.pop(fileobj if isinstance(fileobj, int) else fileobj.fileno())

    def select(self, timeout: Seconds | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Stuck
        self.now_s += max(timeout, 0.0)
        return []

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._keys


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop in virtual time: an hour of waiting takes no time at all."""

    def __init__(self) -> None:
        self._jumping = JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now_s


class StoreClock:
    """The machine's clock that every process of the simulation shares, as SQLite's does; it may be set wrong."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self.off_s = 0.0

    def __call__(self) -> datetime:
        return BEGINNING + timedelta(seconds=self._loop.time() + self.off_s)


class SkewedClock(Clock):
    """What one process takes for the time: off by a constant."""

    def __init__(self, store: StoreClock, skew_s: float) -> None:
        self._store = store
        self._skew = timedelta(seconds=skew_s)

    def now(self) -> datetime:
        return self._store() + self._skew
