"""Where a bucket is, read from its address."""

from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

REGION = "us-east-1"
"""What stores that know no regions go by."""
PARAMETERS = frozenset({"endpoint", "region"})


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket, what stands before every name in it, and who opens it."""

    name: str
    prefix: str
    endpoint: str
    region: str
    access_key_id: str
    secret_access_key: str


def bucket_at(url: str, access_key_id: str, secret_access_key: str) -> Bucket:
    """Read `s3://bucket/prefix?endpoint=…&region=…`; raises ValueError saying what is wrong with it.

    Without an endpoint it is Amazon's own of that region.
    """
    parts = urlsplit(url)
    if parts.scheme != "s3" or not parts.netloc:
        raise ValueError("names no bucket; write s3://bucket/prefix?endpoint=https://host")
    if "@" in parts.netloc:
        raise ValueError("holds credentials; give them by settings of their own")
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    unknown = sorted(given.keys() - PARAMETERS)
    if unknown:
        raise ValueError(f"has the unknown parameter {unknown[0]}; there are endpoint and region")
    region = given.get("region") or REGION
    endpoint = (given.get("endpoint") or f"https://s3.{region}.amazonaws.com").rstrip("/")
    where = urlsplit(endpoint)
    if where.scheme not in {"http", "https"} or not where.hostname or where.path or where.query:
        raise ValueError("has an endpoint that is not http://host:port or https://host:port")
    return Bucket(parts.netloc, unquote(parts.path).strip("/"), endpoint, region, access_key_id, secret_access_key)
