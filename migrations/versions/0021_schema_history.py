"""Which migrations a schema has been through, and of which phase: what an older release asks before it starts.

Revision 0021, after 0019.
"""

import sqlalchemy as sa
from alembic import op

from opora.adapters.sql.schema.metadata import INSTANT

revision = "0021"
down_revision = "0019"
branch_labels = None
depends_on = None
PHASE = "expand"


def upgrade() -> None:
    op.create_table(
        "schema_history",
        sa.Column("revision", sa.String(32), primary_key=True),
        sa.Column("phase", sa.String(16), nullable=False),
        sa.Column("applied_at", INSTANT, nullable=False),
        sa.CheckConstraint("phase IN ('expand', 'contract')", name="phase"),
    )


def downgrade() -> None:
    op.drop_table("schema_history")
