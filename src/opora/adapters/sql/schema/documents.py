"""Tables of documents: clients' papers, their history and text, the lists they refer to, client profiles.

That no document is written for a file that was swept is held by a trigger, which the migration makes.
"""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from opora.adapters.sql.schema.metadata import ID, INSTANT, METADATA, TASK_ID, created_at, one_of

STATUSES = ("pending", "quarantined", "in_review", "needs_info", "approved", "rejected", "processed", "archived")
MEDIA_TYPES = (
    "application/pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "image/png",
    "image/jpeg",
)
SCANS = ("waiting", "clean", "infected")
SYNCS = ("not_sent", "queued", "sent", "accepted", "failed")
SEXES = ("female", "male")

KEPT = text("deleted_at IS NULL")
OPEN = text("deleted_at IS NULL AND status IN ('pending', 'in_review', 'approved')")
UNTOLD = text("deleted_at IS NULL AND status IN ('pending', 'in_review', 'approved') AND overdue_at IS NULL")
WITH_FILE = text("NOT is_file_removed AND NOT is_held")
UNSCANNED = text("deleted_at IS NULL AND status = 'pending' AND scan = 'waiting'")


def kept(name: str, *columns: str, where: object = KEPT, unique: bool = False) -> Index:
    """An index over the rows that a condition names; those that are not deleted, unless said otherwise."""
    return Index(name, *columns, unique=unique, postgresql_where=where, sqlite_where=where)


DOCUMENT_CATEGORIES = Table(
    "document_categories",
    METADATA,
    Column("id", ID, primary_key=True, autoincrement=False),
    Column("code", String(64), nullable=False),
    Column("name", String(200), nullable=False),
    Column("folded_name", String(400), nullable=False),
    Column("processing_days", Integer, nullable=False),
    Column("retention_days", Integer, nullable=False),
    created_at(),
    UniqueConstraint("code"),
    UniqueConstraint("folded_name"),
    CheckConstraint("processing_days BETWEEN 0 AND 3650", name="processing_days"),
    CheckConstraint("retention_days BETWEEN 0 AND 36500", name="retention_days"),
)


def seeded(table: str) -> Table:
    """A list that migrations fill: an id, a code for programs and a name for people."""
    return Table(
        table,
        METADATA,
        Column("id", ID, primary_key=True, autoincrement=False),
        Column("code", String(64), nullable=False),
        Column("name", String(200), nullable=False),
        UniqueConstraint("code"),
    )


OPERATION_STATUSES = seeded("operation_statuses")
FINANCIAL_POSITIONS = seeded("financial_positions")
USER_TYPES = seeded("user_types")

CLIENT_PROFILES = Table(
    "client_profiles",
    METADATA,
    Column("user_id", ID, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("last_name", String(200), nullable=False),
    Column("first_name", String(200), nullable=False),
    Column("middle_name", String(200), nullable=False),
    Column("birthday", Date),
    Column("sex", String(8)),
    Column("address", String(1000), nullable=False),
    Column("inn", String(12)),
    Column("financial_position_id", ID, ForeignKey("financial_positions.id")),
    Column("user_type_id", ID, ForeignKey("user_types.id")),
    Column("updated_at", INSTANT, nullable=False),
    Column("version", Integer, nullable=False),
    one_of("sex", SEXES),
)

DOCUMENTS = Table(
    "documents",
    METADATA,
    Column("id", ID, primary_key=True, autoincrement=False),
    Column("user_id", ID, ForeignKey("users.id"), nullable=False),
    Column("worker_id", ID, ForeignKey("users.id")),
    Column("category_id", ID, ForeignKey("document_categories.id"), nullable=False),
    Column("description", String(1000), nullable=False),
    Column("status", String(16), nullable=False),
    Column("uploaded_at", INSTANT, nullable=False),
    Column("uploaded_by", String(64), nullable=False),
    Column("actual_date", Date),
    Column("actual_end_date", Date),
    Column("plan_maturity_date", Date, nullable=False),
    Column("fact_maturity_date", Date),
    Column("blob_id", TASK_ID, nullable=False),
    Column("file_name", String(255), nullable=False),
    Column("media_type", String(100), nullable=False),
    Column("size", ID, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("pages", Integer),
    Column("scan", String(8), nullable=False),
    Column("moved_at", INSTANT, nullable=False),
    Column("moved_by", String(64), nullable=False),
    Column("overdue_at", INSTANT),
    Column("is_held", Boolean, nullable=False),
    Column("retained_until", Date),
    Column("is_file_removed", Boolean, nullable=False),
    Column("deleted_at", INSTANT),
    Column("abs_reference", String(200)),
    Column("abs_sync", String(16), nullable=False),
    Column("version", Integer, nullable=False),
    Column("search", Text, nullable=False),
    one_of("status", STATUSES),
    one_of("media_type", MEDIA_TYPES),
    one_of("scan", SCANS),
    one_of("abs_sync", SYNCS),
    CheckConstraint("size > 0", name="size"),
    CheckConstraint("actual_date <= actual_end_date", name="actual_dates"),
    CheckConstraint("scan = 'clean' OR status IN ('pending', 'quarantined')", name="reviewed_only_clean"),
    UniqueConstraint("blob_id"),
    kept("uq_documents_user_id_sha256_category_id", "user_id", "sha256", "category_id", unique=True),
    kept("ix_documents_uploaded_at", "uploaded_at", "id"),
    kept("ix_documents_status", "status", "uploaded_at", "id"),
    kept("ix_documents_category_id", "category_id", "uploaded_at", "id"),
    kept("ix_documents_status_category_id", "status", "category_id", "uploaded_at", "id"),
    kept("ix_documents_user_id", "user_id", "uploaded_at", "id"),
    kept("ix_documents_worker_id", "worker_id", "uploaded_at", "id"),
    kept("ix_documents_open", "uploaded_at", "id", "plan_maturity_date", where=OPEN),
    kept("ix_documents_untold", "plan_maturity_date", "id", where=UNTOLD),
    kept("ix_documents_with_file", "retained_until", "deleted_at", "id", where=WITH_FILE),
    kept("ix_documents_unscanned", "id", where=UNSCANNED),
)

DOCUMENT_HISTORY = Table(
    "document_history",
    METADATA,
    Column("document_id", ID, ForeignKey("documents.id"), primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("status", String(16), nullable=False),
    Column("at", INSTANT, nullable=False),
    Column("by", String(64), nullable=False),
    Column("user_id", ID, ForeignKey("users.id")),
    Column("comment", String(1000)),
    one_of("status", STATUSES),
)

DOCUMENT_TEXTS = Table(
    "document_texts",
    METADATA,
    Column("document_id", ID, ForeignKey("documents.id"), primary_key=True, autoincrement=False),
    Column("text", Text, nullable=False),
)

SWEPT_FILES = Table(
    "swept_files",
    METADATA,
    Column("blob_id", TASK_ID, primary_key=True),
    Column("swept_at", INSTANT, nullable=False),
    Index("ix_swept_files_swept_at", "swept_at"),
)
