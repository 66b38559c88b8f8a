"""A drop in a folder of this machine: what partners would reach is put there by other means, or by hand."""

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from uuid import uuid4

from opora.adapters.sftp.names import BLOCK_BYTES, PART, relative
from opora.core.kernel.errors import BlobTooLarge
from opora.core.numbers.errors.transfers import DropRefused, DropUnavailable, NoSuchDropFile
from opora.core.numbers.ports.drops import DropFile, FileDrop


class FolderDrop(FileDrop):
    """Files below one folder; the disk is touched in threads."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def files(self, folder: str = "") -> Sequence[DropFile]:
        """See the port."""
        return await self._do(self._listed, folder)

    def _listed(self, folder: str) -> list[DropFile]:
        place = self._place(folder) if folder else self._root
        if not place.is_dir():
            return []
        found = [one for one in place.iterdir() if one.is_file() and not one.name.endswith(PART)]
        inside = [one for one in found if one.resolve().is_relative_to(self._root.resolve())]
        return [DropFile(one.relative_to(self._root).as_posix(), one.stat().st_size) for one in sorted(inside)]

    async def read(self, name: str, size_max: int) -> AsyncGenerator[bytes]:
        """See the port."""
        file = await self._do(self._opened, name)
        try:
            expected = os.fstat(file.fileno()).st_size
            if expected > size_max:
                raise BlobTooLarge(size_max=size_max)
            size = 0
            while some := await self._do(file.read, BLOCK_BYTES):
                size += len(some)
                if size > expected:
                    break
                yield some
            if size != expected:
                raise DropUnavailable("The file changed while it was read.")
        finally:
            file.close()

    def _opened(self, name: str) -> "IO[bytes]":
        place = self._place(name)
        if not place.is_file():
            raise NoSuchDropFile(file_name=name)
        return place.open("rb")

    async def write(self, name: str, content: AsyncIterable[bytes]) -> int:
        """See the port."""
        place = await self._do(self._place, name)
        part = place.with_name(f"{place.name[:200]}.{uuid4().hex}{PART}")
        file = await self._do(self._begun, part)
        size = 0
        try:
            async for some in content:
                await self._do(file.write, some)
                size += len(some)
            await self._do(self._finished, file, part, place)
        except BaseException:
            await asyncio.shield(self._do(self._given_up, file, part))
            raise
        return size

    @staticmethod
    def _begun(part: Path) -> "IO[bytes]":
        part.parent.mkdir(parents=True, exist_ok=True)
        return part.open("xb")

    @staticmethod
    def _finished(file: "IO[bytes]", part: Path, place: Path) -> None:
        file.flush()
        os.fsync(file.fileno())
        file.close()
        part.replace(place)

    @staticmethod
    def _given_up(file: "IO[bytes]", part: Path) -> None:
        file.close()
        part.unlink(missing_ok=True)

    async def delete(self, name: str) -> bool:
        """See the port."""
        return await self._do(self._removed, name)

    def _removed(self, name: str) -> bool:
        place = self._place(name)
        if not place.is_file():
            return False
        place.unlink()
        return True

    async def check(self) -> str:
        """See the port."""
        return f"a folder of this machine with {len(await self.files())} files"

    def _place(self, name: str) -> Path:
        """Return where a name lies, links followed; raises DropRefused where that is outside the root."""
        place = self._root / relative(name)
        if not place.resolve().is_relative_to(self._root.resolve()):
            raise DropRefused("The name leads out of the drop.")
        return place

    async def _do[**P, T](self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        def translated() -> T:
            with disk():
                return work(*args, **kwargs)

        return await asyncio.to_thread(translated)


@contextmanager
def disk() -> Generator[None]:
    """Name a failure of the disk in the core's words."""
    try:
        yield
    except (IsADirectoryError, NotADirectoryError, PermissionError) as error:
        raise DropRefused("The drop does not let us do this.") from error
    except OSError as error:
        raise DropUnavailable(retry_after_s=30) from error
