"""A drop on a partner's SFTP server."""

import posixpath
from collections.abc import AsyncGenerator, AsyncIterable, Sequence
from contextlib import suppress
from uuid import uuid4

import asyncssh

from opora.adapters.sftp.lines import Line
from opora.adapters.sftp.names import BLOCK_BYTES, PART, folder_of, relative
from opora.core.kernel.errors import BlobTooLarge
from opora.core.numbers.errors.transfers import DropRefused, DropUnavailable, NoSuchDropFile
from opora.core.numbers.ports.drops import DropFile, FileDrop

GONE = (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath)
LISTED_MAX = 10_000


class SftpDrop(FileDrop):
    """Files below one folder of a server; each task has a connection of its own."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._root = "/" + line.partner.folder if line.partner.folder.startswith("/") else line.partner.folder or "."

    async def files(self, folder: str = "") -> Sequence[DropFile]:
        """See the port."""
        found: list[DropFile] = []
        async with self._line.client() as sftp:
            place = await self._inside(sftp, relative(folder)) if folder else self._root
            with suppress(*GONE):
                entries = sftp.scandir(place)
                while len(found) < LISTED_MAX:
                    async with self._line.step():
                        entry = await anext(entries, None)
                    if entry is None:
                        break
                    name = str(entry.filename)
                    if entry.attrs.type == asyncssh.FILEXFER_TYPE_REGULAR and not name.endswith(PART):
                        found.append(DropFile(posixpath.join(folder, name), entry.attrs.size or 0))
        return sorted(found, key=lambda one: one.name)

    async def read(self, name: str, size_max: int) -> AsyncGenerator[bytes]:
        """See the port."""
        inner = relative(name)
        async with self._line.client() as sftp:
            try:
                place = await self._inside(sftp, inner)
                async with self._line.step():
                    file = await sftp.open(place, "rb", encoding=None)
                    expected = (await file.stat()).size or 0
            except GONE as error:
                raise NoSuchDropFile(file_name=name) from error
            if expected > size_max:
                raise BlobTooLarge(size_max=size_max)
            size = 0
            while True:
                async with self._line.step():
                    some = await file.read(BLOCK_BYTES, size)
                size += len(some)
                if not some or size > expected:
                    break
                yield some if isinstance(some, bytes) else some.encode()
            if size != expected:
                raise DropUnavailable("The file changed while it was read.")

    async def write(self, name: str, content: AsyncIterable[bytes]) -> int:
        """See the port."""
        inner, folder = relative(name), folder_of(name)
        part = posixpath.join(folder, f"{posixpath.basename(inner)[:200]}.{uuid4().hex}{PART}")
        async with self._line.client() as sftp:
            if folder:
                async with self._line.step():
                    await sftp.makedirs(posixpath.join(self._root, folder), exist_ok=True)
            place, waiting = await self._inside(sftp, inner), await self._inside(sftp, part)
            try:
                size = await self._fill(sftp, waiting, content)
                await self._rename(sftp, waiting, place)
            except BaseException:
                with suppress(Exception):
                    async with self._line.step():
                        await sftp.remove(waiting)
                raise
        return size

    async def _fill(self, sftp: asyncssh.SFTPClient, place: str, content: AsyncIterable[bytes]) -> int:
        async with self._line.step():
            file = await sftp.open(place, "xb", encoding=None)
        size = 0
        async for some in content:
            for start in range(0, len(some), BLOCK_BYTES):
                async with self._line.step():
                    await file.write(some[start : start + BLOCK_BYTES], size)
                size += len(some[start : start + BLOCK_BYTES])
        async with self._line.step():
            with suppress(asyncssh.SFTPOpUnsupported):
                await file.fsync()
            await file.close()
        return size

    async def _rename(self, sftp: asyncssh.SFTPClient, old: str, new: str) -> None:
        """Rename over what is there; a server that cannot has it removed first."""
        async with self._line.step():
            try:
                await sftp.posix_rename(old, new)
            except asyncssh.SFTPOpUnsupported:
                with suppress(*GONE):
                    await sftp.remove(new)
                await sftp.rename(old, new)

    async def delete(self, name: str) -> bool:
        """See the port."""
        inner = relative(name)
        async with self._line.client() as sftp:
            try:
                place = await self._inside(sftp, inner)
                async with self._line.step():
                    await sftp.remove(place)
            except GONE:
                return False
        return True

    async def _inside(self, sftp: asyncssh.SFTPClient, inner: str) -> str:
        """Return where a name lies, links followed as the server sees them; raises DropRefused outside the root."""
        place = posixpath.join(self._root, inner)
        async with self._line.step():
            root = await sftp.realpath(self._root)
            real = await sftp.realpath(place)
        if posixpath.commonpath([str(root), str(real)]) != str(root):
            raise DropRefused("The name leads out of the drop.")
        return place

    async def check(self) -> str:
        """See the port."""
        async with self._line.client() as sftp, self._line.step():
            await sftp.stat(self._root)
            return f"an SFTP server, version {sftp.version}"
