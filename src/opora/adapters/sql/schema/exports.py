"""Table of exports."""

from sqlalchemy import Boolean, Column, Index, String, Table, Text, UniqueConstraint, text

from opora.adapters.sql.schema.metadata import ID, INSTANT, METADATA, TASK_ID, one_of

FORMATS = ("json", "pdf")
STATUSES = ("queued", "running", "completed", "failed")
UNFINISHED = "status IN ('queued', 'running')"
KEPT = "status = 'completed' AND NOT is_file_removed"

EXPORTS = Table(
    "exports",
    METADATA,
    Column("id", TASK_ID, primary_key=True),
    Column("job_id", TASK_ID, nullable=False),
    Column("owner", String(64), nullable=False),
    Column("profile_ids", Text, nullable=False),
    Column("format", String(8), nullable=False),
    Column("status", String(16), nullable=False),
    Column("requested_at", INSTANT, nullable=False),
    Column("completed_at", INSTANT),
    Column("expires_at", INSTANT),
    Column("error", Text),
    Column("size", ID),
    Column("sha256", String(64)),
    Column("is_file_removed", Boolean, nullable=False),
    one_of("format", FORMATS),
    one_of("status", STATUSES),
    UniqueConstraint("job_id"),
    Index("ix_exports_owner_id", "owner", "id"),
    Index("ix_exports_unfinished", "id", postgresql_where=text(UNFINISHED), sqlite_where=text(UNFINISHED)),
    Index("ix_exports_kept", "expires_at", postgresql_where=text(KEPT), sqlite_where=text(KEPT)),
)
