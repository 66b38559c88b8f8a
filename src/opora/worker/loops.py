"""Small things done again and again beside the jobs: relaying events, sealing the audit log, keeping time."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from opora.core.jobs import rules
from opora.core.jobs.model import CronSlot
from opora.core.jobs.ports import JobTx
from opora.core.kernel.errors import Unavailable
from opora.core.kernel.ports import Clock, UnitOfWork
from opora.worker.engine import Journal


@dataclass(slots=True)
class Loop:
    """An action done every `every_s`, sooner when woken, and again at once while it says that more is left."""

    name: str
    every_s: float
    action: Callable[[], Awaitable[bool]]
    journal: Journal
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    def wake(self) -> None:
        """Do it now."""
        self._wake.set()

    async def run(self) -> None:
        """Go on until cancelled; a store that does not answer is asked again at the next turn."""
        while True:
            self._wake.clear()
            more = False
            try:
                more = await self.action()
            except Unavailable as error:
                self.journal.troubled(self.name, error)
            except Exception as error:  # one turn's fault must not end the loop
                self.journal.troubled(self.name, error)
            if not more:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), self.every_s)


@dataclass(slots=True)
class Timekeeper:
    """Adds each cron slot's job once, however many processes keep time: the slot's dedup key makes it one."""

    unit: UnitOfWork[JobTx]
    clock: Clock
    slots: Sequence[CronSlot]
    _done: dict[str, object] = field(default_factory=dict)

    async def __call__(self) -> bool:
        """Add the jobs of the slots that began since the last call."""
        now = self.clock.now()
        starts = {slot.name: rules.slot_start(slot, now) for slot in self.slots}
        begun = [slot for slot in self.slots if self._done.get(slot.name) != starts[slot.name]]
        if begun:
            async with self.unit() as tx:
                for slot in begun:
                    await tx.jobs.add(rules.slot_job(slot, starts[slot.name]))
            self._done.update({slot.name: starts[slot.name] for slot in begun})
        return False
