"""What every context needs from the outside."""

from abc import ABC, abstractmethod
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol
from uuid import UUID

from opora.core.kernel.events import Event


class Clock(ABC):
    """Time, as the program is told it."""

    @abstractmethod
    def now(self) -> datetime:
        """Return this instant in UTC."""


class Identifiers(ABC):
    """Names for things that run in the background."""

    @abstractmethod
    def task_id(self) -> UUID:
        """Return a UUIDv7 (RFC 9562) that no call returned before; later ones sort after earlier ones."""


class Randomness(ABC):
    """Unpredictable bytes."""

    @abstractmethod
    def token_bytes(self, count: int) -> bytes:
        """Return `count` bytes fit for secrets."""

    @abstractmethod
    def fraction(self) -> float:
        """Return a number in [0, 1) for jitter; not for secrets."""


class Outbox(ABC):
    """Events that leave with the transaction that caused them."""

    @abstractmethod
    async def add(self, event: Event) -> None:
        """Keep the event with the change that caused it; each subscriber gets one job after the commit."""


class UnitOfWork[Tx](Protocol):
    """One durable transaction: `async with unit() as tx`.

    Commits when the block is left normally, rolls back on any exception, and never nests. What the commit made
    runnable is announced after it.
    """

    def __call__(self) -> AbstractAsyncContextManager[Tx]:
        """Open the transaction."""
        ...
