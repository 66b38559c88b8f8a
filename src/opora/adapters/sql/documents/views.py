"""Documents as people read them: a page costs the same at any depth."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache

from opora.adapters.sql.connection import Connection, Row
from opora.adapters.sql.documents.documents import FIELDS, HISTORY, KEPT
from opora.adapters.sql.filters import Filter
from opora.adapters.sql.mapping import load
from opora.core.documents.model.documents import Document, DocumentFilter, DocumentView, HistoryEntry, Reach
from opora.core.documents.ports.documents import DocumentViews
from opora.core.kernel.errors import Invalid
from opora.core.kernel.model import Page, PageRequest

COUNTED_MAX = 1_000
"""How far a list counts: its cost must not grow with the store."""
LATE = "d.status IN ('pending', 'in_review', 'approved') AND d.plan_maturity_date < :today"
ONE = f"SELECT {FIELDS}, c.name AS category FROM documents d JOIN document_categories c ON c.id = d.category_id"
TWIN = f"{ONE} WHERE d.user_id = :user_id AND d.sha256 = :sha256 AND d.category_id = :category_id AND {KEPT}"
UNSCANNED = (
    f"SELECT {FIELDS} FROM documents d WHERE d.id = :id AND {KEPT} AND d.status = 'pending' AND d.scan = 'waiting'"
)
TEXT = "SELECT text FROM document_texts WHERE document_id = :id"


def narrowed(reach: Reach, wanted: DocumentFilter) -> Filter:
    """Return the conditions of a reach and of what is wanted."""
    found = Filter(KEPT)
    found.narrow("d.user_id = :owner", owner=reach.user_id)
    found.narrow("d.user_id = :user_id", user_id=wanted.user_id)
    found.narrow("d.status = :status", status=wanted.status)
    found.narrow("d.category_id = :category_id", category_id=wanted.category_id)
    found.narrow("d.worker_id = :worker_id", worker_id=wanted.worker_id)
    found.narrow("d.uploaded_at >= :uploaded_after", uploaded_after=wanted.uploaded_after)
    found.narrow("d.uploaded_at < :uploaded_before", uploaded_before=wanted.uploaded_before)
    if wanted.overdue is not None:
        found.narrow(LATE if wanted.overdue else f"NOT ({LATE})", today=wanted.today)
    found.containing("d.search", wanted.q)
    return found


@cache
def page_sql(parts: tuple[str, ...], after: bool, limit: int, counted: int) -> str:
    """Write the statement of one page: documents, and the bounded count of all in every row.

    The bounds stand in the text: a planner that does not know them reads everything that the filter lets through.
    """
    where = " AND ".join((*parts, "(d.uploaded_at, d.id) < (:after_at, :after_id)") if after else parts)
    place = "" if after else " OFFSET :offset"
    # The ids come from an index alone, so that a far page reads no documents on its way.
    ids = f"SELECT d.id FROM documents d WHERE {where} ORDER BY d.uploaded_at DESC, d.id DESC LIMIT {limit}{place}"
    return (
        f"SELECT {FIELDS}, c.name AS category, ({count_sql(parts, counted)}) AS total"
        f" FROM documents d JOIN document_categories c ON c.id = d.category_id"
        f" WHERE d.id IN ({ids}) ORDER BY d.uploaded_at DESC, d.id DESC"
    )


@cache
def count_sql(parts: tuple[str, ...], counted: int) -> str:
    """Write the statement that counts that far."""
    # In the order of the index, so that a planner stops at the bound instead of gathering everything first.
    some = (
        f"SELECT 1 FROM documents d WHERE {' AND '.join(parts)} ORDER BY d.uploaded_at DESC, d.id DESC LIMIT {counted}"
    )
    return f"SELECT count(*) FROM ({some}) AS counted"


class SqlDocumentViews(DocumentViews):
    """Documents read by single statements."""

    def __init__(self, connection: Connection, counted_max: int = COUNTED_MAX) -> None:
        """`counted_max` is how far a list counts."""
        self._connection = connection
        self._counted_max = counted_max

    async def page(self, reach: Reach, wanted: DocumentFilter, request: PageRequest) -> Page[DocumentView]:
        condition = narrowed(reach, wanted)
        place: dict[str, object] = {"offset": request.offset}
        if request.cursor:
            at, id = position(request.cursor)
            place = {"after_at": at, "after_id": id}
        sql = page_sql(condition.parts, bool(request.cursor), request.limit + 1, self._counted_max + 1)
        rows = await self._connection.fetch(sql, **condition.parameters, **place)
        count = rows[0]["total"] if rows else await self._count(condition)
        shown, more = [view_of(row) for row in rows[: request.limit]], len(rows) > request.limit
        cursor = cursor_of(shown[-1].document) if more else None
        return Page(shown, count, more, cursor, count <= self._counted_max)

    async def _count(self, condition: Filter) -> int:
        sql = count_sql(condition.parts, self._counted_max + 1)
        return int(await self._connection.fetch_value(sql, **condition.parameters))

    async def one(self, id: int, reach: Reach) -> DocumentView | None:
        if reach.user_id is None:
            row = await self._connection.fetch_one(f"{ONE} WHERE d.id = :id AND {KEPT}", id=id)
        else:
            where = f"{ONE} WHERE d.id = :id AND d.user_id = :owner AND {KEPT}"
            row = await self._connection.fetch_one(where, id=id, owner=reach.user_id)
        return view_of(row) if row else None

    async def twin(self, user_id: int, sha256: str, category_id: int) -> DocumentView | None:
        row = await self._connection.fetch_one(TWIN, user_id=user_id, sha256=sha256, category_id=category_id)
        return view_of(row) if row else None

    async def unscanned(self, id: int) -> Document | None:
        row = await self._connection.fetch_one(UNSCANNED, id=id)
        return load(Document, row) if row else None

    async def history(self, id: int) -> Sequence[HistoryEntry]:
        return [load(HistoryEntry, row) for row in await self._connection.fetch(HISTORY, id=id)]

    async def text(self, id: int) -> str:
        return await self._connection.fetch_value(TEXT, id=id) or ""


def view_of(row: Row) -> DocumentView:
    """Read a document with the name of its category."""
    return DocumentView(document=load(Document, row), category=row["category"])


def cursor_of(document: Document) -> str:
    """Write where the page after this document starts."""
    return f"{document.uploaded_at.isoformat()},{document.id}"


def position(cursor: str) -> tuple[datetime, int]:
    """Read where a page starts; raises Invalid for what no page gave out."""
    at, _, id = cursor.partition(",")
    try:
        return datetime.fromisoformat(at), int(id)
    except ValueError as error:
        raise Invalid(errors={"cursor": ["was not given out by this list"]}) from error
