"""No bus at all: events stay in the house."""

from collections.abc import Sequence

from opora.core.bus.errors import BusUnavailable
from opora.core.bus.model import Message, Receipt
from opora.core.bus.ports import EventBus


class NoBus(EventBus):
    """Stands where no bus is set up; nothing is ever queued for it."""

    async def publish(self, messages: Sequence[Message]) -> Receipt:
        raise BusUnavailable(f"there is no event bus for {len(messages)} events")

    async def keeps(self, mark: str) -> bool:  # noqa: ARG002  # nothing was taken, so nothing was lost
        return True

    async def check(self) -> str:
        return "none: events stay in the house"

    async def close(self) -> None:
        return
