"""Projects, phone numbers, calls and conversion.

Revision 0011, after 0010.
"""

import sqlalchemy as sa
from alembic import op

from opora.adapters.sql.schema import number_triggers
from opora.adapters.sql.schema.metadata import ID, INSTANT
from opora.adapters.sql.schema.sequences import create_sequence, drop_sequence

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None
PHASE = "expand"

DIALABLE = sa.text("status IN (0, 3, 4)")
IN_PROGRESS = sa.text("status = 1")
HAS_PROVIDER = sa.text("provider_id IS NOT NULL")
HAS_GEO = sa.text("geo_id IS NOT NULL")
HAS_NUMBER = sa.text("number_id IS NOT NULL")
OPEN = sa.text("result IS NULL AND swept_at IS NULL")
TABLES = (
    "projects", "providers", "geo", "project_providers", "project_geo", "project_managers", "project_schedules",
    "zone_sets", "phone_numbers", "number_counts", "number_deltas", "suppressions", "calls", "call_events",
    "project_conversions", "numbering_ranges", "numbering_registry",
)  # fmt: skip
SEQUENCES = ("projects", "providers", "geo", "phone_numbers", "suppressions", "project_conversions")
NO_PROJECT = """
INSERT INTO projects (id, name, description, status, timezone, zone_mode, holidays, attempts_max, created_by,
 created_at, updated_at, version, search)
VALUES (0, '', '', 'paused', 'UTC', 'number', '[]', 1, 'opora', '1970-01-01T00:00:00.000000Z',
 '1970-01-01T00:00:00.000000Z', 1, '')
"""
"""The project of numbers that belong to none."""


def upgrade() -> None:
    for create in CREATORS:
        create()
    for table in SEQUENCES:
        create_sequence(table)
    op.execute(NO_PROJECT)
    op.execute("INSERT INTO zone_sets (id, zones) VALUES (0, '[]')")
    op.execute("INSERT INTO numbering_registry (id, version, ranges) VALUES (1, 0, 0)")
    if op.get_bind().dialect.name == "postgresql":
        number_triggers.create_postgres_triggers()
    else:
        number_triggers.create_sqlite_triggers()


def downgrade() -> None:
    for table in SEQUENCES:
        drop_sequence(table)
    for table in reversed(TABLES):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        number_triggers.drop_postgres_functions()


def create_projects() -> None:
    op.create_table(
        "projects",
        sa.Column("id", ID, primary_key=True, autoincrement=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("timezone", sa.String(64), nullable=False),
        sa.Column("zone_mode", sa.String(16), nullable=False),
        sa.Column("holidays", sa.Text, nullable=False),
        sa.Column("attempts_max", sa.SmallInteger, nullable=False),
        sa.Column("in_progress_max", sa.Integer),
        sa.Column("created_by", sa.String(64), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("deleted_at", INSTANT),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("search", sa.Text, nullable=False),
        sa.CheckConstraint("status IN ('active', 'paused')", name="status"),
        sa.CheckConstraint("zone_mode IN ('number', 'project')", name="zone_mode"),
    )
    op.create_index("ix_projects_created_by", "projects", ["created_by"])
    op.create_index("ix_projects_deleted_at", "projects", ["deleted_at"])


def create_providers() -> None:
    op.create_table(
        "providers",
        sa.Column("id", ID, primary_key=True, autoincrement=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("type", sa.String(100)),
        sa.Column("contact_info", sa.Text, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("search", sa.Text, nullable=False),
        sa.CheckConstraint("status IN ('active', 'inactive')", name="status"),
    )


def create_geo() -> None:
    op.create_table(
        "geo",
        sa.Column("id", ID, primary_key=True, autoincrement=False),
        sa.Column("country_code", sa.String(10), nullable=False),
        sa.Column("region", sa.String(255)),
        sa.Column("city", sa.String(255)),
        sa.Column("timezone", sa.String(64)),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("search", sa.Text, nullable=False),
    )
    op.create_index("ix_geo_country_code", "geo", ["country_code"])


def create_project_providers() -> None:
    op.create_table(
        "project_providers",
        sa.Column(
            "project_id",
            ID,
            sa.ForeignKey("projects.id", ondelete="CASCADE", name="fk_project_providers_project_id_projects"),
            primary_key=True,
        ),
        sa.Column(
            "provider_id",
            ID,
            sa.ForeignKey("providers.id", name="fk_project_providers_provider_id_providers"),
            primary_key=True,
        ),
        sa.Column("created_at", INSTANT, nullable=False),
    )
    op.create_index("ix_project_providers_provider_id", "project_providers", ["provider_id"])


def create_project_geo() -> None:
    op.create_table(
        "project_geo",
        sa.Column(
            "project_id",
            ID,
            sa.ForeignKey("projects.id", ondelete="CASCADE", name="fk_project_geo_project_id_projects"),
            primary_key=True,
        ),
        sa.Column("geo_id", ID, sa.ForeignKey("geo.id", name="fk_project_geo_geo_id_geo"), primary_key=True),
        sa.Column("created_at", INSTANT, nullable=False),
    )
    op.create_index("ix_project_geo_geo_id", "project_geo", ["geo_id"])


def create_project_managers() -> None:
    op.create_table(
        "project_managers",
        sa.Column(
            "project_id",
            ID,
            sa.ForeignKey("projects.id", ondelete="CASCADE", name="fk_project_managers_project_id_projects"),
            primary_key=True,
        ),
        sa.Column(
            "user_id",
            ID,
            sa.ForeignKey("users.id", ondelete="CASCADE", name="fk_project_managers_user_id_users"),
            primary_key=True,
        ),
        sa.Column("granted_by", sa.String(64), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
    )
    op.create_index("ix_project_managers_user_id", "project_managers", ["user_id"])


def create_project_schedules() -> None:
    op.create_table(
        "project_schedules",
        sa.Column(
            "project_id",
            ID,
            sa.ForeignKey("projects.id", ondelete="CASCADE", name="fk_project_schedules_project_id_projects"),
            primary_key=True,
        ),
        sa.Column("position", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("weekday", sa.SmallInteger, nullable=False),
        sa.Column("start_minute", sa.SmallInteger, nullable=False),
        sa.Column("end_minute", sa.SmallInteger, nullable=False),
        sa.Column("is_active", sa.Boolean, nullable=False),
    )


def create_zone_sets() -> None:
    op.create_table(
        "zone_sets",
        sa.Column("id", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("zones", sa.Text, nullable=False),
        sa.UniqueConstraint("zones", name="uq_zone_sets_zones"),
    )


def create_phone_numbers() -> None:
    op.create_table(
        "phone_numbers",
        sa.Column("id", ID, primary_key=True, autoincrement=False),
        sa.Column("phone", ID, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("next_call_at", INSTANT, nullable=False),
        sa.Column("project_id", sa.Integer, nullable=False),
        sa.Column("status", sa.SmallInteger, nullable=False),
        sa.Column("zone_set", sa.SmallInteger, nullable=False),
        sa.Column("attempts", sa.SmallInteger, nullable=False),
        sa.Column("cause", sa.SmallInteger),
        sa.Column("provider_id", sa.Integer),
        sa.Column("geo_id", sa.Integer),
        sa.Column("import_number", sa.Integer),
        sa.Column("last_call_at", INSTANT),
        sa.Column("counted_from", INSTANT),
        sa.Column("lease_until", INSTANT),
        sa.Column("result_data", sa.Text),
        sa.UniqueConstraint("phone", "project_id", name="uq_phone_numbers_phone_project_id"),
    )
    op.create_index(
        "ix_phone_numbers_due",
        "phone_numbers",
        ["project_id", "zone_set", "next_call_at", "id"],
        postgresql_where=DIALABLE,
        sqlite_where=DIALABLE,
    )
    op.create_index(
        "ix_phone_numbers_geo_id_id", "phone_numbers", ["geo_id", "id"], postgresql_where=HAS_GEO, sqlite_where=HAS_GEO
    )
    op.create_index(
        "ix_phone_numbers_lease_until",
        "phone_numbers",
        ["lease_until"],
        postgresql_where=IN_PROGRESS,
        sqlite_where=IN_PROGRESS,
    )
    op.create_index("ix_phone_numbers_project_id_status_id", "phone_numbers", ["project_id", "status", "id"])
    op.create_index(
        "ix_phone_numbers_provider_id_id",
        "phone_numbers",
        ["provider_id", "id"],
        postgresql_where=HAS_PROVIDER,
        sqlite_where=HAS_PROVIDER,
    )


def create_number_counts() -> None:
    op.create_table(
        "number_counts",
        sa.Column("project_id", ID, primary_key=True, autoincrement=False),
        sa.Column("status", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("numbers", ID, nullable=False),
    )


def create_number_deltas() -> None:
    op.create_table(
        "number_deltas",
        sa.Column("id", ID, sa.Identity(), primary_key=True),
        sa.Column("project_id", ID, nullable=False),
        sa.Column("status", sa.SmallInteger, nullable=False),
        sa.Column("delta", ID, nullable=False),
    )


def create_suppressions() -> None:
    op.create_table(
        "suppressions",
        sa.Column("id", ID, primary_key=True, autoincrement=False),
        sa.Column("phone", ID, nullable=False),
        sa.Column("project_id", ID, nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("created_by", sa.String(64), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.UniqueConstraint("phone", "project_id", name="uq_suppressions_phone_project_id"),
    )
    op.create_index("ix_suppressions_project_id_id", "suppressions", ["project_id", "id"])


def create_calls() -> None:
    op.create_table(
        "calls",
        sa.Column("call_id", sa.String(200), primary_key=True),
        sa.Column("phone", ID, nullable=False),
        sa.Column("project_id", ID),
        sa.Column("number_id", ID),
        sa.Column("began_at", INSTANT),
        sa.Column("started_at", INSTANT),
        sa.Column("ended_at", INSTANT),
        sa.Column("result", sa.String(16)),
        sa.Column("cause", sa.String(32)),
        sa.Column("result_at", INSTANT),
        sa.Column("result_event", sa.String(200)),
        sa.Column("result_data", sa.Text),
        sa.Column("swept_at", INSTANT),
        sa.Column("updated_at", INSTANT, nullable=False),
    )
    op.create_index(
        "ix_calls_number_id_began_at",
        "calls",
        ["number_id", "began_at"],
        postgresql_where=HAS_NUMBER,
        sqlite_where=HAS_NUMBER,
    )
    op.create_index("ix_calls_open", "calls", ["updated_at"], postgresql_where=OPEN, sqlite_where=OPEN)


def create_call_events() -> None:
    op.create_table(
        "call_events",
        sa.Column("event_id", sa.String(200), primary_key=True),
        sa.Column("call_id", sa.String(200), nullable=False),
        sa.Column("type", sa.String(16), nullable=False),
        sa.Column("phone", ID, nullable=False),
        sa.Column("occurred_at", INSTANT, nullable=False),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.CheckConstraint("type IN ('call_started', 'call_ended', 'call_result')", name="type"),
    )
    op.create_index("ix_call_events_call_id", "call_events", ["call_id"])
    op.create_index("ix_call_events_received_at", "call_events", ["received_at"])


def create_project_conversions() -> None:
    op.create_table(
        "project_conversions",
        sa.Column("id", ID, primary_key=True, autoincrement=False),
        sa.Column(
            "project_id",
            ID,
            sa.ForeignKey("projects.id", ondelete="CASCADE", name="fk_project_conversions_project_id_projects"),
            nullable=False,
        ),
        sa.Column("calculated_at", INSTANT, nullable=False),
        sa.Column("total_numbers", ID, nullable=False),
        sa.Column("processed_numbers", ID, nullable=False),
        sa.Column("success_numbers", ID, nullable=False),
        sa.Column("failed_numbers", ID, nullable=False),
        sa.UniqueConstraint("project_id", "calculated_at", name="uq_project_conversions_project_id_calculated_at"),
    )


def create_numbering_ranges() -> None:
    op.create_table(
        "numbering_ranges",
        sa.Column("first", ID, primary_key=True, autoincrement=False),
        sa.Column("last", ID, nullable=False),
        sa.Column("operator", sa.String(255), nullable=False),
        sa.Column("region", sa.String(400), nullable=False),
        sa.Column("zones", sa.Text, nullable=False),
    )


def create_numbering_registry() -> None:
    op.create_table(
        "numbering_registry",
        sa.Column("id", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("ranges", sa.Integer, nullable=False),
        sa.Column("loaded_at", INSTANT),
    )


CREATORS = (
    create_projects,
    create_providers,
    create_geo,
    create_project_providers,
    create_project_geo,
    create_project_managers,
    create_project_schedules,
    create_zone_sets,
    create_phone_numbers,
    create_number_counts,
    create_number_deltas,
    create_suppressions,
    create_calls,
    create_call_events,
    create_project_conversions,
    create_numbering_ranges,
    create_numbering_registry,
)
