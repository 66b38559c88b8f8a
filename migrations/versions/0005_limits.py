"""Limits for sites with PostgreSQL and no Redis: cells, denials, epochs, counts.

Revision 0005, after 0004.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None
PHASE = "expand"

TABLES = ("rate_cells", "rate_denials", "rate_epochs", "rate_counts")


def upgrade() -> None:
    # A crash may empty them: nothing in them is older than a window, and nothing needs its write ahead logged.
    unlogged = ["UNLOGGED"] if op.get_bind().dialect.name == "postgresql" else []
    op.create_table(
        "rate_cells",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("anchor_us", sa.BigInteger, nullable=False),
        sa.Column("spent_us", sa.BigInteger, nullable=False),
        sa.Column("interval_us", sa.BigInteger, nullable=False),
        sa.Column("dead_at_us", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_rate_cells"),
        prefixes=unlogged,
    )
    op.create_table(
        "rate_denials",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("until_us", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_rate_denials"),
        prefixes=unlogged,
    )
    op.create_table(
        "rate_epochs",
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("epoch_us", sa.BigInteger, nullable=False),
        sa.Column("until_us", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("subject", name="pk_rate_epochs"),
        prefixes=unlogged,
    )
    op.create_table(
        "rate_counts",
        sa.Column("span", sa.Text, nullable=False),
        sa.Column("start_s", sa.BigInteger, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("allowed", sa.BigInteger, nullable=False),
        sa.Column("refused", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("span", "start_s", "subject", name="pk_rate_counts"),
        prefixes=unlogged,
    )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
