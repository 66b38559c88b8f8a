"""Imports and exports of numbers.

Revision 0012, after 0011.
"""

import sqlalchemy as sa
from alembic import op

from opora.adapters.sql.schema.metadata import ID, INSTANT, TASK_ID
from opora.adapters.sql.schema.sequences import create_sequence, drop_sequence

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None
PHASE = "expand"

UNFINISHED = sa.text("status IN ('pending', 'running')")
KEPT = sa.text("expires_at IS NOT NULL AND NOT is_file_removed")
INSTANTS = ("requested_at", "started_at", "completed_at", "expires_at")
COUNTS = ("records", "created", "duplicates_in_file", "duplicates", "suppressed", "invalid")


def upgrade() -> None:
    op.create_table(
        "transfers",
        sa.Column("id", TASK_ID, primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("job_id", TASK_ID, nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("channel", sa.String(8), nullable=False),
        sa.Column("project_id", ID, nullable=False),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("file_name", sa.String(255), nullable=False),
        sa.Column("format", sa.String(8)),
        sa.Column("provider_id", ID),
        sa.Column("mapping", sa.Text, nullable=False),
        sa.Column("filter", sa.Text, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        *(sa.Column(name, INSTANT, nullable=name != "requested_at") for name in INSTANTS),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in COUNTS),
        sa.Column("error", sa.Text),
        sa.Column("error_code", sa.String(64)),
        sa.Column("size", ID),
        sa.Column("sha256", sa.String(64)),
        sa.Column("is_file_removed", sa.Boolean, nullable=False),
        sa.Column("undone_at", INSTANT),
        sa.Column("removed", sa.BigInteger, nullable=False),
        sa.CheckConstraint("kind IN ('import', 'export')", name="kind"),
        sa.CheckConstraint("channel IN ('upload', 'sftp', 'download')", name="channel"),
        sa.CheckConstraint("status IN ('pending', 'running', 'completed', 'failed', 'cancelled')", name="status"),
        sa.UniqueConstraint("number", name="uq_transfers_number"),
        sa.UniqueConstraint("job_id", name="uq_transfers_job_id"),
    )
    op.create_index("ix_transfers_project_id_id", "transfers", ["project_id", "id"])
    op.create_index(
        "ix_transfers_unfinished", "transfers", ["id"], postgresql_where=UNFINISHED, sqlite_where=UNFINISHED
    )
    op.create_index("ix_transfers_kept", "transfers", ["expires_at"], postgresql_where=KEPT, sqlite_where=KEPT)
    create_parts()
    create_sequence("transfers")


def create_parts() -> None:
    op.create_table(
        "transfer_ranges",
        sa.Column("transfer_number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("first", ID, primary_key=True, autoincrement=False),
        sa.Column("last", ID, nullable=False),
        sa.Column("first_id", ID, nullable=False),
        sa.Column("last_id", ID, nullable=False),
        sa.Column("created", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(
            ["transfer_number"],
            ["transfers.number"],
            ondelete="CASCADE",
            name="fk_transfer_ranges_transfer_number_transfers",
        ),
    )
    op.create_table(
        "transfer_refusals",
        sa.Column("transfer_number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("line", ID, primary_key=True, autoincrement=False),
        sa.Column("field", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("value", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(
            ["transfer_number"],
            ["transfers.number"],
            ondelete="CASCADE",
            name="fk_transfer_refusals_transfer_number_transfers",
        ),
    )


def downgrade() -> None:
    op.drop_table("transfer_refusals")
    op.drop_table("transfer_ranges")
    op.drop_table("transfers")
    drop_sequence("transfers")
