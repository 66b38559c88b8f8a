"""Tables that every context shares: jobs, outbox, idempotency, audit, versions."""

from sqlalchemy import Boolean, Column, Date, Index, Integer, SmallInteger, String, Table, Text, UniqueConstraint, text

from opora.adapters.sql.schema.metadata import BYTES, ID, INSTANT, METADATA, TASK_ID, one_of

JOB_STATES = ("queued", "running", "succeeded", "dead", "cancelled")

JOBS = Table(
    "jobs",
    METADATA,
    Column("id", TASK_ID, primary_key=True),
    Column("kind", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("run_at", INSTANT, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("attempts_max", Integer, nullable=False),
    Column("lease_id", String(32)),
    Column("lease_until", INSTANT),
    Column("cancel_requested", Boolean, nullable=False),
    Column("progress_done", ID, nullable=False),
    Column("progress_total", ID, nullable=False),
    Column("payload", Text, nullable=False),
    Column("result", Text),
    Column("error", Text),
    Column("dedup_key", String(200)),
    Column("request_id", String(128), nullable=False),
    Column("created_at", INSTANT, nullable=False),
    Column("finished_at", INSTANT),
    one_of("state", JOB_STATES),
    UniqueConstraint("dedup_key"),
    Index(
        "ix_jobs_due",
        "priority",
        "run_at",
        "id",
        postgresql_where=text("state = 'queued'"),
        sqlite_where=text("state = 'queued'"),
    ),
    Index(
        "ix_jobs_leased",
        "lease_until",
        postgresql_where=text("state = 'running'"),
        sqlite_where=text("state = 'running'"),
    ),
    Index(
        "ix_jobs_run_at",
        "run_at",
        postgresql_where=text("state = 'queued'"),
        sqlite_where=text("state = 'queued'"),
    ),
    Index("ix_jobs_dead", "id", postgresql_where=text("state = 'dead'"), sqlite_where=text("state = 'dead'")),
    Index(
        "ix_jobs_finished_at",
        "finished_at",
        postgresql_where=text("state IN ('succeeded', 'cancelled')"),
        sqlite_where=text("state IN ('succeeded', 'cancelled')"),
    ),
)

OUTBOX = Table(
    "outbox",
    METADATA,
    Column("id", TASK_ID, primary_key=True),
    Column("topic", String(64), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("payload", Text, nullable=False),
    Column("at", INSTANT, nullable=False),
    Column("dispatched_at", INSTANT),
    Index(
        "ix_outbox_waiting",
        "id",
        postgresql_where=text("dispatched_at IS NULL"),
        sqlite_where=text("dispatched_at IS NULL"),
    ),
    Index("ix_outbox_dispatched_at", "dispatched_at"),
)

IDEMPOTENCY_KEYS = Table(
    "idempotency_keys",
    METADATA,
    Column("caller", String(64), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("fingerprint", BYTES, nullable=False),
    Column("state", String(16), nullable=False),
    Column("token", String(32), nullable=False),
    Column("lease_until", INSTANT, nullable=False),
    Column("expires_at", INSTANT, nullable=False),
    Column("status", SmallInteger),
    Column("headers", Text),
    Column("body", BYTES),
    one_of("state", ("running", "committed", "done")),
    Index("ix_idempotency_keys_expires_at", "expires_at"),
)

AUDIT_LOG = Table(
    "audit_log",
    METADATA,
    Column("id", ID, primary_key=True, autoincrement=False),
    Column("created_at", INSTANT, nullable=False),
    Column("user_id", ID),
    Column("key_id", ID),
    Column("action", String(64), nullable=False),
    Column("entity_type", String(64), nullable=False),
    Column("entity_id", String(64), nullable=False),
    Column("old_values", Text),
    Column("new_values", Text),
    Column("address", String(64), nullable=False),
    Column("user_agent", String(512), nullable=False),
    Column("request_id", String(128), nullable=False),
    Column("row_hash", BYTES, nullable=False),
    Column("seal_number", ID),
    Column("seal_hash", BYTES),
    UniqueConstraint("seal_number"),
    Index("ix_audit_log_entity_type_entity_id_id", "entity_type", "entity_id", "id"),
    Index("ix_audit_log_user_id_id", "user_id", "id"),
    Index("ix_audit_log_action_id", "action", "id"),
    Index("ix_audit_log_created_at", "created_at"),
    Index(
        "ix_audit_log_unsealed",
        "id",
        postgresql_where=text("seal_number IS NULL"),
        sqlite_where=text("seal_number IS NULL"),
    ),
)

AUDIT_SEAL = Table(
    "audit_seal",
    METADATA,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("seal_number", ID, nullable=False),
    Column("seal_hash", BYTES, nullable=False),
)

API_VERSIONS = Table(
    "api_versions",
    METADATA,
    Column("version", String(16), primary_key=True),
    Column("status", String(16), nullable=False),
    Column("released_on", Date),
    Column("deprecated_on", Date),
    Column("sunset_on", Date),
    Column("successor", String(16)),
    one_of("status", ("beta", "stable", "deprecated", "retired")),
)

SCHEMA_HISTORY = Table(
    "schema_history",
    METADATA,
    Column("revision", String(32), primary_key=True),
    Column("phase", String(16), nullable=False),
    Column("applied_at", INSTANT, nullable=False),
    one_of("phase", ("expand", "contract")),
)
