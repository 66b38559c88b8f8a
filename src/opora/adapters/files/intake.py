"""Uploads kept aside in a folder of this machine until they are judged."""

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterable, AsyncIterator
from hashlib import sha256
from pathlib import Path
from threading import Lock

from opora.adapters.files.blobs import CHUNK
from opora.adapters.files.owners import OwnedFolder, remove_abandoned
from opora.adapters.files.threads import DiskThreads
from opora.core.documents.model.files import Received
from opora.core.documents.ports.files import Intake
from opora.core.kernel.errors import BlobTooLarge

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
        writer = await self._disk.do(lambda: Spool(self._own.place(), size_max))
        try:
            waiting = bytearray()
            async for some in content:
                waiting += some
                if len(waiting) >= CHUNK:
                    await self._disk.do(writer.write, bytes(waiting))
                    waiting.clear()
            return await self._disk.do(writer.finish, bytes(waiting))
        except BaseException:
            await asyncio.shield(self._disk.do(writer.give_up))
            raise

    async def content(self, received: Received) -> AsyncIterator[bytes]:
        """See the port."""
        file = await self._disk.do(Path(received.place).open, "rb", 0)
        try:
            while some := await self._disk.do(file.read, CHUNK):
                yield some
        finally:
            file.close()

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


class Spool:
    """A file being received, hashed and counted; a cancelled call may still be writing, hence the lock."""

    def __init__(self, folder: Path, size_max: int) -> None:
        descriptor, place = tempfile.mkstemp(prefix=PREFIX, dir=folder)
        self._file = os.fdopen(descriptor, "wb", buffering=0)
        self._place = Path(place)
        self._size_max = size_max
        self._size = 0
        self._digest = sha256()
        self._lock = Lock()

    def write(self, some: bytes) -> None:
        """Add bytes; raises BlobTooLarge before any byte past the bound is written."""
        with self._lock:
            self._size += len(some)
            if self._size > self._size_max:
                raise BlobTooLarge(size_max=self._size_max)
            self._digest.update(some)
            left = memoryview(some)
            while left:
                left = left[self._file.write(left) :]

    def finish(self, last: bytes) -> Received:
        """Add the last bytes and return what was received."""
        self.write(last)
        with self._lock:
            self._file.close()
        return Received(str(self._place), self._size, self._digest.hexdigest())

    def give_up(self) -> None:
        """Leave nothing behind."""
        with self._lock:
            self._file.close()
            self._place.unlink(missing_ok=True)
