"""A virus scanner behind `clamd`: the file goes over a socket in chunks (INSTREAM), the verdict comes in a line."""

import asyncio
import re
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from struct import pack
from urllib.parse import unquote, urlsplit

from opora.core.documents.errors import ScannerUnavailable
from opora.core.documents.model.files import Verdict
from opora.core.documents.ports.files import VirusScanner

CHUNK_BYTES = 256 * 1024
ANSWER_BYTES_MAX = 4096
CONNECT_TIMEOUT_S = 5.0
SILENCE_S = 60.0
"""How long the daemon may say or take nothing; it reads a large archive for a while before it answers."""
SCANS_MAX = 8
"""Scans at once; the daemon has about as many threads, and more only wait in its queue."""
END = pack("!I", 0)
FOUND = re.compile(r"stream: (?P<signature>.{1,200}) FOUND")


@dataclass(frozen=True, slots=True)
class ScannerAddress:
    """Where `clamd` listens: a host and port, or a socket of this machine."""

    host: str = ""
    port: int = 3310
    path: str = ""


def scanner_at(url: str) -> ScannerAddress:
    """Read `clamd://host:port` or `clamd:///run/clamav/clamd.ctl`; raises ValueError saying what is wrong."""
    parts = urlsplit(url)
    if parts.scheme != "clamd" or parts.query or parts.username:
        raise ValueError("is not clamd://host:port or clamd:///path/of/a/socket")
    if parts.hostname and not parts.path.strip("/"):
        return ScannerAddress(host=parts.hostname, port=parts.port or 3310)
    if parts.netloc or not parts.path.strip("/"):
        raise ValueError("names neither a host nor a socket")
    return ScannerAddress(path=unquote(parts.path))


class ClamScanner(VirusScanner):
    """Asks `clamd`. A file counts as clean only by its word `stream: OK` about every byte that was sent.

    What it says instead, and what it does not say in time, is ScannerUnavailable: a scanner that cannot judge, such as
    one whose StreamMaxLength is less than a file, never passes one.
    """

    def __init__(self, address: ScannerAddress, silence_s: float = SILENCE_S, scans_max: int = SCANS_MAX) -> None:
        self._address = address
        self._silence_s = silence_s
        self._turns = asyncio.Semaphore(scans_max)

    async def scan(self, content: AsyncIterable[bytes]) -> Verdict:
        """See the port."""
        async with self._turns, self._connection() as (reader, writer):
            is_whole = await self._send(writer, content)
            answer = await self._answer(reader)
        found = FOUND.fullmatch(answer)
        if found is not None:
            return Verdict(is_clean=False, signature=found["signature"])
        if answer != "stream: OK" or not is_whole:
            raise ScannerUnavailable(f"The scanner said: {answer[:100]!r}.", retry_after_s=30)
        return Verdict(is_clean=True)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        where = self._address
        opening = (
            asyncio.open_unix_connection(where.path, limit=ANSWER_BYTES_MAX)
            if where.path
            else asyncio.open_connection(where.host, where.port, limit=ANSWER_BYTES_MAX)
        )
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                reader, writer = await opening
        except (OSError, TimeoutError) as error:
            raise ScannerUnavailable(retry_after_s=30) from error
        try:
            yield reader, writer
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _send(self, writer: asyncio.StreamWriter, content: AsyncIterable[bytes]) -> bool:
        """Send the file; False where the daemon hung up before its end, as it does past its own limit."""
        if not await self._hand_over(writer, b"zINSTREAM\0"):
            return False
        async for some in content:  # what this raises is the source's, and stays as it is
            for start in range(0, len(some), CHUNK_BYTES):
                chunk = some[start : start + CHUNK_BYTES]
                if not await self._hand_over(writer, pack("!I", len(chunk)) + chunk):
                    return False
        return await self._hand_over(writer, END)

    async def _hand_over(self, writer: asyncio.StreamWriter, some: bytes) -> bool:
        try:
            writer.write(some)
            async with asyncio.timeout(self._silence_s):
                await writer.drain()
        except TimeoutError as error:
            raise ScannerUnavailable(retry_after_s=30) from error
        except OSError:
            return False
        return True

    async def _answer(self, reader: asyncio.StreamReader) -> str:
        try:
            async with asyncio.timeout(self._silence_s):
                line = await reader.readuntil(b"\0")
        except asyncio.IncompleteReadError as error:
            line = error.partial
        except (OSError, TimeoutError, asyncio.LimitOverrunError) as error:
            raise ScannerUnavailable(retry_after_s=30) from error
        return line.rstrip(b"\0\n").decode("utf-8", "replace")
