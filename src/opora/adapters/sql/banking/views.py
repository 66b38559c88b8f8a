"""What went to the bank and what came back, as operators read it: pages cost the same at any depth."""

from collections.abc import Mapping, Sequence
from functools import partial
from uuid import UUID

from opora.adapters.sql.banking.packets import FIELDS
from opora.adapters.sql.banking.tickets import RECONCILIATION_FIELDS, TICKET_FIELDS
from opora.adapters.sql.connection import Connection, Row
from opora.adapters.sql.mapping import load
from opora.core.documents.model.packets import Packet, PacketFilter
from opora.core.documents.model.reconciliation import Reconciliation, Ticket, TicketFilter, Told
from opora.core.documents.ports.packets import BankingViews
from opora.core.kernel.errors import Invalid
from opora.core.kernel.model import Page, PageRequest

COUNTED_MAX = 2_000
"""How far a list counts: its cost must not grow with the store."""
CURSOR_LETTERS_MAX = 18
ALL_RECONCILIATIONS = f"""
SELECT {RECONCILIATION_FIELDS} FROM abs_reconciliations ORDER BY id DESC LIMIT :limit OFFSET :offset
"""
TOLD = """
SELECT p.document_id, p.version, p.document_status, p.status, d.sha256, p.created_at, p.settled_at
FROM abs_packets p JOIN documents d ON d.id = p.document_id
WHERE p.document_id > :after
 AND p.version = (SELECT max(q.version) FROM abs_packets q WHERE q.document_id = p.document_id)
ORDER BY p.document_id LIMIT :limit
"""


class SqlBankingViews(BankingViews):
    """Packets, tickets and comparisons, read by single statements."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def packets(self, wanted: PacketFilter, request: PageRequest) -> Page[Packet]:
        conditions = {"document_id = :document_id": wanted.document_id, "status = :status": wanted.status}
        page = await self._page("abs_packets", FIELDS, conditions, request)
        return page.shown_as(partial(load, Packet))

    async def packet(self, id: int) -> Packet | None:
        row = await self._connection.fetch_one(f"SELECT {FIELDS} FROM abs_packets WHERE id = :id", id=id)
        return load(Packet, row) if row else None

    async def tickets(self, wanted: TicketFilter, request: PageRequest) -> Page[Ticket]:
        conditions: dict[str, object] = {"kind = :kind": wanted.kind}
        if wanted.is_open is not None:
            conditions["(closed_at IS NULL) = :is_open"] = wanted.is_open
        page = await self._page("abs_tickets", TICKET_FIELDS, conditions, request)
        return page.shown_as(partial(load, Ticket))

    async def _page(self, table: str, fields: str, conditions: Mapping[str, object], request: PageRequest) -> Page[Row]:
        """Read a page of a table by the ids going down, and count up to a bound."""
        given = {text: value for text, value in conditions.items() if value is not None}
        parameters = {text.rpartition(":")[2]: value for text, value in given.items()}
        counted = f"SELECT 1 FROM {table}{where(given)} LIMIT :counted"
        count = await self._connection.fetch_value(
            f"SELECT count(*) FROM ({counted}) AS counted", **parameters, counted=COUNTED_MAX + 1
        )
        place: dict[str, object] = {}
        if request.cursor is not None:
            place = {"before": position(request.cursor)}
        sql = f"SELECT {fields} FROM {table}{where([*given, 'id < :before'] if place else given)} ORDER BY id DESC"
        rows = await self._connection.fetch(f"{sql} LIMIT :limit", **parameters, **place, limit=request.limit + 1)
        shown, more = rows[: request.limit], len(rows) > request.limit
        return Page(shown, count, more, str(shown[-1]["id"]) if more else None, count <= COUNTED_MAX)

    async def reconciliations(self, request: PageRequest) -> Page[Reconciliation]:
        count = await self._connection.fetch_value("SELECT count(*) FROM abs_reconciliations")
        rows = await self._connection.fetch(ALL_RECONCILIATIONS, limit=request.limit, offset=request.offset)
        items = [load(Reconciliation, row) for row in rows]
        return Page(items, count, more=request.offset + len(items) < count)

    async def reconciliation(self, id: UUID) -> Reconciliation | None:
        sql = f"SELECT {RECONCILIATION_FIELDS} FROM abs_reconciliations WHERE id = :id"
        row = await self._connection.fetch_one(sql, id=id)
        return load(Reconciliation, row) if row else None

    async def told(self, after: int, limit: int) -> Sequence[Told]:
        return [load(Told, row) for row in await self._connection.fetch(TOLD, after=after, limit=limit)]


def where(conditions: Sequence[str] | Mapping[str, object]) -> str:
    """Write the WHERE of these conditions."""
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def position(cursor: str) -> int:
    """Read the id that a page starts below; raises Invalid for what no page gave out."""
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) <= CURSOR_LETTERS_MAX):
        raise Invalid(errors={"cursor": ["was not given out by this list"]})
    return int(cursor)
