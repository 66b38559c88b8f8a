"""Tokens of letters, second factors and devices of people.

Revision 0006, after 0005.
"""

import sqlalchemy as sa
from alembic import op

from opora.adapters.sql.schema.metadata import BYTES, ID, INSTANT

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None
PHASE = "expand"

TABLES = ("known_devices", "recovery_codes", "second_factors", "one_time_tokens")


def upgrade() -> None:
    op.add_column("users", sa.Column("erased_at", INSTANT))
    op.add_column("sessions", sa.Column("methods", sa.Text, nullable=False, server_default='["pwd"]'))
    op.create_table(
        "one_time_tokens",
        sa.Column("digest", BYTES, primary_key=True),
        sa.Column("purpose", sa.String(16), nullable=False),
        sa.Column("user_id", ID, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.CheckConstraint("purpose IN ('verify_email', 'reset_password', 'finish_login')", name="purpose"),
    )
    op.create_index("ix_one_time_tokens_user_id", "one_time_tokens", ["user_id"])
    op.create_index("ix_one_time_tokens_expires_at", "one_time_tokens", ["expires_at"])
    op.create_table(
        "second_factors",
        sa.Column("user_id", ID, sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
        sa.Column("sealed", BYTES, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("confirmed_at", INSTANT),
        sa.Column("last_step", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("user_id", ID, sa.ForeignKey("second_factors.user_id", ondelete="CASCADE"), primary_key=True),
        sa.Column("digest", BYTES, primary_key=True),
    )
    op.create_table(
        "known_devices",
        sa.Column("user_id", ID, sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("mark", BYTES, primary_key=True),
        sa.Column("first_seen_at", INSTANT, nullable=False),
        sa.Column("last_seen_at", INSTANT, nullable=False),
    )


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
    op.drop_column("sessions", "methods")
    op.drop_column("users", "erased_at")
