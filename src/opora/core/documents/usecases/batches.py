"""Many documents at once, each for itself."""

from collections.abc import Sequence
from dataclasses import dataclass

from opora.core.documents.model.files import DocumentWish, Received
from opora.core.documents.usecases.uploads import Taken, UploadDocument
from opora.core.kernel.errors import DomainError, Unavailable
from opora.core.kernel.model import Actor


@dataclass(frozen=True, slots=True)
class BatchItem:
    """One document of a batch: whose it is to be, what it is to be, and its file."""

    user_id: int
    wish: DocumentWish
    received: Received


@dataclass(frozen=True, slots=True)
class UploadBatch:
    """Take in a batch of clients' documents."""

    upload: UploadDocument

    async def __call__(self, actor: Actor, items: Sequence[BatchItem | DomainError]) -> Sequence[Taken | DomainError]:
        """Return what became of each, in order; what could not even be read is passed on.

        One that is refused keeps none of the others. Raises Unavailable where nothing can be taken in now; what was
        taken before that stays, and sent again it is found.
        """
        return [await self._one(actor, item) for item in items]

    async def _one(self, actor: Actor, item: BatchItem | DomainError) -> Taken | DomainError:
        if isinstance(item, DomainError):
            return item
        try:
            return await self.upload(actor, item.user_id, item.wish, item.received)
        except Unavailable:
            raise
        except DomainError as refusal:
            return refusal


USE_CASES = (UploadBatch,)
