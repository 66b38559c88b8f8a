"""Blobs in a folder: written beside their place, made durable, then renamed into it."""

import os
import time
from collections.abc import AsyncIterable, AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

from opora.adapters.files.owners import hold, is_held
from opora.adapters.files.pouring import HashedFile, poured, read_out
from opora.adapters.files.threads import DiskThreads
from opora.core.kernel.errors import NoSuchBlob
from opora.core.kernel.model import Blob, BlobName
from opora.core.kernel.ports import BlobStore

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

        def begin() -> tuple[int, Path]:
            make_durable_folder(part.parent)
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            hold(descriptor)
            return descriptor, part

        def conclude(descriptor: int, made: Path) -> None:
            os.fsync(descriptor)
            made.replace(place)  # while it is still held
            sync_folder(place.parent)

        file = HashedFile(begin, size_max)
        await poured(self._disk, file, content, conclude)
        return Blob(name, file.size, file.digest)

    async def open(self, name: BlobName, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """See the port."""
        if await self.size(name) is None:
            raise NoSuchBlob(name=str(name))
        return read_out(self._disk, self._place(name), start, length)

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
