"""Who takes the money."""

from abc import ABC, abstractmethod
from collections.abc import Collection

from opora.core.billing.model.payments import (
    Heard,
    Order,
    PaymentStatus,
    RefundOrder,
    RefundSnapshot,
    Snapshot,
    ToConfirm,
    WebhookCall,
)


class PaymentProvider(ABC):
    """A payment provider. Every call may be repeated under its key and makes one thing.

    ProviderRefused means that nothing was made, ProviderUnavailable that nobody knows.
    """

    name: str
    """A lower-case word that payments are kept under; it never changes."""
    currencies: Collection[str] | None = None
    """The codes that it takes; None is every one."""

    @abstractmethod
    async def place(self, order: Order) -> Snapshot:
        """Ask for a payment and return it, pending, with the address where the person confirms it.

        Raises ProviderRefused, ProviderUnavailable. Under a key that it knows it returns the first payment as it
        stands now.
        """

    @abstractmethod
    async def fetch(self, ref: str) -> Snapshot | None:
        """Return a payment as it stands, with every refund; None where there is none. Raises ProviderUnavailable."""

    @abstractmethod
    async def refund(self, order: RefundOrder) -> RefundSnapshot:
        """Give a part of a payment back. Raises ProviderRefused, ProviderUnavailable.

        Under a key that it knows it returns the first refund as it stands now.
        """

    @abstractmethod
    async def hear(self, call: WebhookCall) -> Heard:
        """Read a notice. Raises UnsignedNotice unless it is the provider's own and of now, InvalidNotice.

        Never raises anything else, whatever the bytes.
        """

    @abstractmethod
    async def check(self) -> str:
        """Return a word about what answers; changes nothing. Raises ProviderRefused, ProviderUnavailable."""

    @abstractmethod
    async def close(self) -> None:
        """Let every connection go."""


class ConfirmationDesk(ABC):
    """Where payments are confirmed that no outside provider confirms."""

    @abstractmethod
    async def read(self, token: str) -> ToConfirm:
        """Return what waits behind a token. Raises NoSuchConfirmation."""

    @abstractmethod
    async def decide(self, token: str, status: PaymentStatus) -> ToConfirm:
        """Pay or refuse, once: what was decided stays so, and is returned. Raises NoSuchConfirmation."""
