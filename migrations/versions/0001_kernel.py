"""Jobs, outbox, idempotency keys, audit log and API versions.

Revision 0001, the first.
"""

from datetime import date

import sqlalchemy as sa
from alembic import op

from opora.adapters.sql.schema.metadata import BYTES, ID, INSTANT, TASK_ID
from opora.adapters.sql.schema.sequences import create_sequence, drop_sequence

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None
PHASE = "expand"

QUEUED = sa.text("state = 'queued'")
RUNNING = sa.text("state = 'running'")
DEAD = sa.text("state = 'dead'")
ENDED = sa.text("state IN ('succeeded', 'cancelled')")
WAITING = sa.text("dispatched_at IS NULL")
UNSEALED = sa.text("seal_number IS NULL")


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    if dialect == "sqlite":
        op.create_table("id_sequences", sa.Column("name", sa.Text, primary_key=True), sa.Column("value", sa.Integer))
    else:
        op.execute(
            "CREATE FUNCTION later(seconds double precision) RETURNS timestamptz LANGUAGE sql STABLE"
            " AS 'SELECT now() + make_interval(secs => seconds)'"
        )
    create_jobs()
    create_outbox()
    create_idempotency_keys()
    create_audit_log()
    create_api_versions()


def create_jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", TASK_ID, primary_key=True),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("priority", sa.SmallInteger, nullable=False),
        sa.Column("run_at", INSTANT, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("attempts_max", sa.Integer, nullable=False),
        sa.Column("lease_id", sa.String(32)),
        sa.Column("lease_until", INSTANT),
        sa.Column("cancel_requested", sa.Boolean, nullable=False),
        sa.Column("progress_done", ID, nullable=False),
        sa.Column("progress_total", ID, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("result", sa.Text),
        sa.Column("error", sa.Text),
        sa.Column("dedup_key", sa.String(200)),
        sa.Column("request_id", sa.String(128), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("finished_at", INSTANT),
        sa.CheckConstraint("state IN ('queued', 'running', 'succeeded', 'dead', 'cancelled')", name="state"),
        sa.UniqueConstraint("dedup_key", name="uq_jobs_dedup_key"),
    )
    op.create_index("ix_jobs_due", "jobs", ["priority", "run_at", "id"], postgresql_where=QUEUED, sqlite_where=QUEUED)
    op.create_index("ix_jobs_run_at", "jobs", ["run_at"], postgresql_where=QUEUED, sqlite_where=QUEUED)
    op.create_index("ix_jobs_dead", "jobs", ["id"], postgresql_where=DEAD, sqlite_where=DEAD)
    op.create_index("ix_jobs_finished_at", "jobs", ["finished_at"], postgresql_where=ENDED, sqlite_where=ENDED)
    op.create_index("ix_jobs_leased", "jobs", ["lease_until"], postgresql_where=RUNNING, sqlite_where=RUNNING)


def create_outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", TASK_ID, primary_key=True),
        sa.Column("topic", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("dispatched_at", INSTANT),
    )
    op.create_index("ix_outbox_waiting", "outbox", ["id"], postgresql_where=WAITING, sqlite_where=WAITING)
    op.create_index("ix_outbox_dispatched_at", "outbox", ["dispatched_at"])


def create_idempotency_keys() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("caller", sa.String(64), primary_key=True),
        sa.Column("key", sa.String(255), primary_key=True),
        sa.Column("fingerprint", BYTES, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("token", sa.String(32), nullable=False),
        sa.Column("lease_until", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("status", sa.SmallInteger),
        sa.Column("headers", sa.Text),
        sa.Column("body", BYTES),
        sa.CheckConstraint("state IN ('running', 'committed', 'done')", name="state"),
    )
    op.create_index("ix_idempotency_keys_expires_at", "idempotency_keys", ["expires_at"])


def create_audit_log() -> None:
    op.create_table(
        "audit_log",
        sa.Column("id", ID, primary_key=True, autoincrement=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("user_id", ID),
        sa.Column("key_id", ID),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("entity_type", sa.String(64), nullable=False),
        sa.Column("entity_id", sa.String(64), nullable=False),
        sa.Column("old_values", sa.Text),
        sa.Column("new_values", sa.Text),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("user_agent", sa.String(512), nullable=False),
        sa.Column("request_id", sa.String(128), nullable=False),
        sa.Column("row_hash", BYTES, nullable=False),
        sa.Column("seal_number", ID),
        sa.Column("seal_hash", BYTES),
        sa.UniqueConstraint("seal_number", name="uq_audit_log_seal_number"),
    )
    op.create_index("ix_audit_log_entity_type_entity_id_id", "audit_log", ["entity_type", "entity_id", "id"])
    op.create_index("ix_audit_log_user_id_id", "audit_log", ["user_id", "id"])
    op.create_index("ix_audit_log_action_id", "audit_log", ["action", "id"])
    op.create_index("ix_audit_log_created_at", "audit_log", ["created_at"])
    op.create_index("ix_audit_log_unsealed", "audit_log", ["id"], postgresql_where=UNSEALED, sqlite_where=UNSEALED)
    create_sequence("audit_log")
    seal = op.create_table(
        "audit_seal",
        sa.Column("id", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("seal_number", ID, nullable=False),
        sa.Column("seal_hash", BYTES, nullable=False),
    )
    op.bulk_insert(seal, [{"id": 1, "seal_number": 0, "seal_hash": b""}])


def create_api_versions() -> None:
    versions = op.create_table(
        "api_versions",
        sa.Column("version", sa.String(16), primary_key=True),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("released_on", sa.Date),
        sa.Column("deprecated_on", sa.Date),
        sa.Column("sunset_on", sa.Date),
        sa.Column("successor", sa.String(16)),
        sa.CheckConstraint("status IN ('beta', 'stable', 'deprecated', 'retired')", name="status"),
    )
    op.bulk_insert(versions, [{"version": "v1", "status": "stable", "released_on": date(2026, 11, 21)}])


def downgrade() -> None:
    drop_sequence("audit_log")
    for table in ("api_versions", "audit_seal", "audit_log", "idempotency_keys", "outbox", "jobs"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "sqlite":
        op.drop_table("id_sequences")
    else:
        op.execute("DROP FUNCTION later(double precision)")
