"""The adapter speaks to a daemon as ClamAV's does, and passes nothing that the daemon did not call clean."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from struct import unpack

import pytest

from opora.adapters.clamav.scanner import ClamScanner, ScannerAddress, scanner_at
from opora.adapters.sandbox.signatures import EICAR
from opora.core.documents.errors import ScannerUnavailable
from opora.core.documents.model.files import Verdict
from opora.testing.core_banking import in_parts
from servers.processes import HOST, free_port

pytestmark = pytest.mark.anyio


class PlayedDaemon:
    """A `clamd` that knows EICAR; `stream_max` is its StreamMaxLength, `says` what it answers instead."""

    def __init__(self, stream_max: int = 10_000_000, says: bytes | None = None, delay_s: float = 0) -> None:
        self.stream_max = stream_max
        self.says = says
        self.delay_s = delay_s
        self.received = b""
        self.most_at_once = 0
        self._at_once = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one file and answer."""
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            assert await reader.readuntil(b"\0") == b"zINSTREAM\0"
            writer.write(await self._judged(reader))
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._at_once -= 1
            writer.close()

    async def _judged(self, reader: asyncio.StreamReader) -> bytes:
        received = b""
        while length := unpack("!I", await reader.readexactly(4))[0]:
            received += await reader.readexactly(length)
            if len(received) > self.stream_max:
                return b"INSTREAM size limit exceeded. ERROR\0"
        self.received = received
        await asyncio.sleep(self.delay_s)
        if self.says is not None:
            return self.says
        return b"stream: Win.Test.EICAR_HDB-1 FOUND\0" if EICAR in received else b"stream: OK\0"


@asynccontextmanager
async def running(daemon: PlayedDaemon, silence_s: float = 5, scans_max: int = 8) -> AsyncIterator[ClamScanner]:
    """Serve on a port and give a scanner that asks there."""
    server = await asyncio.start_server(daemon.serve, HOST, 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield ClamScanner(ScannerAddress(HOST, port), silence_s, scans_max)


async def test_a_clean_file_passes_and_arrives_whole() -> None:
    daemon, paper = PlayedDaemon(), bytes(range(256)) * 4000
    async with running(daemon) as scanner:
        assert await scanner.scan(in_parts(paper, 700_000)) == Verdict(is_clean=True)
    assert daemon.received == paper


async def test_a_harmful_file_is_named() -> None:
    async with running(PlayedDaemon()) as scanner:
        verdict = await scanner.scan(in_parts(b"x" * 70_000 + EICAR))
    assert verdict == Verdict(is_clean=False, signature="Win.Test.EICAR_HDB-1")


async def test_a_socket_of_this_machine_serves_as_well(tmp_path: Path) -> None:
    path = str(tmp_path / "clamd.ctl")
    async with await asyncio.start_unix_server(PlayedDaemon().serve, path):
        assert (await ClamScanner(scanner_at(f"clamd://{path}")).scan(in_parts(b"%PDF"))).is_clean


@pytest.mark.parametrize(
    "daemon",
    [
        PlayedDaemon(stream_max=100_000),
        PlayedDaemon(says=b""),
        PlayedDaemon(says=b"stream: OK, almost\0"),
        PlayedDaemon(says=b"UNKNOWN COMMAND\0"),
        PlayedDaemon(says=b"x" * 10_000),
        PlayedDaemon(delay_s=0.7),
    ],
    ids=["too large for it", "hangs up", "unclear", "not understood", "endless", "silent"],
)
async def test_nothing_passes_without_a_clear_word(daemon: PlayedDaemon) -> None:
    async with running(daemon, silence_s=0.3) as scanner:
        with pytest.raises(ScannerUnavailable):
            await scanner.scan(in_parts(b"x" * 3_000_000))


async def test_a_daemon_that_is_not_there_or_takes_nothing_is_unavailable() -> None:
    with pytest.raises(ScannerUnavailable):
        await ClamScanner(ScannerAddress(HOST, free_port())).scan(in_parts(b"%PDF"))

    async def deaf(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.sleep(1)
        writer.close()

    async with await asyncio.start_server(deaf, HOST, 0) as server:
        where = ScannerAddress(HOST, server.sockets[0].getsockname()[1])
        with pytest.raises(ScannerUnavailable):
            await ClamScanner(where, silence_s=0.2).scan(in_parts(b"x" * 30_000_000, 1_000_000))


async def test_what_the_source_raises_stays_as_it_is() -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"%PDF"
        raise ConnectionResetError("the client hung up")

    async with running(PlayedDaemon()) as scanner:
        with pytest.raises(ConnectionResetError):
            await scanner.scan(broken())


async def test_no_more_files_are_scanned_at_once_than_the_bound() -> None:
    daemon = PlayedDaemon(delay_s=0.02)
    async with running(daemon, scans_max=2) as scanner:
        await asyncio.gather(*(scanner.scan(in_parts(b"%PDF")) for _ in range(6)))
    assert daemon.most_at_once == 2


def test_reads_where_the_daemon_is() -> None:
    assert scanner_at("clamd://scanner.bank:3311") == ScannerAddress("scanner.bank", 3311)
    assert scanner_at("clamd://scanner.bank").port == 3310
    assert scanner_at("clamd:///run/clamav/clamd.ctl") == ScannerAddress(path="/run/clamav/clamd.ctl")


@pytest.mark.parametrize("url", ["tcp://host", "clamd://", "clamd://host/path", "clamd://me@host", "clamd://h?x=1"])
def test_says_what_is_wrong_with_an_address(url: str) -> None:
    with pytest.raises(ValueError, match=r"clamd|names"):
        scanner_at(url)
