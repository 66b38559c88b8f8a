"""Tables of notices and their deliveries."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint, text

from opora.adapters.sql.schema.metadata import BYTES, ID, INSTANT, METADATA, TASK_ID, created_at, one_of

NOTICE_STATES = ("waiting", "fired", "skipped", "withdrawn")
DELIVERY_STATES = ("queued", "sending", "sent", "failed", "withdrawn")
CHANNELS = ("email", "sms", "webpush", "inbox", "webhook")
OUTCOMES = ("sent", "deferred", "refused", "unsure")
UNREAD = "read_at IS NULL"
ALIVE = "state IN ('waiting', 'fired') AND about <> ''"

NOTICES = Table(
    "notices",
    METADATA,
    Column("id", TASK_ID, primary_key=True),
    Column("kind", String(64), nullable=False),
    Column("user_id", ID),
    Column("email", String(254)),
    Column("locale", String(35)),
    Column("data", Text, nullable=False),
    Column("secret_sealed", BYTES),
    Column("dedup_key", String(200)),
    Column("about", String(100), nullable=False),
    Column("state", String(16), nullable=False),
    Column("fire_at", INSTANT, nullable=False),
    created_at(),
    one_of("state", NOTICE_STATES),
    UniqueConstraint("dedup_key"),
    Index("ix_notices_about", "about", postgresql_where=text(ALIVE), sqlite_where=text(ALIVE)),
    Index("ix_notices_user_id", "user_id"),
    Index("ix_notices_created_at", "created_at"),
)

DELIVERIES = Table(
    "deliveries",
    METADATA,
    Column("id", TASK_ID, primary_key=True),
    Column("notice_id", TASK_ID, ForeignKey("notices.id", ondelete="CASCADE"), nullable=False),
    Column("channel", String(16), nullable=False),
    Column("target", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("error", Text),
    created_at(),
    Column("sent_at", INSTANT),
    one_of("channel", CHANNELS),
    one_of("state", DELIVERY_STATES),
    UniqueConstraint("notice_id", "channel", "target"),
    Index("ix_deliveries_state_id", "state", "id"),
)

DELIVERY_ATTEMPTS = Table(
    "delivery_attempts",
    METADATA,
    Column("delivery_id", TASK_ID, ForeignKey("deliveries.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("started_at", INSTANT, nullable=False),
    Column("ended_at", INSTANT),
    Column("outcome", String(16)),
    Column("answer", Text),
    one_of("outcome", OUTCOMES),
)

INBOX_HEADS = Table(
    "inbox_heads",
    METADATA,
    Column("user_id", ID, primary_key=True, autoincrement=False),
    Column("last", ID, nullable=False),
)

INBOX = Table(
    "inbox",
    METADATA,
    Column("user_id", ID, primary_key=True, autoincrement=False),
    Column("number", ID, primary_key=True, autoincrement=False),
    Column("notice_id", TASK_ID, nullable=False),
    Column("kind", String(64), nullable=False),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("data", Text, nullable=False),
    created_at(),
    Column("read_at", INSTANT),
    Index("ix_inbox_unread", "user_id", postgresql_where=text(UNREAD), sqlite_where=text(UNREAD)),
    Index("ix_inbox_created_at", "created_at"),
)

NOTIFICATION_PREFERENCES = Table(
    "notification_preferences",
    METADATA,
    Column("user_id", ID, primary_key=True, autoincrement=False),
    Column("channels", Text, nullable=False),
    Column("quiet_hours", Text),
    Column("timezone", String(64), nullable=False),
    Column("language", String(8)),
    Column("digest", String(8), nullable=False),
    Column("phone", String(16)),
    one_of("digest", ("off", "daily")),
)

DIGEST_ITEMS = Table(
    "digest_items",
    METADATA,
    Column("notice_id", TASK_ID, ForeignKey("notices.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", ID, nullable=False),
    Column("due_at", INSTANT, nullable=False),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Index("ix_digest_items_user_id_due_at", "user_id", "due_at"),
)

PUSH_SUBSCRIPTIONS = Table(
    "push_subscriptions",
    METADATA,
    Column("id", ID, primary_key=True, autoincrement=False),
    Column("user_id", ID, nullable=False),
    Column("endpoint", Text, nullable=False),
    Column("p256dh", BYTES, nullable=False),
    Column("auth", BYTES, nullable=False),
    created_at(),
    UniqueConstraint("endpoint"),
    Index("ix_push_subscriptions_user_id", "user_id"),
)

WEBHOOK_ENDPOINTS = Table(
    "webhook_endpoints",
    METADATA,
    Column("id", ID, primary_key=True, autoincrement=False),
    Column("user_id", ID, nullable=False),
    Column("url", Text, nullable=False),
    Column("kinds", Text, nullable=False),
    Column("secret_sealed", BYTES, nullable=False),
    Column("is_active", Boolean, nullable=False),
    created_at(),
    Index("ix_webhook_endpoints_user_id", "user_id"),
)

STREAM_TICKETS = Table(
    "stream_tickets",
    METADATA,
    Column("digest", BYTES, primary_key=True),
    Column("user_id", ID, nullable=False),
    Column("issued_at", INSTANT, nullable=False),
    Column("expires_at", INSTANT, nullable=False),
    Index("ix_stream_tickets_expires_at", "expires_at"),
)
