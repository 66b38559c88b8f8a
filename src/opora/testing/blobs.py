"""Contract of a store of blobs: subclass it and give it `self.blobs`."""

import asyncio
from collections.abc import AsyncIterator
from hashlib import sha256
from uuid import UUID, uuid4

import pytest

from opora.core.kernel.errors import NoSuchBlob, NotFound, TooLarge
from opora.core.kernel.model import BlobName
from opora.core.kernel.ports import BlobStore

SIZE_MAX = 16 * 1024 * 1024


def a_name(folder: str = "exports", id: UUID | None = None) -> BlobName:
    """Return a name that nothing has."""
    return BlobName(folder, id or uuid4())


async def in_parts(content: bytes, length: int = 1000) -> AsyncIterator[bytes]:
    """Give the content over in parts of that length."""
    for start in range(0, len(content), length):
        yield content[start : start + length]


async def breaking_off(content: bytes) -> AsyncIterator[bytes]:
    """Give the content over, then fail as a client that hangs up does."""
    async for part in in_parts(content):
        yield part
    raise ConnectionResetError("the client hung up")


async def whole(parts: AsyncIterator[bytes]) -> bytes:
    """Read to the end."""
    return b"".join([part async for part in parts])


class BlobStoreContract:
    """What every store of blobs promises."""

    blobs: BlobStore

    async def kept(self, content: bytes) -> BlobName:
        """Put the content under a new name."""
        name = a_name()
        await self.blobs.put(name, in_parts(content), SIZE_MAX)
        return name

    async def names(self) -> set[BlobName]:
        """Return every name the store tells of."""
        return {name async for name in self.blobs.names("exports")}

    @pytest.mark.parametrize("content", [b"", b"one", b"0123456789" * 100_000], ids=["empty", "short", "long"])
    async def test_gives_back_what_was_put_and_tells_its_size_and_digest(self, content: bytes) -> None:
        name = a_name()
        blob = await self.blobs.put(name, in_parts(content, 70_001), SIZE_MAX)
        assert (blob.name, blob.size, blob.sha256) == (name, len(content), sha256(content).hexdigest())
        assert await whole(await self.blobs.open(name)) == content
        assert await self.blobs.size(name) == len(content)

    @pytest.mark.parametrize(
        ("start", "length", "expected"),
        [(0, 4, b"0123"), (4, 3, b"456"), (7, None, b"789"), (9, 1, b"9"), (7, 100, b"789"), (10, None, b"")],
    )
    async def test_reads_any_range_and_stops_at_the_end(self, start: int, length: int | None, expected: bytes) -> None:
        name = await self.kept(b"0123456789")
        assert await whole(await self.blobs.open(name, start, length)) == expected

    async def test_leaves_nothing_of_a_source_that_fails(self) -> None:
        name = a_name()
        with pytest.raises(ConnectionResetError):
            await self.blobs.put(name, breaking_off(b"x" * 1_000_000), SIZE_MAX)
        assert await self.blobs.size(name) is None
        assert await self.names() == set()

    async def test_keeps_the_old_content_when_its_replacement_fails(self) -> None:
        name = await self.kept(b"old")
        with pytest.raises(ConnectionResetError):
            await self.blobs.put(name, breaking_off(b"new"), SIZE_MAX)
        assert await whole(await self.blobs.open(name)) == b"old"

    async def test_replaces_what_had_the_name(self) -> None:
        name = await self.kept(b"old and longer")
        await self.blobs.put(name, in_parts(b"new"), SIZE_MAX)
        assert await whole(await self.blobs.open(name)) == b"new"
        assert await self.names() == {name}

    async def test_accepts_the_largest_size_and_refuses_one_byte_more(self) -> None:
        name = a_name()
        assert (await self.blobs.put(name, in_parts(b"x" * 5000), 5000)).size == 5000
        larger = a_name()
        with pytest.raises(TooLarge):
            await self.blobs.put(larger, in_parts(b"x" * 5001), 5000)
        assert await self.names() == {name}

    async def test_stops_reading_a_source_that_is_too_large(self) -> None:
        taken = 0

        async def endless() -> AsyncIterator[bytes]:
            nonlocal taken
            while True:
                taken += 100_000
                yield b"x" * 100_000

        with pytest.raises(TooLarge):
            await self.blobs.put(a_name(), endless(), 1_000_000)
        assert taken < 16_000_000

    async def test_tells_at_once_that_there_is_no_such_blob(self) -> None:
        with pytest.raises(NoSuchBlob):
            await self.blobs.open(a_name())
        assert issubclass(NoSuchBlob, NotFound)
        assert await self.blobs.size(a_name()) is None
        assert await self.blobs.delete(a_name()) is False

    async def test_deletes_for_good(self) -> None:
        name, other = await self.kept(b"gone"), await self.kept(b"stays")
        assert await self.blobs.delete(name) is True
        assert await self.names() == {other}
        with pytest.raises(NoSuchBlob):
            await self.blobs.open(name)

    async def test_lets_a_reader_that_began_read_to_the_end(self) -> None:
        content = b"0123456789" * 200_000
        name = await self.kept(content)
        parts = await self.blobs.open(name)
        first = await anext(parts)
        await self.blobs.delete(name)
        assert first + await whole(parts) == content

    async def test_keeps_one_of_many_at_once_whole(self) -> None:
        name = a_name()
        contents = [bytes([65 + index]) * 400_000 for index in range(8)]
        await asyncio.gather(*(self.blobs.put(name, in_parts(one, 50_000), SIZE_MAX) for one in contents))
        assert await whole(await self.blobs.open(name)) in contents
        assert await self.names() == {name}

    async def test_lists_each_folder_by_itself(self) -> None:
        names = {await self.kept(b"x") for _ in range(20)}
        await self.blobs.put(a_name("documents"), in_parts(b"x"), SIZE_MAX)
        assert await self.names() == names
        assert [name async for name in self.blobs.names("nothing")] == []

    async def test_never_sweeps_what_was_finished(self) -> None:
        name = await self.kept(b"x")
        assert await self.blobs.sweep(0) == 0
        assert await self.blobs.size(name) == 1
