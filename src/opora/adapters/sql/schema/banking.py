"""Tables between documents and the bank's systems: packets, receipts, tickets, comparisons, contracts and links."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint, text

from opora.adapters.sql.schema.documents import STATUSES
from opora.adapters.sql.schema.metadata import ID, INSTANT, METADATA, TASK_ID, created_at, one_of

PACKET_STATUSES = ("queued", "sent", "accepted", "rejected", "failed", "overridden")
VERDICTS = ("accepted", "rejected")
OUTCOMES = ("applied", "idle", "stranger", "unreadable")
TICKET_KINDS = (
    "missing_there", "unknown_here", "differs", "unanswered", "not_taken", "stranger_receipt", "bad_receipt",
)  # fmt: skip
RECONCILIATION_STATUSES = ("queued", "completed", "failed")
CONTRACT_STATUSES = ("draft", "active", "closed")
LINK_STATUSES = ("active", "revoked", "archived")

OPEN = text("closed_at IS NULL")

ABS_PACKETS = Table(
    "abs_packets",
    METADATA,
    Column("id", ID, primary_key=True, autoincrement=False),
    Column("document_id", ID, ForeignKey("documents.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("document_status", String(16), nullable=False),
    Column("has_file", Boolean, nullable=False),
    Column("status", String(16), nullable=False),
    Column("reference", String(200)),
    Column("error", Text),
    Column("comment", String(1000)),
    Column("attempts", Integer, nullable=False),
    created_at(),
    Column("sent_at", INSTANT),
    Column("settled_at", INSTANT),
    one_of("document_status", STATUSES),
    one_of("status", PACKET_STATUSES),
    UniqueConstraint("document_id", "version"),
    Index("ix_abs_packets_status", "status", "id"),
)

ABS_RECEIPTS = Table(
    "abs_receipts",
    METADATA,
    Column("id", String(200), primary_key=True),
    Column("packet", String(200)),
    Column("verdict", String(16)),
    Column("outcome", String(16), nullable=False),
    Column("reference", String(200)),
    Column("reason", Text),
    Column("received_at", INSTANT, nullable=False),
    one_of("verdict", VERDICTS),
    one_of("outcome", OUTCOMES),
)

ABS_TICKETS = Table(
    "abs_tickets",
    METADATA,
    Column("id", ID, primary_key=True, autoincrement=False),
    Column("kind", String(32), nullable=False),
    Column("subject", String(220), nullable=False),
    Column("here", Text),
    Column("there", Text),
    Column("opened_at", INSTANT, nullable=False),
    Column("reconciliation_id", TASK_ID),
    Column("closed_at", INSTANT),
    Column("closed_by", String(64)),
    Column("comment", String(1000)),
    one_of("kind", TICKET_KINDS),
    Index("uq_abs_tickets_open", "kind", "subject", unique=True, postgresql_where=OPEN, sqlite_where=OPEN),
)

ABS_RECONCILIATIONS = Table(
    "abs_reconciliations",
    METADATA,
    Column("id", TASK_ID, primary_key=True),
    Column("status", String(16), nullable=False),
    Column("requested_at", INSTANT, nullable=False),
    Column("requested_by", String(64), nullable=False),
    Column("completed_at", INSTANT),
    Column("as_of", INSTANT),
    Column("compared", Integer, nullable=False),
    Column("under_way", Integer, nullable=False),
    Column("differences", Integer, nullable=False),
    Column("opened", Integer, nullable=False),
    Column("closed", Integer, nullable=False),
    Column("error", Text),
    one_of("status", RECONCILIATION_STATUSES),
)

CONTRACTS = Table(
    "contracts",
    METADATA,
    Column("id", ID, primary_key=True, autoincrement=False),
    Column("user_id", ID, ForeignKey("users.id"), nullable=False),
    Column("description", String(1000), nullable=False),
    Column("status", String(16), nullable=False),
    created_at(),
    Column("created_by", String(64), nullable=False),
    Column("updated_at", INSTANT, nullable=False),
    Column("version", Integer, nullable=False),
    one_of("status", CONTRACT_STATUSES),
    Index("ix_contracts_user_id", "user_id", "id"),
)

CONTRACT_DOCUMENTS = Table(
    "contract_documents",
    METADATA,
    Column("contract_id", ID, ForeignKey("contracts.id"), primary_key=True, autoincrement=False),
    Column("document_id", ID, ForeignKey("documents.id"), primary_key=True, autoincrement=False),
    Column("status", String(16), nullable=False),
    Column("linked_at", INSTANT, nullable=False),
    Column("linked_by", String(64), nullable=False),
    Column("moved_at", INSTANT, nullable=False),
    one_of("status", LINK_STATUSES),
    Index("ix_contract_documents_document_id", "document_id"),
)
