"""Blobs in a folder: written beside their place, made durable, then renamed into it."""

import asyncio
import os
import time
from collections.abc import AsyncIterable, AsyncIterator
from hashlib import sha256
from pathlib import Path
from threading import Lock
from uuid import UUID, uuid4

from opora.adapters.files.owners import hold, is_held
from opora.adapters.files.threads import DiskThreads
from opora.core.kernel.errors import BlobTooLarge, NoSuchBlob
from opora.core.kernel.model import Blob, BlobName
from opora.core.kernel.ports import BlobStore

CHUNK = 256 * 1024
PART = ".part"
SHARD_LETTERS = 2


class FolderBlobs(BlobStore):
    """Blobs under `root/folder/shard/id`; the shard is the end of the id, so that no folder grows without bound.

    Every touch of the disk happens in a few threads of its own; the event loop only hands bytes over. The files are
    readable by the service's own account alone.
    """

    def __init__(self, root: Path, threads: int = 4) -> None:
        self._root = root
        self._disk = DiskThreads("blobs", threads)

    async def put(self, name: BlobName, content: AsyncIterable[bytes], size_max: int) -> Blob:
        """See the port."""
        place = self._place(name)
        part = place.with_name(f"{name.id}.{uuid4().hex}{PART}")
        writer = await self._disk.do(lambda: PartWriter(part, size_max))
        try:
            waiting = bytearray()
            async for some in content:
                waiting += some
                if len(waiting) >= CHUNK:
                    await self._disk.do(writer.write, bytes(waiting))
                    waiting.clear()
            digest = await self._disk.do(writer.finish, bytes(waiting), place)
        except BaseException:
            await asyncio.shield(self._disk.do(writer.give_up))
            raise
        return Blob(name, writer.size, digest)

    async def open(self, name: BlobName, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """See the port."""
        if await self.size(name) is None:
            raise NoSuchBlob(name=str(name))
        return self._read(name, start, length)

    async def _read(self, name: BlobName, start: int, length: int | None) -> AsyncIterator[bytes]:
        reader = await self._disk.do(PartReader, self._place(name), start)
        try:
            left = length
            while some := await self._disk.do(reader.read, CHUNK if left is None else min(CHUNK, left)):
                yield some
                left = None if left is None else left - len(some)
        finally:
            await asyncio.shield(self._disk.do(reader.close))

    async def size(self, name: BlobName) -> int | None:
        """See the port."""
        return await self._disk.do(size_of, self._place(name))

    async def delete(self, name: BlobName) -> bool:
        """See the port."""
        return await self._disk.do(remove, self._place(name))

    async def names(self, folder: str) -> AsyncIterator[BlobName]:
        """See the port; reads one shard at a time."""
        base = self._root / folder
        for shard in await self._disk.do(entries, base):
            for entry in await self._disk.do(entries, base / shard):
                if not entry.endswith(PART):
                    yield BlobName(folder, UUID(entry))

    async def sweep(self, unfinished_for_s: float) -> int:
        """See the port; a part that a living process writes stays, of the rest the last write tells the age."""
        return await self._disk.do(remove_parts, self._root, time.time() - unfinished_for_s)

    def close(self) -> None:
        """Let the threads go; what they are doing is finished first."""
        self._disk.close()

    def _place(self, name: BlobName) -> Path:
        file = str(name.id)
        return self._root / name.folder / file[-SHARD_LETTERS:] / file


class PartWriter:
    """A file in the making: hashed and counted as it is written, invisible until it is finished.

    A cancelled `put` gives up while its last write may still run in another thread, so each step holds a lock: closing
    a descriptor under a write would let the write hit whatever file is opened next.
    """

    def __init__(self, part: Path, size_max: int) -> None:
        make_durable_folder(part.parent)
        self._part = part
        self._size_max = size_max
        self._digest = sha256()
        self._lock = Lock()
        self._file = os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb", buffering=0)
        hold(self._file.fileno())
        self.size = 0

    def write(self, some: bytes) -> None:
        """Add bytes; raises BlobTooLarge before any byte past the bound is written."""
        with self._lock:
            self._write(some)

    def _write(self, some: bytes) -> None:
        self.size += len(some)
        if self.size > self._size_max:
            raise BlobTooLarge(size_max=self._size_max)
        self._digest.update(some)
        left = memoryview(some)
        while left:
            left = left[self._file.write(left) :]

    def finish(self, last: bytes, place: Path) -> str:
        """Add the last bytes, make them durable, give the file its name, and return the SHA-256."""
        with self._lock:
            self._write(last)
            os.fsync(self._file.fileno())
            self._part.replace(place)  # while it is still held
            self._file.close()
        sync_folder(place.parent)
        return self._digest.hexdigest()

    def give_up(self) -> None:
        """Leave nothing behind."""
        with self._lock:
            self._file.close()
            self._part.unlink(missing_ok=True)


class PartReader:
    """A file being read from a byte on; a cancelled read may still run when it is closed, hence the lock."""

    def __init__(self, place: Path, start: int) -> None:
        self._file = place.open("rb", buffering=0)
        self._file.seek(start)
        self._lock = Lock()

    def read(self, length: int) -> bytes:
        """Return up to that many bytes; none at the end."""
        with self._lock:
            return self._file.read(length)

    def close(self) -> None:
        """Let the file go."""
        with self._lock:
            self._file.close()


def make_durable_folder(folder: Path) -> None:
    """Make the folder and those above it; a power cut afterwards does not lose them."""
    missing: list[Path] = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for one in reversed(missing):
        one.mkdir(mode=0o700, exist_ok=True)
        sync_folder(one.parent)


def sync_folder(folder: Path) -> None:
    """Make the folder's list of names durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def size_of(place: Path) -> int | None:
    """Return the size of a file, None where there is none."""
    try:
        return place.stat().st_size
    except FileNotFoundError:
        return None


def remove(place: Path) -> bool:
    """Remove a file durably and tell whether it was there."""
    try:
        place.unlink()
    except FileNotFoundError:
        return False
    sync_folder(place.parent)
    return True


def entries(folder: Path) -> list[str]:
    """Return the names in a folder, none where there is no such folder."""
    try:
        return [entry.name for entry in folder.iterdir()]
    except FileNotFoundError:
        return []


def remove_parts(root: Path, before: float) -> int:
    """Remove every part last written before that moment (seconds since 1970) that nobody writes; return how many."""
    removed = 0
    for part in root.glob(f"*/*/*{PART}"):
        try:
            if part.stat().st_mtime < before and not is_held(part):
                part.unlink()
                removed += 1
        except FileNotFoundError:  # its writer finished or gave up meanwhile
            continue
    return removed
