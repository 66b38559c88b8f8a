"""Signs a request to S3 (AWS Signature Version 4), for the calls that the library of the store does not make."""

import hmac
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from urllib.parse import quote, urlsplit

from opora.adapters.buckets.address import Bucket

ALGORITHM = "AWS4-HMAC-SHA256"


def signed(
    bucket: Bucket, method: str, key: str, query: Mapping[str, str], body_sha256: str, now: datetime
) -> tuple[str, dict[str, str]]:
    """Return the address of a request without a body of its own and the headers that prove who sends it."""
    path = "/" + quote("/".join(filter(None, (bucket.name, key))), safe="/-_.~")
    asked = "&".join(f"{quote(name, safe='-_.~')}={quote(query[name], safe='-_.~')}" for name in sorted(query))
    stamp = f"{now:%Y%m%dT%H%M%SZ}"
    headers = {"host": urlsplit(bucket.endpoint).netloc, "x-amz-content-sha256": body_sha256, "x-amz-date": stamp}
    names = ";".join(headers)
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    canonical = f"{method}\n{path}\n{asked}\n{lines}\n{names}\n{body_sha256}"
    scope = f"{stamp[:8]}/{bucket.region}/s3/aws4_request"
    to_sign = f"{ALGORITHM}\n{stamp}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
    signing_key = f"AWS4{bucket.secret_access_key}".encode()
    for part in scope.split("/"):
        signing_key = hmac.digest(signing_key, part.encode(), sha256)
    signature = hmac.digest(signing_key, to_sign.encode(), sha256).hex()
    credential = f"{ALGORITHM} Credential={bucket.access_key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
    return f"{bucket.endpoint}{path}?{asked}", {**headers, "authorization": credential}
