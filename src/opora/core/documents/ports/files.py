"""What uploads need from the outside: a place to wait in, somebody who looks inside, a virus scanner."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterable, AsyncIterator

from opora.core.documents.model.files import FileFacts, Received, Verdict


class Intake(ABC):
    """Files kept aside on this machine while they are judged; what a crash leaves is swept. StorageUnavailable where
    there is no room.
    """

    @abstractmethod
    async def receive(self, content: AsyncIterable[bytes], size_max: int) -> Received:
        """Take a file in, hashing it on the way; raises BlobTooLarge past `size_max`, and then keeps nothing."""

    @abstractmethod
    def content(self, received: Received) -> AsyncIterator[bytes]:
        """Yield the content."""

    @abstractmethod
    async def discard(self, received: Received) -> None:
        """Let the file go; again is harmless."""

    @abstractmethod
    async def sweep(self, older_than_s: float) -> int:
        """Remove what was left that long ago, and return how many there were."""


class FileJudge(ABC):
    """Tells what a file is by looking inside, in a process of its own that a hostile file may kill."""

    @abstractmethod
    async def examine(self, received: Received) -> FileFacts:
        """Return what it is; raises the refusal that fits its fault, JudgeUnavailable where nobody can look."""


class VirusScanner(ABC):
    """Looks for harmful software."""

    @abstractmethod
    async def scan(self, content: AsyncIterable[bytes]) -> Verdict:
        """Return what was found; raises ScannerUnavailable. Never answers `clean` for what it did not read whole."""
