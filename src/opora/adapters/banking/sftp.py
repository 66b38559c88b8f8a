"""A drop on the bank's SFTP server: files and manifests in, receipts and registers out."""

import posixpath
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from heapq import nsmallest
from time import time

import asyncssh

from opora.adapters.banking import wire
from opora.adapters.banking.line import SftpLine, address_of, raw
from opora.adapters.banking.registers import newest_register
from opora.core.documents.errors import CoreBankingRefused
from opora.core.documents.model.packets import BadReceipt, Consignment, Receipt
from opora.core.documents.model.reconciliation import Register
from opora.core.documents.ports.banking import Content, CoreBanking

IN, OUT, REGISTERS = "in", "out", "registers"
ARCHIVE, QUARANTINE = "out/archive", "out/quarantine"
PART = ".part"
PART_FLAGS = asyncssh.FXF_READ | asyncssh.FXF_WRITE | asyncssh.FXF_CREAT
"""What is there stays."""
BLOCK_BYTES = 256 * 1024
STEP_S = 30.0
SETTLE_S = 60.0
"""How old a receipt that cannot be read must be before it counts as bad: it may still be being written."""


class SftpDrop(CoreBanking):
    """Packets as files in `in/`, receipts from `out/`, registers from `registers/`.

    A file is written under a `.part` name, made durable where the server can, renamed, and only then told of by a
    manifest with its digest, which is written the same way: whoever reads manifests never sees half of anything. An
    upload that broke off is taken up where it stopped. A manifest that lies there already is not written again; one
    that the bank has taken away may be, and the bank knows the packet by its key.
    """

    def __init__(self, line: SftpLine, folder: str, settle_s: float = SETTLE_S) -> None:
        self._line = line
        self._folder = folder
        self._settle_s = settle_s
        self._files: dict[str, set[str]] = {}
        """The files of the receipts that were given out and not put away yet, by their ids."""

    async def submit(self, consignment: Consignment, content: Content | None) -> str | None:
        """See the port; the reference comes with the receipt."""
        name = f"{consignment.key}.bin" if consignment.has_file else None
        async with self._line.client() as sftp:
            manifest = self._at(IN, f"{consignment.key}.json")
            if await self._is_there(sftp, manifest):
                return None
            if name is not None and content is not None:
                await self._upload(sftp, consignment, content, self._at(IN, name))
            await self._write(sftp, manifest, wire.manifest(consignment, name))
        return None

    async def _upload(self, sftp: asyncssh.SFTPClient, told: Consignment, content: Content, place: str) -> None:
        part = f"{place}.{told.sha256[:16]}{PART}"
        async with self._line.step():
            file = await sftp.open(part, PART_FLAGS, encoding=None)
        try:
            digest = await self._send(file, content, await self._resume_at(file))
            if digest != told.sha256:
                await self._remove(sftp, part)
                raise CoreBankingRefused("The file is not the one that was announced.")
            await self._make_durable(file)
        finally:
            await self._close(file)
        await self._rename(sftp, part, place)

    async def _resume_at(self, file: asyncssh.SFTPClientFile) -> int:
        """Return how much is there from an upload that broke off; its last block is sent again, for it may be torn."""
        async with self._line.step():
            size = (await file.stat()).size or 0
        return max(size - BLOCK_BYTES, 0)

    async def _send(self, file: asyncssh.SFTPClientFile, content: Content, resume_at: int) -> str:
        """Write what is past `resume_at`, and return the digest of all; the file ends where the content does."""
        digest, at = sha256(), 0
        async for some in await content(0):
            digest.update(some)
            fresh = some[max(resume_at - at, 0) :]
            if fresh:
                async with self._line.step():
                    await file.write(fresh, at + len(some) - len(fresh))
            at += len(some)
        async with self._line.step():
            await file.truncate(at)
        return digest.hexdigest()

    async def _write(self, sftp: asyncssh.SFTPClient, place: str, content: bytes) -> None:
        part = place + PART
        async with self._line.step():
            file = await sftp.open(part, "wb")
        try:
            async with self._line.step():
                await file.write(content)
            await self._make_durable(file)
        finally:
            await self._close(file)
        await self._rename(sftp, part, place)

    async def _make_durable(self, file: asyncssh.SFTPClientFile) -> None:
        try:
            async with self._line.step():
                await file.fsync()
        except asyncssh.SFTPOpUnsupported:
            return

    async def _close(self, file: asyncssh.SFTPClientFile) -> None:
        try:
            async with self._line.step():
                await file.close()
        except (asyncssh.Error, OSError):  # the line is gone, and the handle with it
            return

    async def _rename(self, sftp: asyncssh.SFTPClient, old: str, new: str) -> None:
        """Rename over what is there; a server that cannot has it removed first."""
        try:
            async with self._line.step():
                await sftp.posix_rename(old, new)
        except asyncssh.SFTPOpUnsupported:
            await self._remove(sftp, new)
            async with self._line.step():
                await sftp.rename(old, new)

    async def _remove(self, sftp: asyncssh.SFTPClient, place: str) -> None:
        try:
            async with self._line.step():
                await sftp.remove(place)
        except asyncssh.SFTPNoSuchFile:
            return

    async def _is_there(self, sftp: asyncssh.SFTPClient, place: str) -> bool:
        async with self._line.step():
            return await sftp.exists(place)

    async def receipts(self, limit: int) -> Sequence[Receipt | BadReceipt]:
        """See the port; the oldest by the server's times."""
        async with self._line.client() as sftp:
            listed = [one async for one in self._listed(sftp)]
            found: list[Receipt | BadReceipt] = []
            for _, name in nsmallest(limit, listed):
                one = await self._read(sftp, name)
                if one is not None:
                    self._files.setdefault(one.id, set()).add(name)
                    found.append(one)
        return found

    async def _listed(self, sftp: asyncssh.SFTPClient) -> AsyncIterator[tuple[float, str]]:
        entries = sftp.scandir(self._at(OUT))
        while True:
            async with self._line.step():
                entry = await anext(entries, None)
            if entry is None:
                return
            name = str(entry.filename)
            if name.endswith(".json") and not name.startswith("."):
                yield float(entry.attrs.mtime or 0), name

    async def _read(self, sftp: asyncssh.SFTPClient, name: str) -> Receipt | BadReceipt | None:
        """Read a receipt; None where it has gone meanwhile, or may still be being written."""
        try:
            async with self._line.step(), sftp.open(self._at(OUT, name), "rb") as file:
                content = raw(await file.read(wire.RECEIPT_BYTES_MAX + 1))
                written_at = float((await file.stat()).mtime or 0)
        except asyncssh.SFTPNoSuchFile:
            return None
        one = wire.receipt_of(content, f"file-{sha256(name.encode()).hexdigest()[:32]}")
        is_young = time() - written_at < self._settle_s
        return None if isinstance(one, BadReceipt) and is_young else one

    async def settle(self, ids: Sequence[str]) -> None:
        """See the port; receipts are moved into `out/archive`."""
        for id in ids:
            await self._put_away(id, ARCHIVE, None)

    async def quarantine(self, id: str, reason: str) -> None:
        """See the port; receipts are moved into `out/quarantine`, the reason beside them."""
        await self._put_away(id, QUARANTINE, reason)

    async def _put_away(self, id: str, folder: str, reason: str | None) -> None:
        for name in sorted(self._files.get(id, ())):
            async with self._line.client() as sftp:
                async with self._line.step():
                    await sftp.makedirs(self._at(folder), exist_ok=True)
                if reason is not None:
                    await self._write(sftp, self._at(folder, f"{name}.reason"), reason.encode())
                with suppress(asyncssh.SFTPNoSuchFile):  # another process was faster
                    await self._rename(sftp, self._at(OUT, name), self._at(folder, name))
        self._files.pop(id, None)

    async def register(self) -> Register:
        """See the port: the newest in `registers/` that its `.ok` file vouches for."""
        return await newest_register(self._line, self._at(REGISTERS))

    async def check(self) -> str:
        """See the port."""
        async with self._line.client() as sftp:
            waiting = len([one async for one in self._listed(sftp)])
            async with self._line.step():
                await sftp.stat(self._at(IN))
        return f"an SFTP drop, version {sftp.version}, {waiting} receipts waiting"

    async def close(self) -> None:
        """See the port."""
        await self._line.close()

    def _at(self, *parts: str) -> str:
        return posixpath.join(self._folder or ".", *parts)


def build(config: Mapping[str, str]) -> CoreBanking:
    """Build the drop: `url`, `host_key`, `password` or `private_key`, `step_s`, `settle_s`."""
    address = address_of(config)
    line = SftpLine(address, float(config.get("step_s", STEP_S)))
    return SftpDrop(line, address.folder, float(config.get("settle_s", SETTLE_S)))
