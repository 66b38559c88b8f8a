"""What documents need of a store."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from opora.core.documents.model.documents import Document, DocumentFilter, DocumentView, HistoryEntry, Reach
from opora.core.documents.ports.reference import CategoryRepository
from opora.core.jobs.ports import JobQueue
from opora.core.kernel.model import Page, PageRequest
from opora.core.kernel.ports import AuditTrail, Outbox
from opora.core.notifications.ports.notices import Notices


class DocumentRepository(ABC):
    """Documents inside a transaction. A deleted document is not there, but where a method says otherwise."""

    @abstractmethod
    async def next_id(self) -> int:
        """Take an id that no document has or will have."""

    @abstractmethod
    async def add(self, document: Document, text: str = "") -> bool:
        """Keep a new document with the text that was read in its file.

        False, and nothing is kept, where the same client has the same bytes in the same category: of any number of
        simultaneous calls one is kept. Raises StorageUnavailable where the file was condemned meanwhile.
        """

    @abstractmethod
    async def twin(self, user_id: int, sha256: str, category_id: int) -> Document | None:
        """Return the document of that client with those bytes in that category."""

    @abstractmethod
    async def get(self, id: int, reach: Reach) -> Document | None:
        """Return the document, locked against change until the transaction ends; None outside the reach."""

    @abstractmethod
    async def save(self, document: Document, previous: int) -> None:
        """Replace what is kept; raises Stale unless the kept version is `previous`. The text goes with the file."""

    @abstractmethod
    async def tell(self, entry: HistoryEntry) -> None:
        """Add a line to a document's history; its `number` is the next one there, whatever it says."""

    @abstractmethod
    async def movers(self, id: int) -> Sequence[HistoryEntry]:
        """Return the whole history, the oldest first."""

    @abstractmethod
    async def late(self, today: date, limit: int) -> Sequence[Document]:
        """Return documents the bank is working on whose planned day is before `today` and that were not yet found
        late, the longest late first, locked alike.
        """

    @abstractmethod
    async def spent(self, today: date, limit: int) -> Sequence[Document]:
        """Return documents whose file is still kept though its retention ended before `today` and no hold keeps it,
        and deleted ones whose file is still kept; locked alike.
        """

    @abstractmethod
    async def unscanned(self, before: datetime, limit: int) -> Sequence[int]:
        """Return ids of pending documents that came in before then and that no scanner has judged."""

    @abstractmethod
    async def condemn(self, blob_ids: Sequence[UUID], at: datetime) -> frozenset[UUID]:
        """Return those of these names of files that no document has a claim on, deleted and purged ones aside, and
        see to it that none ever will: of a sweep and an upload that are at one file at once, one wins.
        """


class DocumentViews(ABC):
    """Documents as people read them."""

    @abstractmethod
    async def page(self, reach: Reach, wanted: DocumentFilter, request: PageRequest) -> Page[DocumentView]:
        """Return documents within reach, the newest first, by page or by cursor.

        The cost of a page by cursor does not grow with its depth; past a bound the count is an estimate.
        """

    @abstractmethod
    async def one(self, id: int, reach: Reach) -> DocumentView | None:
        """Return one document; None where there is none within reach."""

    @abstractmethod
    async def twin(self, user_id: int, sha256: str, category_id: int) -> DocumentView | None:
        """Return the document of that client with those bytes in that category."""

    @abstractmethod
    async def unscanned(self, id: int) -> Document | None:
        """Return the document while it is pending and no scanner has judged it."""

    @abstractmethod
    async def history(self, id: int) -> Sequence[HistoryEntry]:
        """Return a document's history, the oldest first."""

    @abstractmethod
    async def text(self, id: int) -> str:
        """Return the text that was read in the file, as much as is kept."""


class DocumentTx(Protocol):
    """What a transaction over documents shows."""

    @property
    def documents(self) -> DocumentRepository: ...
    @property
    def categories(self) -> CategoryRepository: ...
    @property
    def jobs(self) -> JobQueue: ...
    @property
    def notices(self) -> Notices: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def audit(self) -> AuditTrail: ...
