"""Events that wait for the bus, and who is sending them.

Revision 0017, after 0016.
"""

import sqlalchemy as sa
from alembic import op

from opora.adapters.sql.schema.metadata import ID, INSTANT, TASK_ID

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None
PHASE = "expand"

WAITING = sa.text("NOT sent")


def upgrade() -> None:
    op.create_table(
        "bus_queue",
        sa.Column("position", ID, primary_key=True, autoincrement=True),
        sa.Column(
            "event_id",
            TASK_ID,
            sa.ForeignKey("outbox.id", name="fk_bus_queue_event_id_outbox", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("sent", sa.Boolean, nullable=False),
        sa.UniqueConstraint("event_id", name="uq_bus_queue_event_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_bus_queue_waiting", "bus_queue", ["position"], postgresql_where=WAITING, sqlite_where=WAITING)
    state = op.create_table(
        "bus_state",
        sa.Column("id", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("holder", sa.String(64)),
        sa.Column("lease_until", INSTANT),
        sa.Column("mark", sa.String(64), nullable=False),
        sa.CheckConstraint("id = 1", name="one_row"),
    )
    op.bulk_insert(state, [{"id": 1, "mark": ""}])


def downgrade() -> None:
    op.drop_table("bus_state")
    op.drop_table("bus_queue")
