"""What transfers need of a partner's drop: a place of files that both sides reach."""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DropFile:
    """A file on the drop: its name, as a path below the root, and its size in bytes."""

    name: str
    size: int


class FileDrop(ABC):
    """Files on a partner's server, all below one root.

    Names are relative paths with `/`; one that is absolute or leads out of the root is DropRefused, a link that does as
    well. Every call may raise DropUnavailable: the server does not answer in time, is not the one it should be, or lets
    nobody in.
    """

    @abstractmethod
    async def files(self, folder: str = "") -> Sequence[DropFile]:
        """Return the files of a folder in the order of their names, without those still being written (`.part`)."""

    @abstractmethod
    def read(self, name: str, size_max: int) -> AsyncGenerator[bytes]:
        """Yield the content; raises NoSuchDropFile, BlobTooLarge past `size_max`, DropUnavailable where the server goes
        in the middle, or the file shrinks or grows meanwhile: what was yielded so far is then no whole file.
        """

    @abstractmethod
    async def write(self, name: str, content: AsyncIterable[bytes]) -> int:
        """Keep the content under that name in place of what was there, and return its size.

        Written beside its place and renamed when it is whole: nobody sees a part under that name, whatever `content`
        raises. Missing folders are made.
        """

    @abstractmethod
    async def delete(self, name: str) -> bool:
        """Remove a file and tell whether it was there."""

    @abstractmethod
    async def check(self) -> str:
        """Say in a few words what answers there; raises DropUnavailable or DropRefused."""
