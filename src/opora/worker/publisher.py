"""Takes committed events to the bus: in batches, in order, and never while rows are held."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from opora.core.bus.errors import BusUnavailable
from opora.core.bus.model import Backlog, Batch, WaitingEvent
from opora.core.bus.ports import BusQueue, EventBus
from opora.core.bus.rules.envelopes import aggregate, message_of, waves
from opora.core.kernel import rules
from opora.core.kernel.model import Breaker, BreakerPolicy

BREAKER = BreakerPolicy(failures_max=1, open_s=0.5, open_max_s=15.0)


class BusJournal(Protocol):
    """Who is told what becomes of events."""

    def published(self, count: int) -> None:
        """The bus has taken so many."""
        ...

    def refused(self, count: int) -> None:
        """The bus did not confirm so many; they are sent again."""
        ...

    def refilled(self, count: int) -> None:
        """The bus had lost what it took; so many are sent again."""
        ...

    def waited(self, backlog: Backlog) -> None:
        """So much waits now."""
        ...

    def troubled(self, what: str, error: BaseException) -> None:
        """The bus does not answer; it is tried again after a pause."""
        ...


@dataclass(frozen=True, slots=True)
class PublishPolicy:
    """How much goes at once, for how long one publisher has the queue, and what a bus that was emptied gets again."""

    chunk: int = 500
    lease_s: float = 30.0
    look_s: float = 5.0
    refill_max: int = 100_000


@dataclass(slots=True)
class Publisher:
    """One turn of publishing. Of several processes one at a time has the queue; a second would only double."""

    queue: BusQueue
    bus: EventBus
    journal: BusJournal
    source: str
    holder: str
    policy: PublishPolicy = PublishPolicy()
    monotonic: Callable[[], float] = time.monotonic
    _breaker: Breaker = field(default_factory=lambda: Breaker(BREAKER))
    _looked_s: float = float("-inf")
    _told_s: float = float("-inf")

    async def __call__(self) -> bool:
        """Send what waits, as far as one batch goes; tells whether more is left that may go now."""
        now_s = self.monotonic()
        if now_s - self._told_s >= self.policy.look_s:
            self._told_s = now_s
            self.journal.waited(await self.queue.backlog())
        if rules.breaker_wait_s(self._breaker, now_s):
            return False
        idle = await self.queue.is_empty()
        if idle and now_s - self._looked_s < self.policy.look_s:
            return False
        self._breaker = rules.breaker_begun(self._breaker, now_s)
        try:
            more = await self._turn(idle)
        except BusUnavailable as error:
            self.journal.troubled("publishing events", error)
            self._breaker = rules.breaker_failed(self._breaker, self.monotonic())
            return False
        self._breaker = rules.breaker_succeeded(self._breaker)
        return more

    async def _turn(self, idle: bool) -> bool:
        """Take the queue, see that the bus still has what it took, and send what waits."""
        self._looked_s = self.monotonic()
        if idle and not await self.queue.mark():
            return False
        batch = await self.queue.take(self.holder, self.policy.chunk, self.policy.lease_s)
        if batch is not None and batch.mark:
            batch = await self._looked(batch)
        return batch is not None and await self._send(batch)

    async def _looked(self, batch: Batch) -> Batch | None:
        """Return the batch, with what the bus has lost before it.

        The bus is looked at under the lease: nobody else publishes meanwhile and so hides what is missing.
        """
        try:
            kept = await self.bus.keeps(batch.mark)
        except BusUnavailable:
            await self.queue.gone(self.holder, (), batch.mark)
            raise
        if kept:
            return batch
        count = await self.queue.refill(self.policy.refill_max)
        if count:
            self.journal.refilled(count)
        again = await self.queue.take(self.holder, self.policy.chunk, self.policy.lease_s)
        return again and replace(again, mark="")

    async def _send(self, batch: Batch) -> bool:
        """Send a batch wave by wave; what is not taken holds back the later events of its aggregate.

        After half of the lease no further wave is begun, so that what was sent can be marked while the lease holds.
        """
        taken: list[int] = []
        held = set()
        mark = batch.mark
        until_s = self._looked_s + self.policy.lease_s / 2
        try:
            for wave in waves(batch.events):
                going = [event for event in wave if aggregate(event) not in held]
                if not going:
                    continue
                if self.monotonic() > until_s:
                    return True
                gone, mark = await self._publish(going, mark)
                taken += [event.position for event in gone]
                left = {event.position for event in going} - set(taken)
                held |= {aggregate(event) for event in going if event.position in left}
        finally:
            self.journal.published(len(taken))
            await self.queue.gone(self.holder, taken, mark)
        if len(taken) == len(batch.events):
            return len(taken) == self.policy.chunk
        self.journal.refused(len(batch.events) - len(taken))
        raise BusUnavailable("the bus did not take every event")

    async def _publish(self, events: Sequence[WaitingEvent], mark: str) -> tuple[list[WaitingEvent], str]:
        receipt = await self.bus.publish([message_of(event, self.source) for event in events])
        return [event for event in events if event.id in receipt.taken], receipt.mark or mark
