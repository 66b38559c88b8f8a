"""Unfinished uploads: the old ones are aborted, page after page, and the young ones spared."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from opora.adapters.buckets.address import bucket_at
from opora.adapters.buckets.unfinished import UnfinishedUploads
from opora.core.kernel.errors import StorageUnavailable

pytestmark = pytest.mark.anyio

BUCKET = bucket_at("s3://papers/dbo?endpoint=http://127.0.0.1:9000", "id", "secret")
PAGE = """<ListMultipartUploadsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
<IsTruncated>{more}</IsTruncated><NextKeyMarker>k</NextKeyMarker><NextUploadIdMarker>{after}</NextUploadIdMarker>
<Upload><Key>dbo/x</Key><UploadId>{id}</UploadId><Initiated>{begun}</Initiated></Upload>
</ListMultipartUploadsResult>"""


class PlayedStore(httpx.AsyncBaseTransport):
    """A store with one upload a page; `ages_s` tells how long ago each began."""

    def __init__(self, *ages_s: float) -> None:
        self.ages_s = ages_s
        self.aborted: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "DELETE":
            self.aborted.append(request.url.params["uploadId"])
            return httpx.Response(404 if len(self.aborted) > 1 else 204)
        at = int(request.url.params.get("upload-id-marker", "0"))
        begun = datetime.now(UTC) - timedelta(seconds=self.ages_s[at])
        more = "true" if at + 1 < len(self.ages_s) else "false"
        return httpx.Response(
            200, text=PAGE.format(more=more, after=at + 1, id=at, begun=f"{begun:%Y-%m-%dT%H:%M:%S}.000Z")
        )


async def test_aborts_what_began_long_ago_on_every_page_and_spares_the_rest() -> None:
    store = PlayedStore(7200, 10, 90_000)
    assert await UnfinishedUploads(BUCKET, store).abort(3600) == 2
    assert store.aborted == ["0", "2"]


@pytest.mark.parametrize(
    "answer", [httpx.Response(403), httpx.Response(200, content=b"x" * (4 * 1024 * 1024 + 1))], ids=["refused", "huge"]
)
async def test_a_store_that_refuses_or_says_too_much_is_named_in_the_words_of_the_core(answer: httpx.Response) -> None:
    with pytest.raises(StorageUnavailable):
        await UnfinishedUploads(BUCKET, httpx.MockTransport(lambda _: answer)).abort(0)
