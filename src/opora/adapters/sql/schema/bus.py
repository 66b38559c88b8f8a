"""Tables of the event bus: what waits for it, and who is sending."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
    text,
)  # fmt: skip

from opora.adapters.sql.schema.metadata import ID, INSTANT, METADATA, TASK_ID

BUS_QUEUE = Table(
    "bus_queue",
    METADATA,
    Column("position", ID, primary_key=True, autoincrement=True),
    Column("event_id", TASK_ID, ForeignKey("outbox.id", ondelete="CASCADE"), nullable=False),
    Column("sent", Boolean, nullable=False),
    UniqueConstraint("event_id"),
    Index("ix_bus_queue_waiting", "position", postgresql_where=text("NOT sent"), sqlite_where=text("NOT sent")),
    sqlite_autoincrement=True,  # positions grow for ever: they are the order of commits
)

BUS_STATE = Table(
    "bus_state",
    METADATA,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("holder", String(64)),
    Column("lease_until", INSTANT),
    Column("mark", String(64), nullable=False),
    CheckConstraint("id = 1", name="one_row"),
)
