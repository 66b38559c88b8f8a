"""The bank's own system (ABS), as documents need it."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from opora.core.documents.model.packets import BadReceipt, Consignment, Receipt
from opora.core.documents.model.reconciliation import Register

type Content = Callable[[int], Awaitable[AsyncIterator[bytes]]]
"""Opens the file of a consignment from a byte on; it may be opened several times."""


class CoreBanking(ABC):
    """The bank's system on the other side. Every call ends in bounded time.

    Raises CoreBankingUnavailable where it does not answer or says it is busy, and CoreBankingRefused where it will
    never take what it was given. After either nobody may rely on whether the call had its effect: repeating it is safe.
    """

    @abstractmethod
    async def submit(self, consignment: Consignment, content: Content | None) -> str | None:
        """Hand a packet over, with its file where it has one, and return the bank's reference where it is known yet.

        The same key any number of times is one packet, and has one reference. What the bank rejected by a receipt may
        be handed over again under its key, and is then judged anew, by a receipt of another id. A version older than
        what the bank holds of a document changes nothing there. The file arrives whole, as its digest says, or not at
        all; memory does not grow with its size.
        """

    @abstractmethod
    async def receipts(self, limit: int) -> Sequence[Receipt | BadReceipt]:
        """Return up to `limit` receipts that were neither settled nor quarantined, the oldest first.

        The same ones are returned again until they are: a crash before `settle` loses none. What cannot be read is
        a BadReceipt, and holds up no other.
        """

    @abstractmethod
    async def settle(self, ids: Sequence[str]) -> None:
        """Put away receipts that were dealt with; ids that are not there, any more or at all, are passed over."""

    @abstractmethod
    async def quarantine(self, id: str, reason: str) -> None:
        """Put a receipt aside where a person can look at it, with the reason; passed over like in `settle`."""

    @abstractmethod
    async def register(self) -> Register:
        """Return everything the bank holds of ours, in the order of the documents' ids, as a stream.

        Memory does not grow with its length.
        """

    @abstractmethod
    async def check(self) -> str:
        """Return, in a few words, what answers there; changes nothing."""

    async def close(self) -> None:
        """Let go of what the adapter holds open."""
        return
