"""Lists of numbers go by age, so that bounds of age cost nothing.

Revision 0019, after 0018.
"""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None
PHASE = "expand"

BY_ID = "ix_phone_numbers_project_id_status_id"
BY_AGE = "ix_phone_numbers_project_id_status_created_at_id"


def upgrade() -> None:
    op.create_index(BY_AGE, "phone_numbers", ["project_id", "status", "created_at", "id"])
    op.drop_index(BY_ID, "phone_numbers")


def downgrade() -> None:
    op.create_index(BY_ID, "phone_numbers", ["project_id", "status", "id"])
    op.drop_index(BY_AGE, "phone_numbers")
