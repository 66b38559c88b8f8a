"""Services, availability, appointments, waitlists and calendars.

Revision 0013, after 0012.
"""

import sqlalchemy as sa
from alembic import op

from opora.adapters.sql.schema.metadata import ID, INSTANT
from opora.adapters.sql.schema.sequences import create_sequence, drop_sequence

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None
PHASE = "expand"

SEQUENCES = ("services", "appointments", "appointment_series", "waitlist", "calendar_feeds")

# One number line for every diary: staff in the high bits, minutes since 1970 in the low 28. Ranges of 64-bit integers
# have a GiST operator class of their own, so that no extension is needed.
ONE_AT_A_TIME = """
ALTER TABLE engagements ADD CONSTRAINT ex_engagements_one_at_a_time EXCLUDE USING gist
 (int8range((staff_id << 28) + busy_from_min, (staff_id << 28) + busy_until_min) WITH &&)
"""
# RAISE(IGNORE) is to SQLite what ON CONFLICT DO NOTHING is to PostgreSQL: the row is not there and nothing failed.
OVERLAPPING = """
SELECT 1 FROM engagements e WHERE e.staff_id = NEW.staff_id AND e.id <> NEW.id
 AND e.busy_from_min < NEW.busy_until_min AND e.busy_until_min > NEW.busy_from_min
 AND e.busy_from_min > NEW.busy_from_min - 4320
"""
TRIGGERS = (
    f"""
CREATE TRIGGER engagements_one_at_a_time BEFORE INSERT ON engagements
WHEN EXISTS ({OVERLAPPING}) BEGIN SELECT RAISE(IGNORE); END
""",
    f"""
CREATE TRIGGER engagements_moved_one_at_a_time BEFORE UPDATE ON engagements
WHEN EXISTS ({OVERLAPPING}) BEGIN SELECT RAISE(ABORT, 'ex_engagements_one_at_a_time'); END
""",
)


def upgrade() -> None:
    _offers()
    _appointments()
    _waiting()
    for table in SEQUENCES:
        create_sequence(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute(ONE_AT_A_TIME)
    else:
        for trigger in TRIGGERS:
            op.execute(trigger)


def _offers() -> None:
    op.create_table(
        "services",
        sa.Column("id", ID, primary_key=True, autoincrement=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("duration_min", sa.Integer, nullable=False),
        sa.Column("capacity", sa.Integer, nullable=False),
        sa.Column("price_minor", ID, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("buffer_before_min", sa.Integer, nullable=False),
        sa.Column("buffer_after_min", sa.Integer, nullable=False),
        sa.Column("step_min", sa.Integer, nullable=False),
        sa.Column("auto_confirm", sa.Boolean, nullable=False),
        sa.Column("min_notice_min", sa.Integer, nullable=False),
        sa.Column("horizon_days", sa.Integer, nullable=False),
        sa.Column("policy", sa.Text, nullable=False),
        sa.Column("is_active", sa.Boolean, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.CheckConstraint("duration_min > 0", name="duration_min"),
        sa.CheckConstraint("capacity > 0", name="capacity"),
        sa.CheckConstraint("price_minor >= 0", name="price_minor"),
    )
    op.create_table(
        "service_staff",
        sa.Column("service_id", ID, sa.ForeignKey("services.id"), primary_key=True, autoincrement=False),
        sa.Column("user_id", ID, primary_key=True, autoincrement=False),
    )
    op.create_index("ix_service_staff_user_id", "service_staff", ["user_id"])
    op.create_table(
        "availability",
        sa.Column("user_id", ID, primary_key=True, autoincrement=False),
        sa.Column("timezone", sa.String(64), nullable=False),
        sa.Column("weekly", sa.Text, nullable=False),
        sa.Column("exceptions", sa.Text, nullable=False),
        sa.Column("closures", sa.Text, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
    )


def _appointments() -> None:
    op.create_table(
        "engagements",
        sa.Column("id", ID, primary_key=True, autoincrement=True),
        sa.Column("staff_id", ID, nullable=False),
        sa.Column("service_id", ID, nullable=False),
        sa.Column("start_min", ID, nullable=False),
        sa.Column("busy_from_min", ID, nullable=False),
        sa.Column("busy_until_min", ID, nullable=False),
        sa.Column("capacity", sa.Integer, nullable=False),
        sa.CheckConstraint("staff_id > 0 AND staff_id < 34359738368", name="staff_id"),
        sa.CheckConstraint(
            "busy_from_min >= 0 AND busy_until_min < 268435456 AND busy_from_min <= start_min"
            " AND start_min < busy_until_min AND busy_until_min - busy_from_min <= 4320",
            name="span",
        ),
        sa.UniqueConstraint("id", "capacity", name="uq_engagements_id_capacity"),
    )
    op.create_index("ix_engagements_staff_id_busy_from_min", "engagements", ["staff_id", "busy_from_min"])
    op.create_table(
        "appointment_series",
        sa.Column("id", ID, primary_key=True, autoincrement=False),
        sa.Column("client_id", ID, nullable=False),
        sa.Column("service_id", ID, nullable=False),
        sa.Column("staff_id", ID, nullable=False),
        sa.Column("rrule", sa.String(500), nullable=False),
        sa.Column("timezone", sa.String(64), nullable=False),
        sa.Column("starts_at", INSTANT, nullable=False),
        sa.Column("parent_id", ID),
        sa.Column("created_at", INSTANT, nullable=False),
    )
    op.create_table("appointments", *_appointment_columns())
    op.create_index("ix_appointments_client_id_starts_at", "appointments", ["client_id", "starts_at"])
    op.create_index("ix_appointments_staff_id_starts_at", "appointments", ["staff_id", "starts_at"])
    op.create_index("ix_appointments_starts_at", "appointments", ["starts_at"])
    partial = {"held": "status = 'held'", "series_id": "series_id IS NOT NULL"}
    for name, columns in (("held", ["staff_id", "expires_at"]), ("series_id", ["series_id"])):
        where = sa.text(partial[name])
        op.create_index(f"ix_appointments_{name}", "appointments", columns, postgresql_where=where, sqlite_where=where)


def _appointment_columns() -> list[sa.Column | sa.Constraint]:
    statuses = "'held', 'pending', 'confirmed', 'cancelled', 'completed', 'no_show', 'lapsed'"
    return [
        sa.Column("id", ID, primary_key=True, autoincrement=False),
        sa.Column("uid", sa.String(64), nullable=False),
        sa.Column("service_id", ID, nullable=False),
        sa.Column("staff_id", ID, nullable=False),
        sa.Column("client_id", ID, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("starts_at", INSTANT, nullable=False),
        sa.Column("ends_at", INSTANT, nullable=False),
        sa.Column("timezone", sa.String(64), nullable=False),
        sa.Column("price_minor", ID, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("policy", sa.Text, nullable=False),
        sa.Column("capacity", sa.Integer, nullable=False),
        sa.Column("engagement_id", ID),
        sa.Column("place", sa.Integer),
        sa.Column("series_id", ID),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT),
        sa.Column("cancelled_at", INSTANT),
        sa.Column("cancelled_by", sa.String(64)),
        sa.Column("reason", sa.Text),
        sa.Column("fee_minor", ID),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.CheckConstraint(f"status IN ({statuses})", name="status"),
        sa.CheckConstraint("(engagement_id IS NULL) = (place IS NULL)", name="seat"),
        sa.CheckConstraint("place IS NULL OR (place >= 0 AND place < capacity)", name="place"),
        sa.CheckConstraint("place IS NULL OR status NOT IN ('cancelled', 'lapsed')", name="left"),
        sa.CheckConstraint("fee_minor IS NULL OR (fee_minor >= 0 AND fee_minor <= price_minor)", name="fee_minor"),
        sa.CheckConstraint("starts_at < ends_at", name="span"),
        sa.UniqueConstraint("engagement_id", "place", name="uq_appointments_engagement_id_place"),
        sa.ForeignKeyConstraint(
            ["engagement_id", "capacity"],
            ["engagements.id", "engagements.capacity"],
            name="fk_appointments_engagement_id_engagements",
        ),
    ]


def _waiting() -> None:
    op.create_table(
        "waitlist",
        sa.Column("id", ID, primary_key=True, autoincrement=False),
        sa.Column("client_id", ID, nullable=False),
        sa.Column("service_id", ID, nullable=False),
        sa.Column("staff_id", ID),
        sa.Column("starts_from", INSTANT, nullable=False),
        sa.Column("starts_before", INSTANT, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("hold_id", ID),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.CheckConstraint("status IN ('waiting', 'offered', 'taken', 'lapsed', 'withdrawn')", name="status"),
        sa.CheckConstraint("starts_from < starts_before", name="span"),
        sa.UniqueConstraint("hold_id", name="uq_waitlist_hold_id"),
    )
    waiting = sa.text("status = 'waiting'")
    op.create_index("ix_waitlist_waiting", "waitlist", ["id"], postgresql_where=waiting, sqlite_where=waiting)
    op.create_index("ix_waitlist_client_id", "waitlist", ["client_id", "id"])
    op.create_index(
        "uq_waitlist_open",
        "waitlist",
        ["client_id", "service_id", "starts_from", "starts_before"],
        unique=True,
        postgresql_where=waiting,
        sqlite_where=waiting,
    )
    op.create_table(
        "calendar_feeds",
        sa.Column("id", ID, primary_key=True, autoincrement=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("revoked_at", INSTANT),
        sa.UniqueConstraint("digest", name="uq_calendar_feeds_digest"),
    )
    op.create_index("ix_calendar_feeds_user_id", "calendar_feeds", ["user_id"])


def downgrade() -> None:
    for table in SEQUENCES:
        drop_sequence(table)
    for table in ("calendar_feeds", "waitlist", "appointments", "appointment_series", "engagements", "availability"):
        op.drop_table(table)
    op.drop_table("service_staff")
    op.drop_table("services")
