"""Chooses the store of files by the scheme of its address."""

from pathlib import Path
from urllib.parse import unquote

from opora.adapters.files.blobs import FolderBlobs
from opora.bootstrap.settings import Settings
from opora.core.kernel.ports import BlobStore

FOLDER = "file:"


class StorageLacking(Exception):
    """The store that the settings name cannot be used; the message says what to do."""


def blobs_of(settings: Settings) -> BlobStore:
    """Return the store; nothing is opened yet. Raises StorageLacking, which stops the start."""
    url = settings.storage_url
    if url.startswith(FOLDER):
        return FolderBlobs(Path(unquote(url.removeprefix(FOLDER).removeprefix("//"))))
    try:
        from opora.adapters.buckets.address import bucket_at  # noqa: PLC0415  # an extra: a folder needs none of it
        from opora.adapters.buckets.blobs import BucketBlobs  # noqa: PLC0415
    except ImportError as fault:
        raise StorageLacking(f"OPORA_STORAGE_URL: {fault.name} is not installed; install opora[s3]") from fault
    try:
        return BucketBlobs(bucket_at(url, settings.storage_access_key_id, settings.storage_secret_access_key))
    except ValueError as fault:
        raise StorageLacking(f"OPORA_STORAGE_URL {fault}") from fault
