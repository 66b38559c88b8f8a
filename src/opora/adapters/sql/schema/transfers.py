"""Tables of imports and exports of numbers: what was asked, how far it is, which rows were refused."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from opora.adapters.sql.schema.metadata import ID, INSTANT, METADATA, TASK_ID, one_of

KINDS = ("import", "export")
CHANNELS = ("upload", "sftp", "download")
STATUSES = ("pending", "running", "completed", "failed", "cancelled")
UNFINISHED = text("status IN ('pending', 'running')")
KEPT = text("expires_at IS NOT NULL AND NOT is_file_removed")

TRANSFERS = Table(
    "transfers",
    METADATA,
    Column("id", TASK_ID, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("job_id", TASK_ID, nullable=False),
    Column("kind", String(8), nullable=False),
    Column("channel", String(8), nullable=False),
    Column("project_id", ID, nullable=False),
    Column("owner", String(64), nullable=False),
    Column("file_name", String(255), nullable=False),
    Column("format", String(8)),
    Column("provider_id", ID),
    Column("mapping", Text, nullable=False),
    Column("filter", Text, nullable=False),
    Column("status", String(16), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("requested_at", INSTANT, nullable=False),
    Column("started_at", INSTANT),
    Column("completed_at", INSTANT),
    Column("expires_at", INSTANT),
    Column("records", BigInteger, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("duplicates_in_file", BigInteger, nullable=False),
    Column("duplicates", BigInteger, nullable=False),
    Column("suppressed", BigInteger, nullable=False),
    Column("invalid", BigInteger, nullable=False),
    Column("error", Text),
    Column("error_code", String(64)),
    Column("size", ID),
    Column("sha256", String(64)),
    Column("is_file_removed", Boolean, nullable=False),
    Column("undone_at", INSTANT),
    Column("removed", BigInteger, nullable=False),
    one_of("kind", KINDS),
    one_of("channel", CHANNELS),
    one_of("status", STATUSES),
    UniqueConstraint("number"),
    UniqueConstraint("job_id"),
    Index("ix_transfers_project_id_id", "project_id", "id"),
    Index("ix_transfers_unfinished", "id", postgresql_where=UNFINISHED, sqlite_where=UNFINISHED),
    Index("ix_transfers_kept", "expires_at", postgresql_where=KEPT, sqlite_where=KEPT),
)

TRANSFER_RANGES = Table(
    "transfer_ranges",
    METADATA,
    Column("transfer_number", Integer, primary_key=True, autoincrement=False),
    Column("first", ID, primary_key=True, autoincrement=False),
    Column("last", ID, nullable=False),
    Column("first_id", ID, nullable=False),
    Column("last_id", ID, nullable=False),
    Column("created", Integer, nullable=False),
    ForeignKeyConstraint(["transfer_number"], ["transfers.number"], ondelete="CASCADE"),
)
"""The spans of an import that are done: an attempt that takes over begins after them, and an undo follows them."""

TRANSFER_REFUSALS = Table(
    "transfer_refusals",
    METADATA,
    Column("transfer_number", Integer, primary_key=True, autoincrement=False),
    Column("line", ID, primary_key=True, autoincrement=False),
    Column("field", String(16), nullable=False),
    Column("reason", String(32), nullable=False),
    Column("value", String(64), nullable=False),
    ForeignKeyConstraint(["transfer_number"], ["transfers.number"], ondelete="CASCADE"),
)
"""Rows that did not become numbers, for a time; at most as many as the policy keeps."""
