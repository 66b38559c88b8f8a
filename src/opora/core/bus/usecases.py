"""What an operator can do about the event bus."""

from dataclasses import dataclass
from datetime import datetime

from opora.core.bus.ports import BusQueue, BusTx
from opora.core.kernel.model import Actor, Change
from opora.core.kernel.ports import Clock, UnitOfWork
from opora.core.kernel.rules import instant


@dataclass(frozen=True, slots=True)
class RepublishEvents:
    """Send events once more, for a listener that came late or lost what it had."""

    queue: BusQueue
    unit: UnitOfWork[BusTx]
    clock: Clock

    async def __call__(self, actor: Actor, since: datetime, topic: str | None = None) -> int:
        """Queue every event kept since then, of one topic or of all; returns how many. The wish is recorded first."""
        async with self.unit() as tx:
            await tx.audit.record(
                Change(
                    actor=actor,
                    action="events.republished",
                    entity_type="event_bus",
                    entity_id=topic or "all",
                    at=self.clock.now(),
                    new={"since": instant(since)},
                )
            )
        return await self.queue.again(since, topic)


USE_CASES = (RepublishEvents,)
