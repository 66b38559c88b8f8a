"""Packets for the core banking system, contracts and links.

Revision 0010, after 0009.
"""

import sqlalchemy as sa
from alembic import op

from opora.adapters.sql.schema.metadata import ID, INSTANT, TASK_ID
from opora.adapters.sql.schema.sequences import create_sequence, drop_sequence

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None
PHASE = "expand"

DOCUMENT_STATUSES = (
    "'pending', 'quarantined', 'in_review', 'needs_info', 'approved', 'rejected', 'processed', 'archived'"
)
PACKET_STATUSES = "'queued', 'sent', 'accepted', 'rejected', 'failed', 'overridden'"
TICKET_KINDS = (
    "'missing_there', 'unknown_here', 'differs', 'unanswered', 'not_taken', 'stranger_receipt', 'bad_receipt'"
)
OPEN = sa.text("closed_at IS NULL")
SEQUENCES = ("abs_packets", "abs_tickets", "contracts")


def upgrade() -> None:
    create_packets()
    create_receipts()
    create_tickets()
    create_reconciliations()
    create_contracts()
    for table in SEQUENCES:
        create_sequence(table)


def create_packets() -> None:
    op.create_table(
        "abs_packets",
        sa.Column("id", ID, primary_key=True, autoincrement=False),
        sa.Column("document_id", ID, sa.ForeignKey("documents.id"), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("document_status", sa.String(16), nullable=False),
        sa.Column("has_file", sa.Boolean, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("reference", sa.String(200)),
        sa.Column("error", sa.Text),
        sa.Column("comment", sa.String(1000)),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("sent_at", INSTANT),
        sa.Column("settled_at", INSTANT),
        sa.CheckConstraint(f"document_status IN ({DOCUMENT_STATUSES})", name="document_status"),
        sa.CheckConstraint(f"status IN ({PACKET_STATUSES})", name="status"),
        sa.UniqueConstraint("document_id", "version", name="uq_abs_packets_document_id_version"),
    )
    op.create_index("ix_abs_packets_status", "abs_packets", ["status", "id"])


def create_receipts() -> None:
    op.create_table(
        "abs_receipts",
        sa.Column("id", sa.String(200), primary_key=True),
        sa.Column("packet", sa.String(200)),
        sa.Column("verdict", sa.String(16)),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("reference", sa.String(200)),
        sa.Column("reason", sa.Text),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.CheckConstraint("verdict IN ('accepted', 'rejected')", name="verdict"),
        sa.CheckConstraint("outcome IN ('applied', 'idle', 'stranger', 'unreadable')", name="outcome"),
    )


def create_tickets() -> None:
    op.create_table(
        "abs_tickets",
        sa.Column("id", ID, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("subject", sa.String(220), nullable=False),
        sa.Column("here", sa.Text),
        sa.Column("there", sa.Text),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("reconciliation_id", TASK_ID),
        sa.Column("closed_at", INSTANT),
        sa.Column("closed_by", sa.String(64)),
        sa.Column("comment", sa.String(1000)),
        sa.CheckConstraint(f"kind IN ({TICKET_KINDS})", name="kind"),
    )
    op.create_index(
        "uq_abs_tickets_open",
        "abs_tickets",
        ["kind", "subject"],
        unique=True,
        postgresql_where=OPEN,
        sqlite_where=OPEN,
    )


def create_reconciliations() -> None:
    op.create_table(
        "abs_reconciliations",
        sa.Column("id", TASK_ID, primary_key=True),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("requested_at", INSTANT, nullable=False),
        sa.Column("requested_by", sa.String(64), nullable=False),
        sa.Column("completed_at", INSTANT),
        sa.Column("as_of", INSTANT),
        sa.Column("compared", sa.Integer, nullable=False),
        sa.Column("under_way", sa.Integer, nullable=False),
        sa.Column("differences", sa.Integer, nullable=False),
        sa.Column("opened", sa.Integer, nullable=False),
        sa.Column("closed", sa.Integer, nullable=False),
        sa.Column("error", sa.Text),
        sa.CheckConstraint("status IN ('queued', 'completed', 'failed')", name="status"),
    )


def create_contracts() -> None:
    op.create_table(
        "contracts",
        sa.Column("id", ID, primary_key=True, autoincrement=False),
        sa.Column("user_id", ID, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("description", sa.String(1000), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("created_by", sa.String(64), nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.CheckConstraint("status IN ('draft', 'active', 'closed')", name="status"),
    )
    op.create_index("ix_contracts_user_id", "contracts", ["user_id", "id"])
    op.create_table(
        "contract_documents",
        sa.Column("contract_id", ID, sa.ForeignKey("contracts.id"), primary_key=True, autoincrement=False),
        sa.Column("document_id", ID, sa.ForeignKey("documents.id"), primary_key=True, autoincrement=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("linked_at", INSTANT, nullable=False),
        sa.Column("linked_by", sa.String(64), nullable=False),
        sa.Column("moved_at", INSTANT, nullable=False),
        sa.CheckConstraint("status IN ('active', 'revoked', 'archived')", name="status"),
    )
    op.create_index("ix_contract_documents_document_id", "contract_documents", ["document_id"])


def downgrade() -> None:
    for table in SEQUENCES:
        drop_sequence(table)
    for table in (
        "contract_documents",
        "contracts",
        "abs_reconciliations",
        "abs_tickets",
        "abs_receipts",
        "abs_packets",
    ):
        op.drop_table(table)
