"""The stores of blobs keep their contract."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import UUID

import pytest

from opora.adapters.files.blobs import FolderBlobs
from opora.core.kernel.errors import StorageUnavailable
from opora.core.kernel.model import BlobName
from opora.testing.blobs import SIZE_MAX, BlobStoreContract, a_name, in_parts

pytestmark = pytest.mark.anyio


class TestFolder(BlobStoreContract):
    """Blobs in a folder, and what only a folder can show."""

    @pytest.fixture(autouse=True)
    def _store(self, tmp_path: Path) -> Iterator[None]:
        self.root = tmp_path / "blobs"
        self.blobs: FolderBlobs = FolderBlobs(self.root)
        yield
        self.blobs.close()

    def files(self) -> list[Path]:
        """Return every file under the root."""
        return [path for path in self.root.rglob("*") if path.is_file()]

    async def test_shows_no_name_before_the_last_byte(self) -> None:
        name, seen = a_name(), []

        async def watched() -> AsyncIterator[bytes]:
            for _ in range(3):
                yield b"x" * 300_000
                seen.append(await self.blobs.size(name))

        await self.blobs.put(name, watched(), SIZE_MAX)
        assert seen == [None, None, None]

    async def test_keeps_files_from_other_accounts(self) -> None:
        await self.kept(b"secret")
        assert [path.stat().st_mode & 0o777 for path in self.files()] == [0o600]

    async def test_sweeps_what_a_crash_left_and_spares_a_put_under_way(self) -> None:
        name = await self.kept(b"whole")
        crashed = self.files()[0].with_name(f"{name.id}.0000.part")
        crashed.write_bytes(b"half")
        os.utime(crashed, (1, 1))

        async def swept_meanwhile() -> AsyncIterator[bytes]:
            yield b"x" * 300_000
            assert await self.blobs.sweep(3600) == 1

        await self.blobs.put(a_name(), swept_meanwhile(), SIZE_MAX)
        assert len(self.files()) == 2
        assert not crashed.exists()

    async def test_names_a_failing_disk_in_the_words_of_the_core(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_bytes(b"")
        blocked = FolderBlobs(tmp_path / "file")
        try:
            with pytest.raises(StorageUnavailable):
                await blocked.put(a_name(), in_parts(b"x"), SIZE_MAX)
        finally:
            blocked.close()


@pytest.mark.parametrize("folder", ["", "..", "a/b", "Exports", "файлы", "a.b", "/etc"])
def test_a_blob_is_never_named_outside_its_folder(folder: str) -> None:
    with pytest.raises(ValueError, match="lower-case"):
        BlobName(folder, UUID(int=1))


@pytest.mark.parametrize("text", ["exports", "exports/..", "exports/../../etc/passwd", "../" + str(UUID(int=1))])
def test_no_text_but_a_folder_and_an_id_is_a_name(text: str) -> None:
    with pytest.raises(ValueError):
        BlobName.parse(text)


def test_a_name_is_read_back_as_it_is_written() -> None:
    name = a_name()
    assert BlobName.parse(str(name)) == name
