"""Signing keys by purpose and with the moment they begin to sign; sessions that were granted less than all.

Revision 0007, after 0006.
"""

import sqlalchemy as sa
from alembic import op

from opora.adapters.sql.schema.metadata import INSTANT

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None
PHASE = "expand"

ACTIVE = sa.text("state = 'active'")
ONE_ACTIVE = "ix_signing_keys_active"


def upgrade() -> None:
    op.add_column("signing_keys", sa.Column("purpose", sa.String(16), nullable=False, server_default="access"))
    op.add_column("signing_keys", sa.Column("activates_at", INSTANT))
    op.add_column("sessions", sa.Column("scopes", sa.Text))
    one_active("purpose")


def downgrade() -> None:
    op.execute("DELETE FROM signing_keys WHERE purpose <> 'access'")
    one_active("state")
    op.drop_column("sessions", "scopes")
    op.drop_column("signing_keys", "activates_at")
    op.drop_column("signing_keys", "purpose")


def one_active(column: str) -> None:
    """Hold one active key for each value of the column."""
    op.drop_index(ONE_ACTIVE, "signing_keys")
    op.create_index(ONE_ACTIVE, "signing_keys", [column], unique=True, postgresql_where=ACTIVE, sqlite_where=ACTIVE)
