"""Notices, their deliveries, and what people prefer.

Revision 0008, after 0007.
"""

import sqlalchemy as sa
from alembic import op

from opora.adapters.sql.schema.metadata import BYTES, ID, INSTANT, TASK_ID
from opora.adapters.sql.schema.sequences import create_sequence, drop_sequence

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None
PHASE = "expand"

ALIVE = sa.text("state IN ('waiting', 'fired') AND about <> ''")
UNREAD = sa.text("read_at IS NULL")
SEQUENCES = ("push_subscriptions", "webhook_endpoints")
TABLES = (
    "stream_tickets",
    "webhook_endpoints",
    "push_subscriptions",
    "notification_preferences",
    "digest_items",
    "inbox",
    "inbox_heads",
    "delivery_attempts",
    "deliveries",
    "notices",
)


def upgrade() -> None:
    notices()
    deliveries()
    lists()
    wishes()
    tickets()
    for name in SEQUENCES:
        create_sequence(name)


def notices() -> None:
    """What people are to be told."""
    op.create_table(
        "notices",
        sa.Column("id", TASK_ID, primary_key=True),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("user_id", ID),
        sa.Column("email", sa.String(254)),
        sa.Column("locale", sa.String(35)),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("secret_sealed", BYTES),
        sa.Column("dedup_key", sa.String(200)),
        sa.Column("about", sa.String(100), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("fire_at", INSTANT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint("state IN ('waiting', 'fired', 'skipped', 'withdrawn')", name="state"),
        sa.UniqueConstraint("dedup_key", name="uq_notices_dedup_key"),
    )
    op.create_index("ix_notices_about", "notices", ["about"], postgresql_where=ALIVE, sqlite_where=ALIVE)
    op.create_index("ix_notices_user_id", "notices", ["user_id"])
    op.create_index("ix_notices_created_at", "notices", ["created_at"])


def deliveries() -> None:
    """How it reached them."""
    op.create_table(
        "deliveries",
        sa.Column("id", TASK_ID, primary_key=True),
        sa.Column("notice_id", TASK_ID, sa.ForeignKey("notices.id", ondelete="CASCADE"), nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("sent_at", INSTANT),
        sa.CheckConstraint("channel IN ('email', 'sms', 'webpush', 'inbox', 'webhook')", name="channel"),
        sa.CheckConstraint("state IN ('queued', 'sending', 'sent', 'failed', 'withdrawn')", name="state"),
        sa.UniqueConstraint("notice_id", "channel", "target", name="uq_deliveries_notice_id_channel_target"),
    )
    op.create_index("ix_deliveries_state_id", "deliveries", ["state", "id"])
    op.create_table(
        "delivery_attempts",
        sa.Column("delivery_id", TASK_ID, sa.ForeignKey("deliveries.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT),
        sa.Column("outcome", sa.String(16)),
        sa.Column("answer", sa.Text),
        sa.CheckConstraint("outcome IN ('sent', 'deferred', 'refused', 'unsure')", name="outcome"),
    )


def lists() -> None:
    """What people read in the program itself, and what waits for a gathered letter."""
    op.create_table(
        "inbox_heads",
        sa.Column("user_id", ID, primary_key=True, autoincrement=False),
        sa.Column("last", ID, nullable=False),
    )
    op.create_table(
        "inbox",
        sa.Column("user_id", ID, primary_key=True, autoincrement=False),
        sa.Column("number", ID, primary_key=True, autoincrement=False),
        sa.Column("notice_id", TASK_ID, nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("read_at", INSTANT),
    )
    op.create_index("ix_inbox_unread", "inbox", ["user_id"], postgresql_where=UNREAD, sqlite_where=UNREAD)
    op.create_index("ix_inbox_created_at", "inbox", ["created_at"])
    op.create_table(
        "digest_items",
        sa.Column("notice_id", TASK_ID, sa.ForeignKey("notices.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
    )
    op.create_index("ix_digest_items_user_id_due_at", "digest_items", ["user_id", "due_at"])


def wishes() -> None:
    """What people prefer, and the places they named."""
    op.create_table(
        "notification_preferences",
        sa.Column("user_id", ID, primary_key=True, autoincrement=False),
        sa.Column("channels", sa.Text, nullable=False),
        sa.Column("quiet_hours", sa.Text),
        sa.Column("timezone", sa.String(64), nullable=False),
        sa.Column("language", sa.String(8)),
        sa.Column("digest", sa.String(8), nullable=False),
        sa.Column("phone", sa.String(16)),
        sa.CheckConstraint("digest IN ('off', 'daily')", name="digest"),
    )
    op.create_table(
        "push_subscriptions",
        sa.Column("id", ID, primary_key=True, autoincrement=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("endpoint", sa.Text, nullable=False),
        sa.Column("p256dh", BYTES, nullable=False),
        sa.Column("auth", BYTES, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.UniqueConstraint("endpoint", name="uq_push_subscriptions_endpoint"),
    )
    op.create_index("ix_push_subscriptions_user_id", "push_subscriptions", ["user_id"])
    op.create_table(
        "webhook_endpoints",
        sa.Column("id", ID, primary_key=True, autoincrement=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("kinds", sa.Text, nullable=False),
        sa.Column("secret_sealed", BYTES, nullable=False),
        sa.Column("is_active", sa.Boolean, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
    )
    op.create_index("ix_webhook_endpoints_user_id", "webhook_endpoints", ["user_id"])


def tickets() -> None:
    """What opens one stream, once."""
    op.create_table(
        "stream_tickets",
        sa.Column("digest", BYTES, primary_key=True),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("issued_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
    )
    op.create_index("ix_stream_tickets_expires_at", "stream_tickets", ["expires_at"])


def downgrade() -> None:
    for name in SEQUENCES:
        drop_sequence(name)
    for name in TABLES:
        op.drop_table(name)
