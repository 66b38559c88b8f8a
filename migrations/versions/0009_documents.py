"""Bank documents, their categories and clients.

Revision 0009, after 0008.
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from opora.adapters.sql.schema.metadata import ID, INSTANT, TASK_ID
from opora.adapters.sql.schema.sequences import create_sequence, drop_sequence

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None
PHASE = "expand"

STATUSES = "'pending', 'quarantined', 'in_review', 'needs_info', 'approved', 'rejected', 'processed', 'archived'"
MEDIA_TYPES = (
    "'application/pdf', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document', "
    "'image/png', 'image/jpeg'"
)
KEPT = "deleted_at IS NULL"
OPEN = "deleted_at IS NULL AND status IN ('pending', 'in_review', 'approved')"
INDEXES = {
    "ix_documents_uploaded_at": (["uploaded_at", "id"], KEPT),
    "ix_documents_status": (["status", "uploaded_at", "id"], KEPT),
    "ix_documents_category_id": (["category_id", "uploaded_at", "id"], KEPT),
    "ix_documents_status_category_id": (["status", "category_id", "uploaded_at", "id"], KEPT),
    "ix_documents_user_id": (["user_id", "uploaded_at", "id"], KEPT),
    "ix_documents_worker_id": (["worker_id", "uploaded_at", "id"], KEPT),
    "ix_documents_open": (["uploaded_at", "id", "plan_maturity_date"], OPEN),
    "ix_documents_untold": (["plan_maturity_date", "id"], f"{OPEN} AND overdue_at IS NULL"),
    "ix_documents_with_file": (["retained_until", "deleted_at", "id"], "NOT is_file_removed AND NOT is_held"),
    "ix_documents_unscanned": (["id"], "deleted_at IS NULL AND status = 'pending' AND scan = 'waiting'"),
}
SEQUENCES = ("documents", "document_categories")
TABLES = (
    "document_texts",
    "document_history",
    "documents",
    "client_profiles",
    "user_types",
    "financial_positions",
    "operation_statuses",
    "document_categories",
)
FIRST_FREE = 100
"""Seeded ids are below it, so that a later migration may add more."""

CATEGORIES = (
    (1, "passport", "Паспорт", 1, 1825),
    (2, "contracts", "Договоры", 5, 1825),
    (3, "income", "Справки о доходах", 3, 1825),
    (4, "finance", "Финансы", 5, 1825),
    (5, "founding", "Учредительные документы", 5, 3650),
    (6, "questionnaires", "Анкеты", 3, 1825),
    (7, "other", "Прочее", 5, 1825),
)
OPERATIONS = (
    (1, "success", "Успешно"),
    (2, "error", "Ошибка"),
    (3, "needs_check", "Требует проверки"),
    (4, "revoked", "Отозвано"),
    (5, "active", "Активен"),
    (6, "archived", "Архивирован"),
    (7, "pending", "Ожидает обработки"),
    (8, "in_review", "В обработке"),
    (9, "needs_info", "Нужны сведения"),
    (10, "approved", "Подтверждён"),
    (11, "rejected", "Отклонён"),
    (12, "processed", "Исполнен"),
    (13, "quarantined", "В карантине"),
)
POSITIONS = ((1, "stable", "Стабильный"), (2, "watched", "Под наблюдением"), (3, "critical", "Критический"))
USER_TYPES = (
    (1, "client", "Клиент"),
    (2, "operator", "Оператор ДБО"),
    (3, "staff", "Сотрудник банка"),
    (4, "manager", "Менеджер"),
    (5, "admin", "Администратор"),
)


def upgrade() -> None:
    create_lists()
    create_client_profiles()
    create_documents()
    create_history()
    for table in SEQUENCES:
        create_sequence(table)
    spend_seeded_ids("document_categories")


def create_lists() -> None:
    categories = op.create_table(
        "document_categories",
        sa.Column("id", ID, primary_key=True, autoincrement=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("folded_name", sa.String(400), nullable=False),
        sa.Column("processing_days", sa.Integer, nullable=False),
        sa.Column("retention_days", sa.Integer, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.UniqueConstraint("code", name="uq_document_categories_code"),
        sa.UniqueConstraint("folded_name", name="uq_document_categories_folded_name"),
        sa.CheckConstraint("processing_days BETWEEN 0 AND 3650", name="processing_days"),
        sa.CheckConstraint("retention_days BETWEEN 0 AND 36500", name="retention_days"),
    )
    seeded = datetime(2026, 11, 21, tzinfo=UTC)
    sqlite = op.get_bind().dialect.name == "sqlite"
    written = "2026-11-21T00:00:00.000000Z" if sqlite else seeded
    op.bulk_insert(
        categories,
        [
            {
                "id": id,
                "code": code,
                "name": name,
                "folded_name": name.casefold().replace("ё", "е"),
                "processing_days": processing,
                "retention_days": retention,
                "created_at": written,
            }
            for id, code, name, processing, retention in CATEGORIES
        ],
    )
    for table, items in (
        ("operation_statuses", OPERATIONS),
        ("financial_positions", POSITIONS),
        ("user_types", USER_TYPES),
    ):
        made = op.create_table(
            table,
            sa.Column("id", ID, primary_key=True, autoincrement=False),
            sa.Column("code", sa.String(64), nullable=False),
            sa.Column("name", sa.String(200), nullable=False),
            sa.UniqueConstraint("code", name=f"uq_{table}_code"),
        )
        op.bulk_insert(made, [{"id": id, "code": code, "name": name} for id, code, name in items])


def create_client_profiles() -> None:
    op.create_table(
        "client_profiles",
        sa.Column("user_id", ID, sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
        sa.Column("last_name", sa.String(200), nullable=False),
        sa.Column("first_name", sa.String(200), nullable=False),
        sa.Column("middle_name", sa.String(200), nullable=False),
        sa.Column("birthday", sa.Date),
        sa.Column("sex", sa.String(8)),
        sa.Column("address", sa.String(1000), nullable=False),
        sa.Column("inn", sa.String(12)),
        sa.Column("financial_position_id", ID, sa.ForeignKey("financial_positions.id")),
        sa.Column("user_type_id", ID, sa.ForeignKey("user_types.id")),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.CheckConstraint("sex IN ('female', 'male')", name="sex"),
    )


def create_documents() -> None:
    op.create_table(
        "documents",
        sa.Column("id", ID, primary_key=True, autoincrement=False),
        sa.Column("user_id", ID, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("worker_id", ID, sa.ForeignKey("users.id")),
        sa.Column("category_id", ID, sa.ForeignKey("document_categories.id"), nullable=False),
        sa.Column("description", sa.String(1000), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("uploaded_at", INSTANT, nullable=False),
        sa.Column("uploaded_by", sa.String(64), nullable=False),
        sa.Column("actual_date", sa.Date),
        sa.Column("actual_end_date", sa.Date),
        sa.Column("plan_maturity_date", sa.Date, nullable=False),
        sa.Column("fact_maturity_date", sa.Date),
        sa.Column("blob_id", TASK_ID, nullable=False),
        sa.Column("file_name", sa.String(255), nullable=False),
        sa.Column("media_type", sa.String(100), nullable=False),
        sa.Column("size", ID, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("pages", sa.Integer),
        sa.Column("scan", sa.String(8), nullable=False),
        sa.Column("moved_at", INSTANT, nullable=False),
        sa.Column("moved_by", sa.String(64), nullable=False),
        sa.Column("overdue_at", INSTANT),
        sa.Column("is_held", sa.Boolean, nullable=False),
        sa.Column("retained_until", sa.Date),
        sa.Column("is_file_removed", sa.Boolean, nullable=False),
        sa.Column("deleted_at", INSTANT),
        sa.Column("abs_reference", sa.String(200)),
        sa.Column("abs_sync", sa.String(16), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("search", sa.Text, nullable=False),
        sa.CheckConstraint(f"status IN ({STATUSES})", name="status"),
        sa.CheckConstraint(f"media_type IN ({MEDIA_TYPES})", name="media_type"),
        sa.CheckConstraint("scan IN ('waiting', 'clean', 'infected')", name="scan"),
        sa.CheckConstraint("abs_sync IN ('not_sent', 'queued', 'sent', 'accepted', 'failed')", name="abs_sync"),
        sa.CheckConstraint("size > 0", name="size"),
        sa.CheckConstraint("actual_date <= actual_end_date", name="actual_dates"),
        sa.CheckConstraint("scan = 'clean' OR status IN ('pending', 'quarantined')", name="reviewed_only_clean"),
        sa.UniqueConstraint("blob_id", name="uq_documents_blob_id"),
    )
    indexed("uq_documents_user_id_sha256_category_id", ["user_id", "sha256", "category_id"], KEPT, unique=True)
    for name, (columns, where) in INDEXES.items():
        indexed(name, columns, where)


def indexed(name: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(name, "documents", columns, unique=unique, postgresql_where=condition, sqlite_where=condition)


def create_history() -> None:
    op.create_table(
        "document_history",
        sa.Column("document_id", ID, sa.ForeignKey("documents.id"), primary_key=True, autoincrement=False),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("by", sa.String(64), nullable=False),
        sa.Column("user_id", ID, sa.ForeignKey("users.id")),
        sa.Column("comment", sa.String(1000)),
        sa.CheckConstraint(f"status IN ({STATUSES})", name="status"),
    )
    op.create_table(
        "document_texts",
        sa.Column("document_id", ID, sa.ForeignKey("documents.id"), primary_key=True, autoincrement=False),
        sa.Column("text", sa.Text, nullable=False),
    )


def spend_seeded_ids(table: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"UPDATE id_sequences SET value = {FIRST_FREE - 1} WHERE name = '{table}'")
    else:
        op.execute(f"SELECT setval('{table}_id_seq', {FIRST_FREE - 1})")


def downgrade() -> None:
    for table in SEQUENCES:
        drop_sequence(table)
    for table in TABLES:
        op.drop_table(table)
