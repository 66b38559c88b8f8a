"""What every drop of files must hold."""

from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from opora.core.kernel.errors import BlobTooLarge
from opora.core.numbers.errors.transfers import DropRefused, NoSuchDropFile
from opora.core.numbers.ports.drops import DropFile, FileDrop
from opora.testing.blobs import in_parts

SIZE_MAX = 4 * 1024 * 1024
LARGE = bytes(range(256)) * 4096
OUTSIDE = ["../outside.csv", "/etc/passwd", "a/../../outside.csv", "", "a//b", ".", "a/.", "..", "a\\..\\b", "a\x00b"]


async def read(drop: FileDrop, name: str, size_max: int = SIZE_MAX) -> bytes:
    """Return a file of a drop."""
    async with aclosing(drop.read(name, size_max)) as parts:
        return b"".join([part async for part in parts])


async def failing(content: bytes) -> AsyncIterator[bytes]:
    """Give the content over, then fail as whoever makes it may."""
    async for part in in_parts(content):
        yield part
    raise LookupError


class FileDropContract:
    """A subclass sets `drop`, empty and with a file `outside.csv` beside its root, before each test."""

    drop: FileDrop

    async def test_gives_back_what_was_written(self) -> None:
        assert await self.drop.write("numbers.csv", in_parts(LARGE)) == len(LARGE)
        assert await read(self.drop, "numbers.csv") == LARGE

    async def test_keeps_an_empty_file(self) -> None:
        assert await self.drop.write("empty.csv", in_parts(b"")) == 0
        assert await read(self.drop, "empty.csv") == b""

    async def test_makes_the_folders_of_a_name(self) -> None:
        await self.drop.write("out/2026/числа.csv", in_parts(b"1"))
        assert await read(self.drop, "out/2026/числа.csv") == b"1"

    async def test_replaces_a_file_whole(self) -> None:
        await self.drop.write("numbers.csv", in_parts(LARGE))
        await self.drop.write("numbers.csv", in_parts(b"short"))
        assert await read(self.drop, "numbers.csv") == b"short"

    async def test_shows_nothing_of_a_file_that_breaks_off(self) -> None:
        await self.drop.write("numbers.csv", in_parts(b"before"))
        with pytest.raises(LookupError):
            await self.drop.write("numbers.csv", failing(LARGE))
        assert await read(self.drop, "numbers.csv") == b"before"
        assert await self.drop.files() == [DropFile("numbers.csv", 6)]

    async def test_lists_whole_files_by_name(self) -> None:
        seen: list[list[str]] = []

        async def watched() -> AsyncIterator[bytes]:
            yield b"12"
            seen.append([one.name for one in await self.drop.files()])

        await self.drop.write("b.csv", in_parts(b"1"))
        await self.drop.write("a.csv", watched())
        await self.drop.write("inner/c.csv", in_parts(b"123"))
        assert seen == [["b.csv"]]
        assert await self.drop.files() == [DropFile("a.csv", 2), DropFile("b.csv", 1)]
        assert await self.drop.files("inner") == [DropFile("inner/c.csv", 3)]
        assert await self.drop.files("nowhere") == []

    async def test_names_a_file_that_is_not_there(self) -> None:
        for name in ("none.csv", "no/where.csv"):
            with pytest.raises(NoSuchDropFile):
                await read(self.drop, name)
        assert not await self.drop.delete("none.csv")

    async def test_deletes_a_file(self) -> None:
        await self.drop.write("numbers.csv", in_parts(b"1"))
        assert await self.drop.delete("numbers.csv")
        assert await self.drop.files() == []

    async def test_refuses_a_file_past_the_bound(self) -> None:
        await self.drop.write("numbers.csv", in_parts(b"1234"))
        assert await read(self.drop, "numbers.csv", 4) == b"1234"
        with pytest.raises(BlobTooLarge):
            await read(self.drop, "numbers.csv", 3)

    @pytest.mark.parametrize("name", OUTSIDE)
    async def test_lets_no_name_lead_out_of_the_root(self, name: str) -> None:
        with pytest.raises(DropRefused):
            await read(self.drop, name)
        with pytest.raises(DropRefused):
            await self.drop.write(name, in_parts(b"1"))
        with pytest.raises(DropRefused):
            await self.drop.delete(name)

    async def test_says_in_a_few_words_what_it_is(self) -> None:
        assert 0 < len(await self.drop.check()) < 100
