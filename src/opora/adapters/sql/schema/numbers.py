"""Tables: projects, phone numbers, calls and conversion.

`phone_numbers` is lean, for it holds tens of millions: whole numbers and instants only, and no foreign keys row by
row. Triggers hold the references instead (see `number_triggers`): on PostgreSQL once a statement.
"""

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from opora.adapters.sql.schema.metadata import ID, INSTANT, METADATA, created_at, one_of

DIALABLE = text("status IN (0, 3, 4)")
IN_PROGRESS = text("status = 1")
OUTCOMES = ("success", "failed", "no_answer")

PROJECTS = Table(
    "projects",
    METADATA,
    Column("id", ID, primary_key=True, autoincrement=False),
    Column("name", String(255), nullable=False),
    Column("description", Text, nullable=False),
    Column("status", String(16), nullable=False),
    Column("timezone", String(64), nullable=False),
    Column("zone_mode", String(16), nullable=False),
    Column("holidays", Text, nullable=False),
    Column("attempts_max", SmallInteger, nullable=False),
    Column("in_progress_max", Integer),
    Column("created_by", String(64), nullable=False),
    created_at(),
    Column("updated_at", INSTANT, nullable=False),
    Column("deleted_at", INSTANT),
    Column("version", Integer, nullable=False),
    Column("search", Text, nullable=False),
    one_of("status", ("active", "paused")),
    one_of("zone_mode", ("number", "project")),
    Index("ix_projects_deleted_at", "deleted_at"),
    Index("ix_projects_created_by", "created_by"),
)

PROVIDERS = Table(
    "providers",
    METADATA,
    Column("id", ID, primary_key=True, autoincrement=False),
    Column("name", String(255), nullable=False),
    Column("type", String(100)),
    Column("contact_info", Text, nullable=False),
    Column("status", String(16), nullable=False),
    created_at(),
    Column("updated_at", INSTANT, nullable=False),
    Column("version", Integer, nullable=False),
    Column("search", Text, nullable=False),
    one_of("status", ("active", "inactive")),
)

GEO = Table(
    "geo",
    METADATA,
    Column("id", ID, primary_key=True, autoincrement=False),
    Column("country_code", String(10), nullable=False),
    Column("region", String(255)),
    Column("city", String(255)),
    Column("timezone", String(64)),
    created_at(),
    Column("version", Integer, nullable=False),
    Column("search", Text, nullable=False),
    Index("ix_geo_country_code", "country_code"),
)

PROJECT_PROVIDERS = Table(
    "project_providers",
    METADATA,
    Column("project_id", ID, ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True),
    Column("provider_id", ID, ForeignKey("providers.id"), primary_key=True),
    created_at(),
    Index("ix_project_providers_provider_id", "provider_id"),
)

PROJECT_GEO = Table(
    "project_geo",
    METADATA,
    Column("project_id", ID, ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True),
    Column("geo_id", ID, ForeignKey("geo.id"), primary_key=True),
    created_at(),
    Index("ix_project_geo_geo_id", "geo_id"),
)

PROJECT_MANAGERS = Table(
    "project_managers",
    METADATA,
    Column("project_id", ID, ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", ID, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("granted_by", String(64), nullable=False),
    created_at(),
    Index("ix_project_managers_user_id", "user_id"),
)

PROJECT_SCHEDULES = Table(
    "project_schedules",
    METADATA,
    Column("project_id", ID, ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True),
    Column("position", SmallInteger, primary_key=True, autoincrement=False),
    Column("weekday", SmallInteger, nullable=False),
    Column("start_minute", SmallInteger, nullable=False),
    Column("end_minute", SmallInteger, nullable=False),
    Column("is_active", Boolean, nullable=False),
)

ZONE_SETS = Table(
    "zone_sets",
    METADATA,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("zones", Text, nullable=False),
    UniqueConstraint("zones"),
)

PHONE_NUMBERS = Table(
    "phone_numbers",
    METADATA,
    Column("id", ID, primary_key=True, autoincrement=False),
    Column("phone", ID, nullable=False),
    Column("created_at", INSTANT, nullable=False),
    Column("updated_at", INSTANT, nullable=False),
    Column("next_call_at", INSTANT, nullable=False),
    Column("project_id", Integer, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("zone_set", SmallInteger, nullable=False),
    Column("attempts", SmallInteger, nullable=False),
    Column("cause", SmallInteger),
    Column("provider_id", Integer),
    Column("geo_id", Integer),
    Column("import_number", Integer),
    Column("last_call_at", INSTANT),
    Column("counted_from", INSTANT),
    Column("lease_until", INSTANT),
    Column("result_data", Text),
    UniqueConstraint("phone", "project_id"),
    Index("ix_phone_numbers_project_id_status_created_at_id", "project_id", "status", "created_at", "id"),
    Index(
        "ix_phone_numbers_due",
        "project_id",
        "zone_set",
        "next_call_at",
        "id",
        postgresql_where=DIALABLE,
        sqlite_where=DIALABLE,
    ),
    Index("ix_phone_numbers_lease_until", "lease_until", postgresql_where=IN_PROGRESS, sqlite_where=IN_PROGRESS),
    Index(
        "ix_phone_numbers_provider_id_id",
        "provider_id",
        "id",
        postgresql_where=text("provider_id IS NOT NULL"),
        sqlite_where=text("provider_id IS NOT NULL"),
    ),
    Index(
        "ix_phone_numbers_geo_id_id",
        "geo_id",
        "id",
        postgresql_where=text("geo_id IS NOT NULL"),
        sqlite_where=text("geo_id IS NOT NULL"),
    ),
)
"""`status` and `cause` are codes of `core.numbers.model.numbers`; 0, 3 and 4 are the statuses that may be called.

Every unique key but the first holds the project, so that the table can be parted by it.
"""

NUMBER_COUNTS = Table(
    "number_counts",
    METADATA,
    Column("project_id", ID, primary_key=True, autoincrement=False),
    Column("status", SmallInteger, primary_key=True, autoincrement=False),
    Column("numbers", ID, nullable=False),
)

NUMBER_DELTAS = Table(
    "number_deltas",
    METADATA,
    Column("id", ID, Identity(), primary_key=True),
    Column("project_id", ID, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("delta", ID, nullable=False),
)
"""Changes of the counts: only added, so that no two writers wait for one row; a job folds them into the counts."""

SUPPRESSIONS = Table(
    "suppressions",
    METADATA,
    Column("id", ID, primary_key=True, autoincrement=False),
    Column("phone", ID, nullable=False),
    Column("project_id", ID, nullable=False),
    Column("reason", String(200), nullable=False),
    Column("created_by", String(64), nullable=False),
    created_at(),
    UniqueConstraint("phone", "project_id"),
    Index("ix_suppressions_project_id_id", "project_id", "id"),
)
"""Project 0 stands for every project."""

CALLS = Table(
    "calls",
    METADATA,
    Column("call_id", String(200), primary_key=True),
    Column("phone", ID, nullable=False),
    Column("project_id", ID),
    Column("number_id", ID),
    Column("began_at", INSTANT),
    Column("started_at", INSTANT),
    Column("ended_at", INSTANT),
    Column("result", String(16)),
    Column("cause", String(32)),
    Column("result_at", INSTANT),
    Column("result_event", String(200)),
    Column("result_data", Text),
    Column("swept_at", INSTANT),
    Column("updated_at", INSTANT, nullable=False),
    Index(
        "ix_calls_number_id_began_at",
        "number_id",
        "began_at",
        postgresql_where=text("number_id IS NOT NULL"),
        sqlite_where=text("number_id IS NOT NULL"),
    ),
    Index(
        "ix_calls_open",
        "updated_at",
        postgresql_where=text("result IS NULL AND swept_at IS NULL"),
        sqlite_where=text("result IS NULL AND swept_at IS NULL"),
    ),
)

CALL_EVENTS = Table(
    "call_events",
    METADATA,
    Column("event_id", String(200), primary_key=True),
    Column("call_id", String(200), nullable=False),
    Column("type", String(16), nullable=False),
    Column("phone", ID, nullable=False),
    Column("occurred_at", INSTANT, nullable=False),
    Column("received_at", INSTANT, nullable=False),
    Column("payload", Text, nullable=False),
    one_of("type", ("call_started", "call_ended", "call_result")),
    Index("ix_call_events_call_id", "call_id"),
    Index("ix_call_events_received_at", "received_at"),
)

PROJECT_CONVERSIONS = Table(
    "project_conversions",
    METADATA,
    Column("id", ID, primary_key=True, autoincrement=False),
    Column("project_id", ID, ForeignKey("projects.id", ondelete="CASCADE"), nullable=False),
    Column("calculated_at", INSTANT, nullable=False),
    Column("total_numbers", ID, nullable=False),
    Column("processed_numbers", ID, nullable=False),
    Column("success_numbers", ID, nullable=False),
    Column("failed_numbers", ID, nullable=False),
    UniqueConstraint("project_id", "calculated_at"),
)

NUMBERING_RANGES = Table(
    "numbering_ranges",
    METADATA,
    Column("first", ID, primary_key=True, autoincrement=False),
    Column("last", ID, nullable=False),
    Column("operator", String(255), nullable=False),
    Column("region", String(400), nullable=False),
    Column("zones", Text, nullable=False),
)

NUMBERING_REGISTRY = Table(
    "numbering_registry",
    METADATA,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
    Column("ranges", Integer, nullable=False),
    Column("loaded_at", INSTANT),
)
