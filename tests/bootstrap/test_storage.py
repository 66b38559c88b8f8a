"""The store of files is the one that the address names."""

import sys

import pytest

from opora.adapters.buckets.blobs import BucketBlobs
from opora.adapters.files.blobs import FolderBlobs
from opora.bootstrap.forms import storage_url
from opora.bootstrap.settings import Settings
from opora.bootstrap.storage import StorageLacking, blobs_of


def test_a_folder_and_a_bucket_are_told_by_the_scheme() -> None:
    assert isinstance(blobs_of(Settings(storage_url="file:///data/opora%20files")), FolderBlobs)
    bucket = Settings(storage_url="s3://papers/dbo?endpoint=http://127.0.0.1:9000", storage_access_key_id="id")
    assert isinstance(blobs_of(bucket), BucketBlobs)


def test_a_bucket_without_its_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "opora.adapters.buckets.blobs")
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(StorageLacking, match=r"obstore is not installed; install opora\[s3\]"):
        blobs_of(Settings(storage_url="s3://papers"))


def test_a_bad_endpoint_stops_the_start() -> None:
    with pytest.raises(StorageLacking, match="endpoint"):
        blobs_of(Settings(storage_url="s3://papers?endpoint=minio"))


@pytest.mark.parametrize("text", ["s3:papers", "s3://", "s3://id:secret@papers", "ftp://papers", "file:"])
def test_an_address_of_neither_is_refused_with_the_settings(text: str) -> None:
    with pytest.raises(ValueError):
        storage_url(text)


@pytest.mark.parametrize("text", ["s3://papers/dbo?endpoint=http://127.0.0.1:9000&region=ru-1", "file:var/files"])
def test_an_address_of_either_is_kept_as_it_is(text: str) -> None:
    assert storage_url(text) == text
