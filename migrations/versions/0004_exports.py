"""Exports.

Revision 0004, after 0003.
"""

import sqlalchemy as sa
from alembic import op

from opora.adapters.sql.schema.metadata import ID, INSTANT, TASK_ID

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None
PHASE = "expand"

UNFINISHED = sa.text("status IN ('queued', 'running')")
KEPT = sa.text("status = 'completed' AND NOT is_file_removed")


def upgrade() -> None:
    op.create_table(
        "exports",
        sa.Column("id", TASK_ID, primary_key=True),
        sa.Column("job_id", TASK_ID, nullable=False),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("profile_ids", sa.Text, nullable=False),
        sa.Column("format", sa.String(8), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("requested_at", INSTANT, nullable=False),
        sa.Column("completed_at", INSTANT),
        sa.Column("expires_at", INSTANT),
        sa.Column("error", sa.Text),
        sa.Column("size", ID),
        sa.Column("sha256", sa.String(64)),
        sa.Column("is_file_removed", sa.Boolean, nullable=False),
        sa.CheckConstraint("format IN ('json', 'pdf')", name="format"),
        sa.CheckConstraint("status IN ('queued', 'running', 'completed', 'failed')", name="status"),
        sa.UniqueConstraint("job_id", name="uq_exports_job_id"),
    )
    op.create_index("ix_exports_owner_id", "exports", ["owner", "id"])
    op.create_index("ix_exports_unfinished", "exports", ["id"], postgresql_where=UNFINISHED, sqlite_where=UNFINISHED)
    op.create_index("ix_exports_kept", "exports", ["expires_at"], postgresql_where=KEPT, sqlite_where=KEPT)


def downgrade() -> None:
    op.drop_table("exports")
