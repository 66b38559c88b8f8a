"""Kept profiles.

Revision 0003, after 0002.
"""

import sqlalchemy as sa
from alembic import op

from opora.adapters.sql.schema.metadata import ID, INSTANT
from opora.adapters.sql.schema.sequences import create_sequence, drop_sequence

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None
PHASE = "expand"

ALIVE = sa.text("deleted_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "profiles",
        sa.Column("id", ID, primary_key=True, autoincrement=False),
        sa.Column("source_key", sa.String(64), nullable=False),
        sa.Column("locale", sa.String(8), nullable=False),
        sa.Column("seed", ID, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("as_of", sa.String(10), nullable=False),
        sa.Column("data_version", sa.SmallInteger, nullable=False),
        sa.Column("recipe", sa.Text, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT),
        sa.Column("deleted_at", INSTANT),
        sa.Column("search", sa.Text, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
    )
    op.create_index(
        "ix_profiles_source_key_id_expires_at",
        "profiles",
        ["source_key", "id", "expires_at"],
        postgresql_where=ALIVE,
        sqlite_where=ALIVE,
    )
    op.create_index("ix_profiles_created_at", "profiles", ["created_at"])
    op.create_index("ix_profiles_expires_at", "profiles", ["expires_at"], postgresql_where=ALIVE, sqlite_where=ALIVE)
    create_sequence("profiles")


def downgrade() -> None:
    drop_sequence("profiles")
    op.drop_table("profiles")
