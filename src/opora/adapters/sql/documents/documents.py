"""Documents of a bank's clients inside one transaction."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from opora.adapters.sql.connection import Connection
from opora.adapters.sql.errors import ConstraintBroken
from opora.adapters.sql.jobs import uuid_of
from opora.adapters.sql.mapping import columns, insertion, load, to_json
from opora.core.documents.model.documents import Document, HistoryEntry, Reach
from opora.core.documents.ports.documents import DocumentRepository
from opora.core.kernel.errors import Stale, StorageUnavailable
from opora.core.kernel.rules import folded

NAMES = (
    "id", "user_id", "worker_id", "category_id", "description", "status", "uploaded_at", "uploaded_by", "actual_date",
    "actual_end_date", "plan_maturity_date", "fact_maturity_date", "blob_id", "file_name", "media_type", "size",
    "sha256", "pages", "scan", "moved_at", "moved_by", "overdue_at", "is_held", "retained_until", "is_file_removed",
    "deleted_at", "abs_reference", "abs_sync", "version",
)  # fmt: skip
FIELDS = ", ".join(f"d.{name}" for name in NAMES)
KEPT = "d.deleted_at IS NULL"
TWIN_KEY = "(user_id, sha256, category_id) WHERE deleted_at IS NULL"
ADD = insertion("documents", (*NAMES, "search"), f"ON CONFLICT {TWIN_KEY} DO NOTHING")
ADD_TEXT = insertion("document_texts", ("document_id", "text"))
CHANGED = (
    "worker_id", "description", "status", "plan_maturity_date", "scan", "moved_at", "moved_by", "overdue_at",
    "is_held", "retained_until", "is_file_removed", "deleted_at", "abs_reference", "abs_sync", "version", "search",
)  # fmt: skip
# The day that a document was settled is written once, whatever a later save says.
SAVE = f"""
UPDATE documents SET {", ".join(f"{name} = :{name}" for name in CHANGED)},
 fact_maturity_date = COALESCE(fact_maturity_date, :fact_maturity_date)
WHERE id = :id AND version = :previous
"""
TELL = """
INSERT INTO document_history (document_id, number, status, at, by, user_id, comment) VALUES (:document_id,
 (SELECT COALESCE(max(number), 0) + 1 FROM document_history WHERE document_id = :document_id),
 :status, :at, :by, :user_id, :comment)
"""
HISTORY = """
SELECT document_id, number, status, at, by, user_id, comment FROM document_history
WHERE document_id = :id ORDER BY number
"""
LATE = f"""
SELECT {FIELDS} FROM documents d
WHERE {KEPT} AND d.status IN ('pending', 'in_review', 'approved') AND d.overdue_at IS NULL
 AND d.plan_maturity_date < :today
ORDER BY d.plan_maturity_date, d.id LIMIT :limit
"""
SPENT = f"""
SELECT {FIELDS} FROM documents d
WHERE NOT d.is_file_removed AND NOT d.is_held AND (d.retained_until < :today OR d.deleted_at IS NOT NULL)
ORDER BY d.id LIMIT :limit
"""
UNSCANNED = f"""
SELECT d.id FROM documents d
WHERE {KEPT} AND d.status = 'pending' AND d.scan = 'waiting' AND d.uploaded_at < :before ORDER BY d.id LIMIT :limit
"""
CLAIMED = "SELECT blob_id FROM documents WHERE deleted_at IS NULL AND NOT is_file_removed AND blob_id IN "
CONDEMN = "INSERT INTO swept_files (blob_id, swept_at) VALUES (:blob_id, :at) ON CONFLICT (blob_id) DO NOTHING"
FORGET = "DELETE FROM swept_files WHERE swept_at < :before"
ALONE = "SELECT pg_advisory_xact_lock(hashtext('opora_document_files'))"
FILE_IS_KEPT = "ck_documents_file_is_kept"
SWEPT_FOR = timedelta(days=7)
"""How long a swept file is remembered: no call that was storing it lives that long."""


class SqlDocumentRepository(DocumentRepository):
    """Documents inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = " FOR UPDATE OF d" if connection.dialect == "postgresql" else ""

    async def next_id(self) -> int:
        return await self._connection.next_id("documents")

    async def add(self, document: Document, text: str = "") -> bool:
        try:
            added = await self._connection.execute(ADD, **columns(document), search=search_text(document))
        except ConstraintBroken as broken:
            if broken.constraint != FILE_IS_KEPT:
                raise
            raise StorageUnavailable("The file was swept before its document was written.") from broken
        if not added:
            return False
        if text:
            await self._connection.execute(ADD_TEXT, document_id=document.id, text=text)
        return True

    async def twin(self, user_id: int, sha256: str, category_id: int) -> Document | None:
        where = f"d.user_id = :user_id AND d.sha256 = :sha256 AND d.category_id = :category_id AND {KEPT}"
        return await self._one(where, user_id=user_id, sha256=sha256, category_id=category_id)

    async def get(self, id: int, reach: Reach) -> Document | None:
        if reach.user_id is None:
            return await self._one(f"d.id = :id AND {KEPT}{self._lock}", id=id)
        return await self._one(f"d.id = :id AND d.user_id = :owner AND {KEPT}{self._lock}", id=id, owner=reach.user_id)

    async def _one(self, where: str, **parameters: object) -> Document | None:
        row = await self._connection.fetch_one(f"SELECT {FIELDS} FROM documents d WHERE {where}", **parameters)
        return load(Document, row) if row else None

    async def save(self, document: Document, previous: int) -> None:
        values = columns(document) | {"search": search_text(document)}
        parameters = {name: values[name] for name in (*CHANGED, "id", "fact_maturity_date")}
        if not await self._connection.execute(SAVE, **parameters, previous=previous):
            raise Stale(document_id=document.id)
        if document.is_file_removed:
            await self._connection.execute("DELETE FROM document_texts WHERE document_id = :id", id=document.id)

    async def tell(self, entry: HistoryEntry) -> None:
        values = columns(entry)
        del values["number"]
        await self._connection.execute(TELL, **values)

    async def movers(self, id: int) -> Sequence[HistoryEntry]:
        return [load(HistoryEntry, row) for row in await self._connection.fetch(HISTORY, id=id)]

    async def late(self, today: date, limit: int) -> Sequence[Document]:
        return await self._several(LATE, today=today, limit=limit)

    async def spent(self, today: date, limit: int) -> Sequence[Document]:
        return await self._several(SPENT, today=today, limit=limit)

    async def _several(self, sql: str, **parameters: object) -> Sequence[Document]:
        return [load(Document, row) for row in await self._connection.fetch(sql + self._lock, **parameters)]

    async def unscanned(self, before: datetime, limit: int) -> Sequence[int]:
        return [row["id"] for row in await self._connection.fetch(UNSCANNED, before=before, limit=limit)]

    async def condemn(self, blob_ids: Sequence[UUID], at: datetime) -> frozenset[UUID]:
        if self._connection.dialect == "postgresql":
            await self._connection.fetch(ALONE)
        sql = CLAIMED + self._connection.listed("ids", "uuid")
        rows = await self._connection.fetch(sql, ids=to_json([str(one) for one in blob_ids]))
        nobodys = frozenset(blob_ids) - {uuid_of(row["blob_id"]) for row in rows}
        await self._connection.execute_many(CONDEMN, [{"blob_id": one, "at": at} for one in sorted(nobodys)])
        await self._connection.execute(FORGET, before=at - SWEPT_FOR)
        return nobodys


def search_text(document: Document) -> str:
    """Give the text that words are looked for in."""
    return folded(f"{document.description} {document.file_name}")
