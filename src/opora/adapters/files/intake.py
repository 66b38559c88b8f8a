"""Uploads kept aside in a folder of this machine until they are judged."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterable, AsyncIterator
from pathlib import Path

from opora.adapters.files.owners import OwnedFolder, remove_abandoned
from opora.adapters.files.pouring import HashedFile, poured, read_out
from opora.adapters.files.threads import DiskThreads
from opora.core.documents.model.files import Received
from opora.core.documents.ports.files import Intake

PREFIX = "upload-"


class FolderIntake(Intake):
    """Uploads as files that only the service's own account reads; the disk is touched in a few threads of its own.

    Each process has a folder of its own and holds it, so that a sweep spares what the living wait on, however long.
    """

    def __init__(self, folder: Path, threads: int = 4) -> None:
        self._root = folder
        self._own = OwnedFolder(folder)
        self._disk = DiskThreads("intake", threads)

    async def receive(self, content: AsyncIterable[bytes], size_max: int) -> Received:
        """See the port."""

        def begin() -> tuple[int, Path]:
            descriptor, place = tempfile.mkstemp(prefix=PREFIX, dir=self._own.place())
            return descriptor, Path(place)

        file = HashedFile(begin, size_max)
        place = await poured(self._disk, file, content, lambda *_: None)
        return Received(str(place), file.size, file.digest)

    def content(self, received: Received) -> AsyncIterator[bytes]:
        """See the port."""
        return read_out(self._disk, Path(received.place))

    async def discard(self, received: Received) -> None:
        """See the port."""
        await asyncio.shield(self._disk.do(lambda: Path(received.place).unlink(missing_ok=True)))

    async def sweep(self, older_than_s: float) -> int:
        """See the port; what a living process took in stays, and of the rest the last write tells the age."""
        return await self._disk.do(remove_abandoned, self._root, time.time() - older_than_s)

    def close(self) -> None:
        """Let the threads go."""
        self._disk.close()
        self._own.close()
