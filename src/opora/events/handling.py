"""One delivery: read, filtered, handled once, tried again a few times, and given up where nothing helps."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from opora.events.envelope import Event, NotAnEvent, wanted
from opora.events.inboxes import Inbox, Seen

type Handler = Callable[[Event, Any], Awaitable[None]]
"""What has the effect: is given the event and the inbox's open transaction (None from an inbox in memory)."""

LOG = logging.getLogger("opora.events")


class Verdict(Enum):
    """What became of a delivery."""

    DONE = "done"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Patience:
    """How often an event is tried before it goes to the dead letters, and how long the pauses grow.

    Those after it wait meanwhile, so that order is kept.
    """

    attempts: int = 5
    pause_s: float = 0.5
    pause_max_s: float = 30.0
    deliveries: int = 20
    """Deliveries of one message without an end, after which it is taken for what kills its consumer."""


@dataclass(slots=True)
class Reception:
    """Who listens, to what, and with which memory."""

    consumer: str
    handler: Handler
    inbox: Inbox
    topics: Sequence[str]
    patience: Patience = Patience()

    async def take(self, body: bytes) -> Verdict:
        """Deal with one delivery; raises nothing but cancellation."""
        try:
            event = Event.parse(body)
        except NotAnEvent as error:
            LOG.warning("a message is no event: %s", error)
            return Verdict.DEAD
        if not wanted(event.type, self.topics):
            return Verdict.DONE
        for attempt in range(1, self.patience.attempts + 1):
            try:
                async with self.inbox.receive(self.consumer, event.id) as transaction:
                    await self.handler(event, transaction)
            except Seen:
                LOG.debug("event %s came again", event.id)
            except Exception:  # whatever a handler raises may pass
                LOG.warning("event %s (%s) failed, attempt %d", event.id, event.type, attempt, exc_info=True)
                if attempt < self.patience.attempts:
                    pause_s = self.patience.pause_s * 2.0 ** (attempt - 1)
                    await asyncio.sleep(min(pause_s, self.patience.pause_max_s))
                continue
            return Verdict.DONE
        return Verdict.DEAD
