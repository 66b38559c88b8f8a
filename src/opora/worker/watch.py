"""The port on which a worker is watched: a few fixed pages, one request a connection, everything bounded."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus

REQUEST_WITHIN_S = 5.0
HEAD_BYTES_MAX = 16 * 1024


@dataclass(frozen=True, slots=True)
class Page:
    """What one path answers with."""

    status: int
    media_type: str
    body: bytes


type Pages = Mapping[str, Callable[[], Awaitable[Page]]]
"""The pages by their paths."""
NOWHERE = Page(404, "text/plain; charset=utf-8", b"There is no such page.\n")
NOT_READ = Page(405, "text/plain; charset=utf-8", b"Only GET is answered here.\n")


@asynccontextmanager
async def watched(host: str, port: int, pages: Pages) -> AsyncIterator[int]:
    """Answer for these pages while the block runs; gives the port, which is a free one for 0.

    OSError where the port is taken.
    """

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            async with asyncio.timeout(REQUEST_WITHIN_S):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(written(await page_for(head, pages)))
                await writer.drain()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    server = await asyncio.start_server(serve, host, port, limit=HEAD_BYTES_MAX)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()


async def page_for(head: bytes, pages: Pages) -> Page:
    """Choose the page by the request line alone; what follows a question mark is not looked at."""
    words = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
    if len(words) != 3:  # noqa: PLR2004  # method, target, version
        return NOWHERE
    method, target, _ = words
    page = pages.get(target.partition("?")[0])
    if page is None:
        return NOWHERE
    return await page() if method == "GET" else NOT_READ


def written(page: Page) -> bytes:
    """Write an answer after which the connection closes."""
    head = (
        f"HTTP/1.1 {page.status} {HTTPStatus(page.status).phrase}\r\ncontent-type: {page.media_type}\r\n"
        f"content-length: {len(page.body)}\r\ncache-control: no-store\r\nconnection: close\r\n\r\n"
    )
    return head.encode("ascii") + page.body
