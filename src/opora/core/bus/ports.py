"""What publishing needs: the bus itself, and the rows that wait for it."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from opora.core.bus.model import Backlog, Batch, Message, Receipt
from opora.core.kernel.ports import AuditTrail


class EventBus(ABC):
    """Where those outside hear of events: each at least once, under an id that stays."""

    @abstractmethod
    async def publish(self, messages: Sequence[Message]) -> Receipt:
        """Hand messages over, all of them under way at once, and tell which were taken for good.

        Raises BusUnavailable where the bus cannot be reached at all. It waits for a bounded time only; what is not
        among the taken may have been taken nevertheless and is sent again under the same id.
        """

    @abstractmethod
    async def keeps(self, mark: str) -> bool:
        """Tell whether the bus still has what it said `mark` of; False where it was emptied or fell back since."""

    @abstractmethod
    async def check(self) -> str:
        """Say in a few words which bus answers; raises BusUnavailable where none does."""

    @abstractmethod
    async def close(self) -> None:
        """Hang up."""


class BusQueue(ABC):
    """Events that wait for the bus, kept in the transaction of their cause. Each call is a transaction of its own."""

    @abstractmethod
    async def is_empty(self) -> bool:
        """Tell whether nothing waits, without writing."""

    @abstractmethod
    async def take(self, holder: str, limit: int, lease_s: float) -> Batch | None:
        """Lease the queue and return up to `limit` events in order; None while another publisher holds it.

        The lease ends by `gone`, or after `lease_s` by the store's clock. A holder that outlives its lease does no
        harm: what it sends is sent again, each time in order.
        """

    @abstractmethod
    async def gone(self, holder: str, positions: Collection[int], mark: str) -> None:
        """Note what the bus has taken, keep its mark, and end the lease; nothing is noted for who lost the lease."""

    @abstractmethod
    async def mark(self) -> str:
        """Return what the bus said of the last batch; empty where it said nothing yet."""

    @abstractmethod
    async def refill(self, limit: int) -> int:
        """Queue the newest `limit` events again that left and are still kept; returns how many.

        They go before what waits: the order in which they are given is always that of their commits.
        """

    @abstractmethod
    async def again(self, since: datetime, topic: str | None) -> int:
        """Queue the events again that left, happened since then and are still kept, of one topic or of all.

        Returns how many. As with `refill` the order stays that of their commits.
        """

    @abstractmethod
    async def backlog(self) -> Backlog:
        """Tell how much waits, and for how long."""


class BusTx(Protocol):
    """What asking for a repetition needs of a transaction."""

    @property
    def audit(self) -> AuditTrail: ...
