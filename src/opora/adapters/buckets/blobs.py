"""Blobs in a bucket: uploaded in parts that nobody sees until the last is there, and read as a stream."""

from collections.abc import AsyncIterable, AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from opora.adapters.buckets.address import Bucket
from opora.adapters.buckets.unfinished import UnfinishedUploads
from opora.core.kernel.errors import BlobTooLarge, NoSuchBlob, StorageUnavailable
from opora.core.kernel.model import Blob, BlobName
from opora.core.kernel.ports import BlobStore

PART_BYTES = 8 * 1024 * 1024
"""The size of a part: S3 takes 10,000 of them at most, so a file may have 78 GiB."""
PARTS_AT_ONCE = 2
READ_BYTES = 256 * 1024
LISTED_AT_ONCE = 1000
CONNECT_TIMEOUT_S = 5
SILENCE_S = 30
"""How long the store may say nothing in the middle of an answer."""
TRANSFER_S = 3600
RETRIES_MAX = 3
RETRY_WINDOW_S = 20


class BucketBlobs(BlobStore):
    """Blobs under `prefix/folder/id` of one bucket.

    A put holds PARTS_AT_ONCE parts in memory, whatever the size; each goes with its SHA-256, which the store checks.
    What the store refuses or fails to do in time is StorageUnavailable.
    """

    def __init__(self, bucket: Bucket) -> None:
        self._unfinished = UnfinishedUploads(bucket)
        self._store = S3Store(
            bucket.name,
            prefix=bucket.prefix or None,
            config={
                "endpoint": bucket.endpoint,
                "region": bucket.region,
                "access_key_id": bucket.access_key_id,
                "secret_access_key": bucket.secret_access_key,
                "virtual_hosted_style_request": False,
                "checksum_algorithm": "SHA256",
            },
            client_options={
                "allow_http": bucket.endpoint.startswith("http:"),
                "connect_timeout": timedelta(seconds=CONNECT_TIMEOUT_S),
                "read_timeout": timedelta(seconds=SILENCE_S),
                "timeout": timedelta(seconds=TRANSFER_S),
            },
            retry_config={"max_retries": RETRIES_MAX, "retry_timeout": timedelta(seconds=RETRY_WINDOW_S)},
        )

    async def put(self, name: BlobName, content: AsyncIterable[bytes], size_max: int) -> Blob:
        """See the port."""
        source = MeasuredSource(content, size_max)
        try:
            with bucket_store():
                await obstore.put_async(
                    self._store, str(name), source.parts(), chunk_size=PART_BYTES, max_concurrency=PARTS_AT_ONCE
                )
        except Exception:
            if source.fault is not None:
                raise source.fault from None
            raise
        return Blob(name, source.size, source.digest.hexdigest())

    async def open(self, name: BlobName, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """See the port."""
        size = await self.size(name)
        if size is None:
            raise NoSuchBlob(name=str(name))
        end = size if length is None else min(start + length, size)
        if start >= end:
            return nothing()
        with bucket_store():
            answer = await obstore.get_async(self._store, str(name), options={"range": (start, end)})
        return self._read(answer)

    async def _read(self, answer: Any) -> AsyncIterator[bytes]:
        with bucket_store():
            async for some in answer.stream(min_chunk_size=READ_BYTES):
                yield bytes(some)

    async def size(self, name: BlobName) -> int | None:
        """See the port."""
        try:
            with bucket_store():
                return (await obstore.head_async(self._store, str(name)))["size"]
        except NoSuchBlob:
            return None

    async def delete(self, name: BlobName) -> bool:
        """See the port; of two at once both may be told that it was there."""
        if await self.size(name) is None:
            return False
        with bucket_store():
            await obstore.delete_async(self._store, str(name))
        return True

    async def names(self, folder: str) -> AsyncIterator[BlobName]:
        """See the port; what others put into the bucket is passed over."""
        with bucket_store():
            async for some in obstore.list(self._store, prefix=f"{folder}/", chunk_size=LISTED_AT_ONCE):
                for one in some:
                    name = name_of(folder, one["path"])
                    if name is not None:
                        yield name

    async def sweep(self, unfinished_for_s: float) -> int:
        """See the port; judged by when the upload began, so give more time than the longest takes."""
        return await self._unfinished.abort(unfinished_for_s)


class MeasuredSource:
    """Content on its way into the store: counted and hashed as it goes, its own faults kept apart from the store's."""

    def __init__(self, content: AsyncIterable[bytes], size_max: int) -> None:
        self._content = content
        self._size_max = size_max
        self.digest = sha256()
        self.size = 0
        self.fault: Exception | None = None

    async def parts(self) -> AsyncIterator[bytes]:
        """Give the content on; raises BlobTooLarge before a byte past the bound."""
        try:
            async for some in self._content:
                self.size += len(some)
                if self.size > self._size_max:
                    raise BlobTooLarge(size_max=self._size_max)
                self.digest.update(some)
                yield some
        except Exception as fault:
            self.fault = fault
            raise


@contextmanager
def bucket_store() -> Iterator[None]:
    """Name what the store raises in the core's words."""
    try:
        yield
    except FileNotFoundError as error:
        raise NoSuchBlob from error
    except (BaseError, OSError) as error:
        raise StorageUnavailable(retry_after_s=10) from error


def name_of(folder: str, path: str) -> BlobName | None:
    """Return the name that a path of the bucket stands for; None where the program did not put it there."""
    try:
        return BlobName(folder, UUID(path.removeprefix(f"{folder}/")))
    except ValueError:
        return None


async def nothing() -> AsyncIterator[bytes]:
    """Give no bytes."""
    return
    yield b""
