"""The address of a bucket, and the signature under a request to it."""

from datetime import UTC, datetime
from hashlib import sha256

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from opora.adapters.buckets import signing
from opora.adapters.buckets.address import bucket_at

NOW = datetime(2026, 11, 21, 5, 0, 0, tzinfo=UTC)
NO_BODY = sha256(b"").hexdigest()


def test_reads_the_bucket_its_prefix_and_where_it_is() -> None:
    bucket = bucket_at("s3://papers/dbo/2026?endpoint=https://minio.bank:9000/&region=ru-1", "id", "secret")
    assert (bucket.name, bucket.prefix, bucket.region) == ("papers", "dbo/2026", "ru-1")
    assert bucket.endpoint == "https://minio.bank:9000"


def test_without_an_endpoint_it_is_amazons_of_that_region() -> None:
    assert bucket_at("s3://papers?region=eu-west-1", "", "").endpoint == "https://s3.eu-west-1.amazonaws.com"
    assert bucket_at("s3://papers", "", "").prefix == ""


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("s3:papers", "names no bucket"),
        ("file:papers", "names no bucket"),
        ("s3://id:secret@papers", "holds credentials"),
        ("s3://papers?acl=public", "unknown parameter acl"),
        ("s3://papers?endpoint=minio:9000", "endpoint"),
        ("s3://papers?endpoint=http://minio/a/path", "endpoint"),
    ],
)
def test_says_what_is_wrong_with_an_address(url: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        bucket_at(url, "", "")


@pytest.mark.parametrize(
    ("method", "key", "query"),
    [
        ("GET", "", {"uploads": "", "prefix": "dbo 2026/", "key-marker": "a+b=c&d"}),
        ("DELETE", "dbo/exports/файл", {"uploadId": "x/y~z"}),
    ],
)
def test_signs_as_amazons_own_client_does(method: str, key: str, query: dict[str, str]) -> None:
    bucket = bucket_at("s3://papers?endpoint=http://127.0.0.1:9000&region=ru-1", "id", "secret")
    url, headers = signing.signed(bucket, method, key, query, NO_BODY, NOW)
    peer = AWSRequest(method, url, headers={"X-Amz-Content-SHA256": NO_BODY})
    peer.context.update(timestamp="20261121T050000Z", payload_signing_enabled=True)
    auth = S3SigV4Auth(Credentials("id", "secret"), "s3", "ru-1")
    peer.headers["X-Amz-Date"] = "20261121T050000Z"
    to_sign = auth.string_to_sign(peer, auth.canonical_request(peer))
    assert headers["authorization"].endswith("Signature=" + auth.signature(to_sign, peer))
