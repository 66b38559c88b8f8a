"""The stores of blobs keep their contract."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from hashlib import sha256
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from opora.adapters.buckets.address import bucket_at
from opora.adapters.buckets.blobs import BucketBlobs
from opora.adapters.files.blobs import FolderBlobs
from opora.core.kernel.errors import NoSuchBlob, StorageUnavailable
from opora.core.kernel.model import BlobName
from opora.testing.blobs import SIZE_MAX, BlobStoreContract, a_name, breaking_off, in_parts
from servers.bucket import asked
from servers.processes import HOST, free_port

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


class TestBucket(BlobStoreContract):
    """Blobs in a bucket, and what only a bucket can show."""

    @pytest.fixture(autouse=True)
    def _store(self, bucket_server: int) -> None:
        self.port = bucket_server
        self.bucket = f"b-{uuid4().hex}"
        asked(self.port, "PUT", f"/{self.bucket}")
        self.blobs: BucketBlobs = BucketBlobs(bucket_at(self.url(), "a key", "a secret"))

    def url(self, prefix: str = "/kept/here") -> str:
        """Return the address of this test's bucket."""
        return f"s3://{self.bucket}{prefix}?endpoint=http://{HOST}:{self.port}"

    def uploads(self) -> int:
        """Return how many uploads have begun and not ended."""
        return (asked(self.port, "GET", f"/{self.bucket}?uploads") or b"").count(b"<UploadId>")

    def begin_upload(self, key: str) -> None:
        """Begin an upload and never end it, as a process that is killed does."""
        asked(self.port, "POST", f"/{self.bucket}/{key}?uploads")

    async def test_keeps_a_file_of_many_parts_whole(self) -> None:
        content = os.urandom(20_000_000)
        name = a_name()
        blob = await self.blobs.put(name, in_parts(content, 65_536), 20_000_000)
        assert blob.sha256 == sha256(content).hexdigest()
        assert b"".join([part async for part in await self.blobs.open(name)]) == content
        assert self.uploads() == 0

    async def test_leaves_no_upload_behind_when_its_source_fails(self) -> None:
        with pytest.raises(ConnectionResetError):
            await self.blobs.put(a_name(), breaking_off(b"x" * 9_000_000), SIZE_MAX)
        assert self.uploads() == 0

    async def test_a_put_that_is_cancelled_leaves_no_file(self) -> None:
        name = a_name()

        async def stalled() -> AsyncIterator[bytes]:
            yield b"x" * 9_000_000
            await asyncio.sleep(3600)

        putting = asyncio.create_task(self.blobs.put(name, stalled(), SIZE_MAX))
        await asyncio.sleep(0.2)
        putting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await putting
        assert await self.blobs.size(name) is None
        await self.blobs.sweep(0)
        assert self.uploads() == 0

    async def test_sweeps_what_a_crash_left_and_spares_what_is_not_its_own(self) -> None:
        self.begin_upload(f"kept/here/{a_name()}")
        self.begin_upload("elsewhere/file")
        assert await self.blobs.sweep(0) == 1
        assert self.uploads() == 1

    async def test_passes_over_what_others_put_into_the_bucket(self) -> None:
        name = await self.kept(b"ours")
        asked(self.port, "PUT", f"/{self.bucket}/kept/here/exports/notes.txt")
        assert await self.names() == {name}

    async def test_two_prefixes_of_a_bucket_do_not_see_each_other(self) -> None:
        await self.kept(b"x")
        other = BucketBlobs(bucket_at(self.url("/other"), "a key", "a secret"))
        assert [name async for name in other.names("exports")] == []

    async def test_a_bucket_that_is_not_there_and_a_store_that_is_down_are_named_in_the_words_of_the_core(self) -> None:
        down = f"s3://bucket?endpoint=http://{HOST}:{free_port()}"
        for url in (self.url().replace(self.bucket, "no-such-bucket"), down):
            blobs = BucketBlobs(bucket_at(url, "a key", "a secret"))
            with pytest.raises((StorageUnavailable, NoSuchBlob)):
                await blobs.put(a_name(), in_parts(b"x"), SIZE_MAX)
            with pytest.raises(StorageUnavailable):
                await blobs.sweep(0)


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
