"""Registers that the bank drops: a line of JSON a document, and an `.ok` file that vouches for them."""

import posixpath
from collections.abc import AsyncIterator
from hashlib import sha256

from opora.adapters.banking import wire
from opora.adapters.banking.line import SftpLine, raw
from opora.core.documents.errors import BadRegister
from opora.core.documents.model.reconciliation import Holding, Register

OK = ".ok"
BLOCK_BYTES = 256 * 1024


async def newest_register(line: SftpLine, folder: str) -> Register:
    """Return the register whose name sorts last among those with an `.ok` file; raises BadRegister where none is."""
    async with line.client() as sftp:
        async with line.step():
            names = [str(name) for name in await sftp.listdir(folder)]
        vouched = sorted(name for name in names if name + OK in names)
        if not vouched:
            raise BadRegister("The bank has dropped no register with an .ok file.")
        place = posixpath.join(folder, vouched[-1])
        async with line.step(), sftp.open(place + OK, "rb") as file:
            written = raw(await file.read(wire.LINE_BYTES_MAX + 1))
    try:
        vouching = wire.parsed(written, wire.LINE_BYTES_MAX)
        as_of, digest = wire.instant(vouching.get("as_of")), str(vouching.get("sha256"))
    except wire.Unreadable as fault:
        raise BadRegister(f"{vouched[-1]}{OK}: {fault}") from None
    return Register(as_of, holdings(line, place, digest))


async def holdings(line: SftpLine, place: str, digest: str) -> AsyncIterator[Holding]:
    """Read a register line by line; raises BadRegister for a line that is none, and at its end for another digest."""
    counted, number, rest = sha256(), 0, b""
    async with line.client() as sftp:
        async with line.step():
            file = await sftp.open(place, "rb")
        while True:
            async with line.step():
                some = raw(await file.read(BLOCK_BYTES))
            counted.update(some)
            *lines, rest = (rest + some).split(b"\n")
            for text in lines if some else [rest]:
                number += 1
                if text:
                    yield held(text, number)
            if len(rest) > wire.LINE_BYTES_MAX:
                raise BadRegister(f"Line {number + 1} is longer than {wire.LINE_BYTES_MAX} bytes.")
            if not some:
                break
        async with line.step():
            await file.close()
    if counted.hexdigest() != digest:
        raise BadRegister("The register is not the one that its .ok file vouches for.")


def held(text: bytes, number: int) -> Holding:
    """Read a line; raises BadRegister with its number."""
    try:
        return wire.holding_of(text)
    except wire.Unreadable as fault:
        raise BadRegister(f"Line {number}: {fault}.") from None
