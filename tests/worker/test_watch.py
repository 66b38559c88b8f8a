"""The worker's port gives its pages and nothing else, and nobody holds it up."""

import asyncio
import contextlib

import pytest

from opora.worker.watch import HEAD_BYTES_MAX, Page, Pages, watched

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"  # real sockets: the virtual time of the other tests here would not wait for them


async def live() -> Page:
    return Page(200, "application/json", b'{"status":"ok"}')


PAGES: Pages = {"/health/live": live}


async def asked(port: int, head: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head)
    await writer.drain()
    async with asyncio.timeout(60):
        got = await reader.read()
    writer.close()
    return got


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"GET /health/live HTTP/1.1", b"200 OK"),
        (b"GET /health/live?verbose=1 HTTP/1.1", b"200 OK"),
        (b"GET /admin HTTP/1.1", b"404 Not Found"),
        (b"POST /health/live HTTP/1.1", b"405 Method Not Allowed"),
        (b"\xff\xfe", b"404 Not Found"),
    ],
)
async def test_a_page_is_given_by_its_path_to_who_only_reads(line: bytes, status: bytes) -> None:
    async with watched("127.0.0.1", 0, PAGES) as port:
        got = await asked(port, line + b"\r\nhost: x\r\n\r\n")
    head, _, body = got.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 " + status + b"\r\n")
    assert f"content-length: {len(body)}".encode() in head
    assert (body == b'{"status":"ok"}') == (status == b"200 OK")


async def test_a_head_without_end_is_hung_up_on_and_the_next_one_is_answered() -> None:
    async with watched("127.0.0.1", 0, PAGES) as port:
        endless = asyncio.create_task(asked(port, b"GET /" + b"a" * (2 * HEAD_BYTES_MAX)))
        with contextlib.suppress(ConnectionError):  # hung up with bytes unread: the same end, seen from this side
            assert await endless == b""
        assert b"200 OK" in await asked(port, b"GET /health/live HTTP/1.1\r\n\r\n")


async def test_who_says_nothing_holds_nobody_up() -> None:
    async with watched("127.0.0.1", 0, PAGES) as port:
        _, silent = await asyncio.open_connection("127.0.0.1", port)
        assert b"200 OK" in await asked(port, b"GET /health/live HTTP/1.1\r\n\r\n")
        silent.close()


async def test_the_port_is_free_again_afterwards() -> None:
    async with watched("127.0.0.1", 0, PAGES) as port:
        with pytest.raises(OSError, match="address already in use"):
            async with watched("127.0.0.1", port, PAGES):
                pass
    async with watched("127.0.0.1", port, PAGES) as again:
        assert again == port
