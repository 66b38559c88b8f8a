"""The waitlist: who is told, in order, when a time frees."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

from opora.core.kernel.model import Moves

ENTRIES_MAX = 20
LOOKED_AT_MAX = 50


class WaitStatus(StrEnum):
    """Where somebody on the waitlist stands."""

    WAITING = "waiting"
    OFFERED = "offered"
    TAKEN = "taken"
    LAPSED = "lapsed"
    WITHDRAWN = "withdrawn"


WAIT_MOVES = Moves(
    {
        WaitStatus.WAITING: frozenset({WaitStatus.OFFERED, WaitStatus.WITHDRAWN, WaitStatus.LAPSED}),
        WaitStatus.OFFERED: frozenset({WaitStatus.TAKEN, WaitStatus.LAPSED, WaitStatus.WITHDRAWN}),
        WaitStatus.TAKEN: frozenset(),
        WaitStatus.LAPSED: frozenset(),
        WaitStatus.WITHDRAWN: frozenset(),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A client who waits for a service within a span; `hold_id` is the time offered to them."""

    id: int
    client_id: int
    service_id: int
    staff_id: int | None = None
    starts_from: datetime
    starts_before: datetime
    status: WaitStatus = WaitStatus.WAITING
    hold_id: int | None = None
    created_at: datetime
    version: int = 1

    def offer(self, hold_id: int) -> Self:
        """Return it with a time offered."""
        return replace(self._move(WaitStatus.OFFERED), hold_id=hold_id)

    def take(self) -> Self:
        """Return it served."""
        return self._move(WaitStatus.TAKEN)

    def lapse(self) -> Self:
        """Return it past its offer or its span."""
        return self._move(WaitStatus.LAPSED)

    def withdraw(self) -> Self:
        """Return it taken off the list."""
        return self._move(WaitStatus.WITHDRAWN)

    def _move(self, status: WaitStatus) -> Self:
        WAIT_MOVES.check(self.status, status)
        return replace(self, status=status, version=self.version + 1)


@dataclass(frozen=True, slots=True)
class Freed:
    """A span of somebody's time that became free, in minutes since the epoch."""

    staff_id: int
    from_min: int
    until_min: int
