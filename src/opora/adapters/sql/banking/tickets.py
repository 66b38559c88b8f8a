"""Tickets and comparisons as rows."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from opora.adapters.sql.connection import Connection
from opora.adapters.sql.mapping import columns, insertion, load, to_json
from opora.core.documents.model.reconciliation import Difference, Reconciliation, Ticket, TicketKind
from opora.core.documents.ports.packets import ReconciliationRepository, TicketRepository

TICKET = (
    "id", "kind", "subject", "here", "there", "opened_at", "reconciliation_id", "closed_at", "closed_by", "comment",
)  # fmt: skip
TICKET_FIELDS = ", ".join(TICKET)
OPEN = insertion("abs_tickets", TICKET, "ON CONFLICT (kind, subject) WHERE closed_at IS NULL DO NOTHING")
OPEN_OR_MARK = insertion(
    "abs_tickets",
    TICKET,
    "ON CONFLICT (kind, subject) WHERE closed_at IS NULL"
    " DO UPDATE SET reconciliation_id = :reconciliation_id, here = :here, there = :there",
)
# Ids go up: among those just taken, the rows of this comparison are the ones that it opened.
OPENED = "SELECT count(*) FROM abs_tickets WHERE reconciliation_id = :of AND id BETWEEN :first AND :last"
CLOSE_UNFOUND = """
UPDATE abs_tickets SET closed_at = :now, closed_by = 'system', comment = 'not found any more'
WHERE closed_at IS NULL AND (reconciliation_id IS NULL OR reconciliation_id <> :of) AND kind IN
"""
CLOSE_ABOUT = """
UPDATE abs_tickets SET closed_at = :now, closed_by = :by
WHERE closed_at IS NULL AND kind = :kind AND subject = :subject
"""
CLOSE = "UPDATE abs_tickets SET closed_at = :closed_at, closed_by = :closed_by, comment = :comment WHERE id = :id"
RECONCILIATION = (
    "id", "status", "requested_at", "requested_by", "completed_at", "as_of", "compared", "under_way", "differences",
    "opened", "closed", "error",
)  # fmt: skip
RECONCILIATION_FIELDS = ", ".join(RECONCILIATION)
ADD_RECONCILIATION = insertion("abs_reconciliations", RECONCILIATION)
SAVE_RECONCILIATION = (
    f"UPDATE abs_reconciliations SET {', '.join(f'{name} = :{name}' for name in RECONCILIATION[1:])} WHERE id = :id"
)


class SqlTicketRepository(TicketRepository):
    """Tickets inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = " FOR UPDATE" if connection.dialect == "postgresql" else ""

    async def open(self, kind: TicketKind, subject: str, reason: str | None, now: datetime) -> bool:
        id = await self._connection.next_id("abs_tickets")
        ticket = Ticket(id=id, kind=kind, subject=subject, here=reason, opened_at=now)
        return bool(await self._connection.execute(OPEN, **columns(ticket)))

    async def open_all(self, found: Sequence[Difference], of: UUID, now: datetime) -> int:
        ids = await self._connection.next_ids("abs_tickets", len(found))
        rows = [
            columns(
                Ticket(
                    id=id,
                    kind=one.kind,
                    subject=one.subject,
                    here=one.here,
                    there=one.there,
                    opened_at=now,
                    reconciliation_id=of,
                )
            )
            for id, one in zip(ids, found, strict=True)
        ]
        await self._connection.execute_many(OPEN_OR_MARK, rows)
        return int(await self._connection.fetch_value(OPENED, of=of, first=min(ids), last=max(ids)))

    async def close_unfound(self, kinds: Collection[TicketKind], of: UUID, now: datetime) -> int:
        sql = CLOSE_UNFOUND + self._connection.listed("kinds", "text")
        return await self._connection.execute(sql, kinds=to_json(sorted(kinds)), of=of, now=now)

    async def close_about(self, kind: TicketKind, subject: str, by: str, now: datetime) -> None:
        await self._connection.execute(CLOSE_ABOUT, kind=str(kind), subject=subject, by=by, now=now)

    async def get(self, id: int) -> Ticket | None:
        sql = f"SELECT {TICKET_FIELDS} FROM abs_tickets WHERE id = :id{self._lock}"
        row = await self._connection.fetch_one(sql, id=id)
        return load(Ticket, row) if row else None

    async def save(self, ticket: Ticket) -> None:
        values = columns(ticket)
        names = ("id", "closed_at", "closed_by", "comment")
        await self._connection.execute(CLOSE, **{name: values[name] for name in names})


class SqlReconciliationRepository(ReconciliationRepository):
    """Comparisons inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = " FOR UPDATE" if connection.dialect == "postgresql" else ""

    async def add(self, reconciliation: Reconciliation) -> None:
        await self._connection.execute(ADD_RECONCILIATION, **columns(reconciliation))

    async def get(self, id: UUID) -> Reconciliation | None:
        sql = f"SELECT {RECONCILIATION_FIELDS} FROM abs_reconciliations WHERE id = :id{self._lock}"
        row = await self._connection.fetch_one(sql, id=id)
        return load(Reconciliation, row) if row else None

    async def save(self, reconciliation: Reconciliation) -> None:
        await self._connection.execute(SAVE_RECONCILIATION, **columns(reconciliation))
