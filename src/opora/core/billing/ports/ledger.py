"""Where the ledger is kept."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from opora.core.billing.model.ledger import AccountName, Balance, Hold, Line, Recount, Transfer
from opora.core.kernel.model import Page, PageRequest


class Ledger(ABC):
    """Transfers and holds inside a transaction.

    The store itself holds that a transfer's entries sum to zero in each currency, that none is changed or removed,
    that a balance is the sum of its entries and no part of it is spent or held twice, whoever writes and however many
    at a time.
    """

    @abstractmethod
    async def post(self, transfer: Transfer) -> bool:
        """Post a transfer, opening accounts that are not there yet; False where its key was posted before.

        Raises BalanceTooLow, having written nothing, so that the transaction may go on; TransferReused where the
        key was posted with other postings. Waits for whoever is moving money of the same people.
        """

    @abstractmethod
    async def posted(self, key: str) -> Transfer | None:
        """Return the transfer of a key."""

    @abstractmethod
    async def balance(self, account: AccountName, currency: str) -> Balance:
        """Return a person's balance, locked against change until the transaction ends; zeros where there is none."""

    @abstractmethod
    async def add_hold(self, hold: Hold) -> Hold:
        """Set an amount aside and return the hold; one of the same key that is there is returned instead.

        Raises BalanceTooLow, having written nothing.
        """

    @abstractmethod
    async def hold(self, key: str) -> Hold | None:
        """Return a hold, locked against change until the transaction ends."""

    @abstractmethod
    async def resolve_hold(self, hold: Hold) -> None:
        """Write how a pending hold was resolved; raises Stale where it was resolved before."""

    @abstractmethod
    async def expired_holds(self, now: datetime, limit: int) -> Sequence[str]:
        """Return the keys of pending holds whose time is over, the oldest first."""


class LedgerViews(ABC):
    """The ledger as people and operators read it."""

    @abstractmethod
    async def balance(self, user_id: int, currency: str) -> Balance:
        """Return somebody's balance; zeros where nothing was ever posted."""

    @abstractmethod
    async def history(self, user_id: int, currency: str | None, request: PageRequest) -> Page[Line]:
        """Return what moved somebody's balance, the newest first, by cursor; None is every currency."""

    @abstractmethod
    async def recount(self) -> Recount:
        """Add every entry and hold up anew and name what differs from what is kept."""


class LedgerTx(Protocol):
    """What a transaction over the ledger shows."""

    @property
    def ledger(self) -> Ledger: ...
