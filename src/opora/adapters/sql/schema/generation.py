"""Tables of texts, the words kept while they are written, the calls of engines, and prompts.

That a version of a prompt never changes is held by triggers, which the migration makes.
"""

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Index, Integer, SmallInteger, String, Table, Text
from sqlalchemy import text as sql

from opora.adapters.sql.schema.metadata import ID, INSTANT, METADATA, TASK_ID, created_at, one_of

MODES = ("auto", "sync", "async", "stream")
STATUSES = ("queued", "running", "completed", "failed", "cancelled")
GOING = "status IN ('queued', 'running')"
LEADING = f"{GOING} AND leader_id IS NULL AND cache_key IS NOT NULL"
FOLLOWING = f"{GOING} AND leader_id IS NOT NULL"
ANSWERED = "status = 'completed' AND NOT is_cached AND cache_key IS NOT NULL"

GENERATIONS = Table(
    "generations",
    METADATA,
    Column("id", TASK_ID, primary_key=True),
    Column("owner", String(64), nullable=False),
    Column("user_id", ID),
    Column("function", String(64), nullable=False),
    Column("prompt_id", ID),
    Column("prompt_version", Integer),
    Column("wish", Text, nullable=False),
    Column("mode", String(8), nullable=False),
    Column("status", String(16), nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("job_id", TASK_ID),
    Column("leader_id", TASK_ID),
    Column("cache_key", String(64)),
    Column("is_cached", Boolean, nullable=False),
    Column("notify", Boolean, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("content", Text),
    Column("finish", String(16)),
    Column("usage", Text),
    Column("engine", String(64)),
    Column("model", String(100)),
    Column("error", String(64)),
    Column("error_detail", Text),
    Column("request_id", String(128), nullable=False),
    Column("requested_at", INSTANT, nullable=False),
    Column("started_at", INSTANT),
    Column("ended_at", INSTANT),
    Column("version", Integer, nullable=False),
    one_of("mode", MODES),
    one_of("status", STATUSES),
    CheckConstraint("(ended_at IS NULL) = (status IN ('queued', 'running'))", name="ended_at"),
    CheckConstraint("status <> 'completed' OR content IS NOT NULL", name="content"),
    Index("ix_generations_owner_id", "owner", "id"),
    Index("ix_generations_job_id", "job_id"),
    Index("ix_generations_going", "id", postgresql_where=sql(GOING), sqlite_where=sql(GOING)),
    Index("ix_generations_leader_id", "leader_id", postgresql_where=sql(FOLLOWING), sqlite_where=sql(FOLLOWING)),
    Index(
        "uq_generations_leading",
        "owner",
        "cache_key",
        unique=True,
        postgresql_where=sql(LEADING),
        sqlite_where=sql(LEADING),
    ),
    Index(
        "ix_generations_answered",
        "owner",
        "cache_key",
        "ended_at",
        postgresql_where=sql(ANSWERED),
        sqlite_where=sql(ANSWERED),
    ),
)

GENERATION_WORDS = Table(
    "generation_words",
    METADATA,
    Column("text_id", TASK_ID, ForeignKey("generations.id"), primary_key=True),
    Column("attempt", Integer, primary_key=True, autoincrement=False),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("words", Text, nullable=False),
)

GENERATION_ATTEMPTS = Table(
    "generation_attempts",
    METADATA,
    Column("text_id", TASK_ID, ForeignKey("generations.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("engine", String(64), nullable=False),
    Column("outcome", String(64), nullable=False),
    Column("reference", String(200)),
    Column("started_at", INSTANT, nullable=False),
    Column("ended_at", INSTANT),
)

PROMPTS = Table(
    "prompts",
    METADATA,
    Column("id", ID, primary_key=True, autoincrement=False),
    Column("name", String(64), nullable=False, unique=True),
    Column("description", Text, nullable=False),
    Column("versions", Integer, nullable=False),
    created_at(),
)

PROMPT_VERSIONS = Table(
    "prompt_versions",
    METADATA,
    Column("prompt_id", ID, ForeignKey("prompts.id"), primary_key=True, autoincrement=False),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("template", Text, nullable=False),
    Column("system", Text, nullable=False),
    Column("variables", Text, nullable=False),
    Column("max_tokens", Integer, nullable=False),
    created_at(),
    Column("created_by", String(64), nullable=False),
)

PROMPT_LABELS = Table(
    "prompt_labels",
    METADATA,
    Column("prompt_id", ID, ForeignKey("prompts.id"), primary_key=True, autoincrement=False),
    Column("label", String(32), primary_key=True),
    Column("version", Integer, nullable=False),
)
