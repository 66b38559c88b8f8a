"""Files written as their content comes and read in pieces; what is small costs one visit to the disk's threads."""

import asyncio
import os
from collections.abc import AsyncIterable, AsyncIterator, Callable
from contextlib import suppress
from hashlib import sha256
from io import FileIO
from pathlib import Path
from threading import Lock

from opora.adapters.files.threads import DiskThreads
from opora.core.kernel.errors import BlobTooLarge

CHUNK = 256 * 1024
GIVEN_UP = "The file was given up."


class HashedFile:
    """A file in the making, hashed and counted; it is begun with its first bytes.

    Whoever pours may be cancelled while a write still runs in another thread, so each step holds a lock: closing a
    descriptor under a write would let the write hit whatever file is opened next. After `give_up` nothing begins.
    """

    def __init__(self, begin: Callable[[], tuple[int, Path]], size_max: int) -> None:
        """`begin` makes the file and returns its descriptor and its place."""
        self._begin = begin
        self._size_max = size_max
        self._digest = sha256()
        self._lock = Lock()
        self._begun: tuple[FileIO, Path] | None = None
        self._is_given_up = False
        self.size = 0

    @property
    def digest(self) -> str:
        """The SHA-256 of what was written."""
        return self._digest.hexdigest()

    def write(self, some: bytes) -> None:
        """Add bytes; raises BlobTooLarge before any byte past the bound is written."""
        with self._lock:
            self._write(some)

    def _write(self, some: bytes) -> tuple[FileIO, Path]:
        self.size += len(some)
        if self.size > self._size_max:
            raise BlobTooLarge(size_max=self._size_max)
        if self._is_given_up:
            raise ValueError(GIVEN_UP)
        if self._begun is None:
            descriptor, place = self._begin()
            self._begun = os.fdopen(descriptor, "wb", buffering=0), place
        file, place = self._begun
        self._digest.update(some)
        left = memoryview(some)
        while left:
            left = left[file.write(left) :]
        return file, place

    def finish(self, last: bytes, conclude: Callable[[int, Path], None]) -> Path:
        """Add the last bytes and return where the file was made; `conclude` is given it while it is still open."""
        with self._lock:
            file, place = self._write(last)
            if self._is_given_up:
                raise ValueError(GIVEN_UP)
            conclude(file.fileno(), place)
            file.close()
        return place

    def give_up(self) -> None:
        """Leave nothing behind; where the last step is under way already, a whole file may stand that nobody names."""
        self._is_given_up = True  # outside the lock, so that a write under way is the last
        with self._lock:
            if self._begun is not None:
                file, place = self._begun
                try:
                    file.close()
                finally:
                    place.unlink(missing_ok=True)


async def poured(
    disk: DiskThreads, file: HashedFile, content: AsyncIterable[bytes], conclude: Callable[[int, Path], None]
) -> Path:
    """Write all of the content; what fails or is cancelled is given up."""
    try:
        waiting = bytearray()
        async for some in content:
            waiting += some
            if len(waiting) >= CHUNK:
                await disk.do(file.write, bytes(waiting))
                waiting.clear()
        return await disk.do(file.finish, bytes(waiting), conclude)
    except BaseException:
        with suppress(Exception):  # what went wrong first is what is told
            await asyncio.shield(disk.do(file.give_up))
        raise


class FileReader:
    """A file being read from a byte on, opened by its first read and closed at its end.

    A cancelled read may still run when it is closed, hence the lock.
    """

    def __init__(self, place: Path, start: int) -> None:
        self._place = place
        self._start = start
        self._lock = Lock()
        self._file: FileIO | None = None
        self.is_over = False

    def read(self, length: int) -> bytes:
        """Return that many bytes, fewer at the end."""
        with self._lock:
            if self.is_over:
                return b""
            if self._file is None:
                self._file = FileIO(self._place)
                self._file.seek(self._start)
            some: bytes = self._file.read(length)
            if len(some) < length:
                self._end()
            return some

    def close(self) -> None:
        """Let the file go."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        self.is_over = True
        if self._file is not None:
            self._file.close()


async def read_out(disk: DiskThreads, place: Path, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
    """Give a file's bytes, from `start` on and no more than `length`; raises NoSuchBlob where there is none."""
    reader, left = FileReader(place, start), length
    try:
        while left != 0 and not reader.is_over:
            some = await disk.do(reader.read, CHUNK if left is None else min(CHUNK, left))
            left = None if left is None else left - len(some)
            if some:
                yield some
    finally:
        if not reader.is_over:
            with suppress(Exception):  # of a file that was only read
                await asyncio.shield(disk.do(reader.close))
