"""Tables of services, working hours, appointments, the waitlist and calendars.

That nobody has two sessions at once is held by an exclusion constraint on PostgreSQL and by triggers on SQLite; the
migration makes them, for neither is a part of a table that both stores know.
"""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from opora.adapters.sql.schema.metadata import BYTES, ID, INSTANT, METADATA, created_at, one_of

STATUSES = ("held", "pending", "confirmed", "cancelled", "completed", "no_show", "lapsed")
HELD = text("status = 'held'")
OF_SERIES = text("series_id IS NOT NULL")
WAITING = text("status = 'waiting'")

SERVICES = Table(
    "services",
    METADATA,
    Column("id", ID, primary_key=True, autoincrement=False),
    Column("name", String(200), nullable=False),
    Column("duration_min", Integer, nullable=False),
    Column("capacity", Integer, nullable=False),
    Column("price_minor", ID, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("buffer_before_min", Integer, nullable=False),
    Column("buffer_after_min", Integer, nullable=False),
    Column("step_min", Integer, nullable=False),
    Column("auto_confirm", Boolean, nullable=False),
    Column("min_notice_min", Integer, nullable=False),
    Column("horizon_days", Integer, nullable=False),
    Column("policy", Text, nullable=False),
    Column("is_active", Boolean, nullable=False),
    created_at(),
    Column("version", Integer, nullable=False),
    Column("search", String(400), nullable=False, server_default=""),
    CheckConstraint("duration_min > 0", name="duration_min"),
    CheckConstraint("capacity > 0", name="capacity"),
    CheckConstraint("price_minor >= 0", name="price_minor"),
)

SERVICE_STAFF = Table(
    "service_staff",
    METADATA,
    Column("service_id", ID, ForeignKey("services.id"), primary_key=True, autoincrement=False),
    Column("user_id", ID, primary_key=True, autoincrement=False),
    Index("ix_service_staff_user_id", "user_id"),
)

AVAILABILITY = Table(
    "availability",
    METADATA,
    Column("user_id", ID, primary_key=True, autoincrement=False),
    Column("timezone", String(64), nullable=False),
    Column("weekly", Text, nullable=False),
    Column("exceptions", Text, nullable=False),
    Column("closures", Text, nullable=False),
    Column("changed_at", INSTANT, nullable=False),
)

ENGAGEMENTS = Table(
    "engagements",
    METADATA,
    Column("id", ID, primary_key=True, autoincrement=True),
    Column("staff_id", ID, nullable=False),
    Column("service_id", ID, nullable=False),
    Column("start_min", ID, nullable=False),
    Column("busy_from_min", ID, nullable=False),
    Column("busy_until_min", ID, nullable=False),
    Column("capacity", Integer, nullable=False),
    CheckConstraint("staff_id > 0 AND staff_id < 34359738368", name="staff_id"),
    CheckConstraint(
        "busy_from_min >= 0 AND busy_until_min < 268435456 AND busy_from_min <= start_min"
        " AND start_min < busy_until_min AND busy_until_min - busy_from_min <= 4320",
        name="span",
    ),
    UniqueConstraint("id", "capacity", name="uq_engagements_id_capacity"),
    Index("ix_engagements_staff_id_busy_from_min", "staff_id", "busy_from_min"),
)

APPOINTMENT_SERIES = Table(
    "appointment_series",
    METADATA,
    Column("id", ID, primary_key=True, autoincrement=False),
    Column("client_id", ID, nullable=False),
    Column("service_id", ID, nullable=False),
    Column("staff_id", ID, nullable=False),
    Column("rrule", String(500), nullable=False),
    Column("timezone", String(64), nullable=False),
    Column("starts_at", INSTANT, nullable=False),
    Column("parent_id", ID),
    created_at(),
)

APPOINTMENTS = Table(
    "appointments",
    METADATA,
    Column("id", ID, primary_key=True, autoincrement=False),
    Column("uid", String(64), nullable=False),
    Column("service_id", ID, nullable=False),
    Column("staff_id", ID, nullable=False),
    Column("client_id", ID, nullable=False),
    Column("status", String(16), nullable=False),
    Column("starts_at", INSTANT, nullable=False),
    Column("ends_at", INSTANT, nullable=False),
    Column("timezone", String(64), nullable=False),
    Column("price_minor", ID, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("policy", Text, nullable=False),
    Column("capacity", Integer, nullable=False),
    Column("engagement_id", ID),
    Column("place", Integer),
    Column("series_id", ID),
    Column("note", Text, nullable=False),
    created_at(),
    Column("changed_at", INSTANT, nullable=False),
    Column("expires_at", INSTANT),
    Column("cancelled_at", INSTANT),
    Column("cancelled_by", String(64)),
    Column("reason", Text),
    Column("fee_minor", ID),
    Column("sequence", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    one_of("status", STATUSES),
    CheckConstraint("(engagement_id IS NULL) = (place IS NULL)", name="seat"),
    CheckConstraint("place IS NULL OR (place >= 0 AND place < capacity)", name="place"),
    CheckConstraint("place IS NULL OR status NOT IN ('cancelled', 'lapsed')", name="left"),
    CheckConstraint("fee_minor IS NULL OR (fee_minor >= 0 AND fee_minor <= price_minor)", name="fee_minor"),
    CheckConstraint("starts_at < ends_at", name="span"),
    UniqueConstraint("engagement_id", "place", name="uq_appointments_engagement_id_place"),
    ForeignKeyConstraint(
        ["engagement_id", "capacity"],
        ["engagements.id", "engagements.capacity"],
        name="fk_appointments_engagement_id_engagements",
    ),
    Index("ix_appointments_client_id_starts_at", "client_id", "starts_at"),
    Index("ix_appointments_staff_id_starts_at", "staff_id", "starts_at"),
    Index("ix_appointments_starts_at", "starts_at"),
    Index("ix_appointments_held", "staff_id", "expires_at", postgresql_where=HELD, sqlite_where=HELD),
    Index("ix_appointments_series_id", "series_id", postgresql_where=OF_SERIES, sqlite_where=OF_SERIES),
)

WAITLIST = Table(
    "waitlist",
    METADATA,
    Column("id", ID, primary_key=True, autoincrement=False),
    Column("client_id", ID, nullable=False),
    Column("service_id", ID, nullable=False),
    Column("staff_id", ID),
    Column("starts_from", INSTANT, nullable=False),
    Column("starts_before", INSTANT, nullable=False),
    Column("status", String(16), nullable=False),
    Column("hold_id", ID),
    created_at(),
    Column("version", Integer, nullable=False),
    one_of("status", ("waiting", "offered", "taken", "lapsed", "withdrawn")),
    CheckConstraint("starts_from < starts_before", name="span"),
    UniqueConstraint("hold_id", name="uq_waitlist_hold_id"),
    Index("ix_waitlist_waiting", "id", postgresql_where=WAITING, sqlite_where=WAITING),
    Index("ix_waitlist_client_id", "client_id", "id"),
    Index(
        "uq_waitlist_open",
        "client_id",
        "service_id",
        "starts_from",
        "starts_before",
        unique=True,
        postgresql_where=WAITING,
        sqlite_where=WAITING,
    ),
)

CALENDAR_FEEDS = Table(
    "calendar_feeds",
    METADATA,
    Column("id", ID, primary_key=True, autoincrement=False),
    Column("user_id", ID, nullable=False),
    Column("digest", BYTES, nullable=False),
    created_at(),
    Column("revoked_at", INSTANT),
    UniqueConstraint("digest", name="uq_calendar_feeds_digest"),
    Index("ix_calendar_feeds_user_id", "user_id"),
)
