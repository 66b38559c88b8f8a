"""Uploads that began and never ended: the store keeps and bills their parts until somebody aborts them."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from xml.etree import ElementTree

import httpx

from opora.adapters.buckets.address import Bucket
from opora.adapters.buckets.signing import signed
from opora.core.kernel.errors import StorageUnavailable

TIMEOUT_S = 30.0
PAGE_BYTES_MAX = 4 * 1024 * 1024
PAGES_MAX = 1000
SPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"


class UnfinishedUploads:
    """The multipart uploads under a prefix of a bucket that have neither ended nor been aborted."""

    def __init__(self, bucket: Bucket, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._bucket = bucket
        self._transport = transport

    async def abort(self, unfinished_for_s: float) -> int:
        """Abort those that began that long ago, and return how many."""
        before = datetime.now(UTC) - timedelta(seconds=unfinished_for_s)
        aborted = 0
        async with httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False, transport=self._transport) as client:
            # collected first: a listing that shrinks under its markers would skip some
            old = [one async for one in self._listed(client) if one["begun"] <= before.isoformat()]
            for one in old:
                await self._ask(client, "DELETE", one["key"], {"uploadId": one["id"]})
                aborted += 1
        return aborted

    async def _listed(self, client: httpx.AsyncClient) -> AsyncIterator[Mapping[str, str]]:
        after: dict[str, str] = {}
        for _ in range(PAGES_MAX):
            query = {"uploads": "", "prefix": f"{self._bucket.prefix}/" if self._bucket.prefix else "", **after}
            page = ElementTree.fromstring(await self._ask(client, "GET", "", query))  # noqa: S314  # bounded, the store's own
            for one in page.iter(f"{SPACE}Upload"):
                begun = datetime.fromisoformat(text(one, "Initiated")).astimezone(UTC).isoformat()
                yield {"key": text(one, "Key"), "id": text(one, "UploadId"), "begun": begun}
            if text(page, "IsTruncated") != "true":
                return
            after = {"key-marker": text(page, "NextKeyMarker"), "upload-id-marker": text(page, "NextUploadIdMarker")}

    async def _ask(self, client: httpx.AsyncClient, method: str, key: str, query: Mapping[str, str]) -> bytes:
        url, headers = signed(self._bucket, method, key, query, sha256(b"").hexdigest(), datetime.now(UTC))
        try:
            answer = await client.request(method, url, headers=headers)
        except httpx.HTTPError as error:
            raise StorageUnavailable(retry_after_s=10) from error
        gone = method == "DELETE" and answer.status_code == httpx.codes.NOT_FOUND
        if not (answer.is_success or gone) or len(answer.content) > PAGE_BYTES_MAX:
            raise StorageUnavailable(f"The store answered {answer.status_code}.", retry_after_s=10)
        return answer.content


def text(node: ElementTree.Element, name: str) -> str:
    """Return the text of a child, empty where there is none."""
    return node.findtext(f"{SPACE}{name}") or ""
