"""What every context needs from the outside."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol
from uuid import UUID

from opora.core.kernel.events import Event
from opora.core.kernel.model import ApiVersion, Blob, BlobName, Change, IdempotentCall, StoredAnswer


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
    async def add(self, *events: Event) -> None:
        """Keep events with the change that caused them; each subscriber of each gets one job after the commit."""


class AuditTrail(ABC):
    """The audit log, written in the transaction of the change it tells of."""

    @abstractmethod
    async def record(self, *changes: Change) -> None:
        """Keep an entry each, hashed; none can be altered or removed afterwards without the chain showing it."""


class IdempotentCalls(ABC):
    """One effect for any number of equal calls.

    Between `open` and `settle` the last unit of work of the same task does not commit on leaving: its transaction
    waits and is committed by `settle` together with the answer, so that effect and answer are kept or lost as one.
    """

    @abstractmethod
    async def open(self, call: IdempotentCall) -> "StoredAnswer | Started":
        """Claim the key, durably, or return the first call's answer.

        Raises IdempotencyKeyReused for another fingerprint, StillRunning while the first call holds its lease,
        AnswerLost where the first call had its effect in an earlier transaction and died before its answer.
        """

    @abstractmethod
    async def commit(self) -> None:
        """Commit now what waits for the answer of the running call: its effect goes on while the answer is awaited.

        From here on the call is never run again. Does nothing outside such a call.
        """

    @abstractmethod
    async def settle(self, started: "Started", answer: StoredAnswer) -> None:
        """Commit what waits, with the answer; raises Overtaken, and keeps nothing, if the claim was lost meanwhile."""

    @abstractmethod
    async def abandon(self, started: "Started") -> None:
        """Roll back what waits and free the key, so that a corrected call may use it."""


class Checkpoint(ABC):
    """Where a call that anybody may repeat waits for somebody outside between two of its units of work."""

    @abstractmethod
    async def __call__(self) -> None:
        """Commit what this call's last unit of work left waiting for the answer, so that no row is held meanwhile.

        From here on the call's Idempotency-Key never leads to the same being done again, whatever becomes of it.
        """


class Started:
    """A claim on an idempotency key: opaque to its holder."""


class BlobStore(ABC):
    """Files of any size, kept whole or not at all. Raises StorageUnavailable where the store fails or is full."""

    @abstractmethod
    async def put(self, name: BlobName, content: AsyncIterable[bytes], size_max: int) -> Blob:
        """Keep the content under that name, in place of what was there, and return it with its digest.

        Nobody sees a part of it: until the last byte is durable the name keeps what it had, and whatever `content`
        raises leaves that so. Of two at once, one wins whole. Raises BlobTooLarge past `size_max` bytes. Memory does
        not grow with the size.
        """

    @abstractmethod
    async def open(self, name: BlobName, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """Return the content from byte `start`, `length` bytes or to the end; less where the file is shorter.

        Raises NoSuchBlob at once, before the first byte. A reader that began reads to the end, whatever happens to the
        name meanwhile.
        """

    @abstractmethod
    async def size(self, name: BlobName) -> int | None:
        """Return how many bytes it has; None where there is none."""

    @abstractmethod
    async def delete(self, name: BlobName) -> bool:
        """Remove it for good and tell whether it was there."""

    @abstractmethod
    def names(self, folder: str) -> AsyncIterator[BlobName]:
        """Yield every name in a folder, in no order; what is put or removed meanwhile may be among them or not."""

    @abstractmethod
    async def sweep(self, unfinished_for_s: float) -> int:
        """Remove what a `put` cut off by a crash left behind that long ago, and return how many; spares the living."""


class VersionRegistry(ABC):
    """The versions of the API that there are, and how long each will live."""

    @abstractmethod
    async def versions(self) -> Sequence[ApiVersion]:
        """Return every version, the oldest first."""


class VersionRows(ABC):
    """The rows of the version registry inside one transaction."""

    @abstractmethod
    async def get(self, version: str) -> ApiVersion | None:
        """Return a version, locked until the transaction ends where the store can."""

    @abstractmethod
    async def save(self, row: ApiVersion) -> None:
        """Replace the row of a version that is there."""


class VersionTx(Protocol):
    """What changing a version needs of a transaction."""

    @property
    def versions(self) -> VersionRows:
        """The registry's rows."""
        ...

    @property
    def audit(self) -> AuditTrail:
        """The audit log."""
        ...


class UnitOfWork[Tx](Protocol):
    """One durable transaction: `async with unit() as tx`.

    Commits when the block is left normally, rolls back on any exception, and never nests. What the commit made
    runnable is announced after it.
    """

    def __call__(self) -> AbstractAsyncContextManager[Tx]:
        """Open the transaction."""
        ...
