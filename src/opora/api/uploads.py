"""Files of forms that go straight into the store: large ones, of which no copy is kept aside."""

from collections.abc import AsyncIterable, AsyncIterator

from opora.core.documents.model.files import Received
from opora.core.documents.ports.files import Intake
from opora.core.kernel.model import Blob, BlobName
from opora.core.numbers.usecases.transfers import KeepUpload


class StoredUploads(Intake):
    """Receives files of forms into the store of files; those that nobody adopts are let go with the form."""

    def __init__(self, keep: KeepUpload) -> None:
        self._keep = keep
        self._kept: dict[str, Blob] = {}

    async def receive(self, content: AsyncIterable[bytes], size_max: int) -> Received:
        """See the port."""
        blob = await self._keep(content, size_max)
        self._kept[str(blob.name)] = blob
        return Received(str(blob.name), blob.size, blob.sha256)

    def adopt(self, received: Received) -> Blob:
        """Return the stored file, which stays from now on."""
        return self._kept.pop(received.place)

    def blob(self, received: Received) -> Blob:
        """Return the stored file."""
        return self._kept[received.place]

    async def content(self, received: Received) -> AsyncIterator[bytes]:
        """See the port."""
        async for some in await self._keep.blobs.open(BlobName.parse(received.place)):
            yield some

    async def discard(self, received: Received) -> None:
        """See the port; a file that was adopted is let be."""
        blob = self._kept.pop(received.place, None)
        if blob is not None:
            await self._keep.forget(blob)

    async def sweep(self, older_than_s: float) -> int:
        """See the port: strays are the sweep's of transfers."""
        del older_than_s
        return 0
