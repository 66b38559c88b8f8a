"""The ledger and payments.

Revision 0014, after 0013.
"""

import sqlalchemy as sa
from alembic import op

from opora.adapters.sql.schema import ledger_triggers, payments
from opora.adapters.sql.schema.metadata import ID, INSTANT
from opora.adapters.sql.schema.sequences import create_sequence, drop_sequence

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None
PHASE = "expand"

SEQUENCES = ("payments", "refunds")
TABLES = (
    "payment_notices",
    "refunds",
    "payments",
    "ledger_holds",
    "ledger_balances",
    "ledger_entries",
    "ledger_transfers",
    "ledger_seals",
    "ledger_accounts",
)


def upgrade() -> None:
    _accounts()
    _transfers()
    _holds()
    _payments()
    _refunds()
    for table in SEQUENCES:
        create_sequence(table)
    if op.get_bind().dialect.name == "postgresql":
        ledger_triggers.create_postgres_triggers()
        payments.create_postgres_triggers()
    else:
        ledger_triggers.create_sqlite_triggers()
        payments.create_sqlite_triggers()


def _accounts() -> None:
    op.create_table(
        "ledger_accounts",
        sa.Column("id", ID, primary_key=True, autoincrement=True),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("user_id", ID),
        sa.Column("has_balance", sa.Boolean, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint("kind IN ('person', 'provider', 'revenue', 'adjustments', 'losses')", name="kind"),
        sa.CheckConstraint("(kind = 'person') = (user_id IS NOT NULL)", name="user_id"),
        sa.CheckConstraint("kind <> 'person' OR has_balance", name="has_balance"),
        sa.UniqueConstraint("name", "currency", name="uq_ledger_accounts_name_currency"),
        sa.UniqueConstraint("id", "currency", name="uq_ledger_accounts_id_currency"),
    )
    of_person = sa.text("user_id IS NOT NULL")
    op.create_index(
        "ix_ledger_accounts_user_id",
        "ledger_accounts",
        ["user_id"],
        postgresql_where=of_person,
        sqlite_where=of_person,
    )
    op.create_table(
        "ledger_balances",
        sa.Column("account_id", ID, sa.ForeignKey("ledger_accounts.id"), primary_key=True, autoincrement=False),
        sa.Column("posted_minor", ID, nullable=False),
        sa.Column("held_minor", ID, nullable=False),
        sa.Column("floor_minor", ID, nullable=False),
        sa.Column("last_entry_id", ID, nullable=False),
        sa.CheckConstraint("posted_minor - held_minor >= floor_minor", name="floor"),
        sa.CheckConstraint("held_minor >= 0", name="held_minor"),
        sa.CheckConstraint("posted_minor BETWEEN -9000000000000000000 AND 9000000000000000000", name="range"),
    )


def _transfers() -> None:
    op.create_table("ledger_seals", sa.Column("transfer_id", ID, primary_key=True, autoincrement=False))
    op.create_table(
        "ledger_transfers",
        sa.Column("id", ID, primary_key=True, autoincrement=True),
        sa.Column("key", sa.String(100), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("cause", sa.String(100), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.UniqueConstraint("key", name="uq_ledger_transfers_key"),
        sa.ForeignKeyConstraint(
            ["id"],
            ["ledger_seals.transfer_id"],
            name="fk_ledger_transfers_id_ledger_seals",
            deferrable=True,
            initially="DEFERRED",
        ),
    )
    op.create_table(
        "ledger_entries",
        sa.Column("id", ID, primary_key=True, autoincrement=True),
        sa.Column("transfer_id", ID, sa.ForeignKey("ledger_transfers.id"), nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("amount_minor", ID, nullable=False),
        sa.CheckConstraint("amount_minor <> 0 AND amount_minor = CAST(amount_minor AS bigint)", name="amount_minor"),
        sa.CheckConstraint("amount_minor BETWEEN -1000000000000000 AND 1000000000000000", name="range"),
        sa.ForeignKeyConstraint(
            ["account_id", "currency"],
            ["ledger_accounts.id", "ledger_accounts.currency"],
            name="fk_ledger_entries_account_id_ledger_accounts",
        ),
    )
    op.create_index("ix_ledger_entries_transfer_id", "ledger_entries", ["transfer_id"])
    op.create_index("ix_ledger_entries_account_id_id", "ledger_entries", ["account_id", "id"])


def _holds() -> None:
    op.create_table(
        "ledger_holds",
        sa.Column("id", ID, primary_key=True, autoincrement=True),
        sa.Column("key", sa.String(100), nullable=False),
        sa.Column("account_id", ID, sa.ForeignKey("ledger_balances.account_id"), nullable=False),
        sa.Column("amount_minor", ID, nullable=False),
        sa.Column("captured_minor", ID, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("cause", sa.String(100), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT),
        sa.Column("resolved_at", INSTANT),
        sa.CheckConstraint("state IN ('pending', 'captured', 'voided', 'expired')", name="state"),
        sa.CheckConstraint(
            "amount_minor BETWEEN 1 AND 1000000000000000 AND amount_minor = CAST(amount_minor AS bigint)",
            name="amount_minor",
        ),
        sa.CheckConstraint("captured_minor BETWEEN 0 AND amount_minor", name="captured_minor"),
        sa.CheckConstraint("(captured_minor > 0) = (state = 'captured')", name="captured"),
        sa.CheckConstraint("(resolved_at IS NULL) = (state = 'pending')", name="resolved_at"),
        sa.UniqueConstraint("key", name="uq_ledger_holds_key"),
    )
    pending = sa.text("state = 'pending'")
    for name, column in (("pending", "account_id"), ("expiring", "expires_at")):
        op.create_index(
            f"ix_ledger_holds_{name}", "ledger_holds", [column], postgresql_where=pending, sqlite_where=pending
        )


def _payments() -> None:
    op.create_table(
        "payments",
        sa.Column("id", ID, primary_key=True, autoincrement=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("provider", sa.String(32), nullable=False),
        sa.Column("key", sa.String(36), nullable=False),
        sa.Column("amount_minor", ID, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("description", sa.String(200), nullable=False),
        sa.Column("return_url", sa.Text, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("provider_ref", sa.String(200)),
        sa.Column("confirmation_url", sa.Text),
        sa.Column("reason", sa.String(200)),
        sa.Column("refunding_minor", ID, nullable=False),
        sa.Column("refunded_minor", ID, nullable=False),
        sa.Column("settled_at", INSTANT),
        sa.Column("checks", sa.Integer, nullable=False),
        sa.Column("next_check_at", INSTANT),
        sa.Column("version", sa.Integer, nullable=False),
        sa.CheckConstraint("status IN ('created', 'unknown', 'pending', 'cancelled', 'succeeded')", name="status"),
        sa.CheckConstraint(
            "amount_minor BETWEEN 1 AND 1000000000000000 AND amount_minor = CAST(amount_minor AS bigint)",
            name="amount_minor",
        ),
        sa.CheckConstraint(
            "refunding_minor >= 0 AND refunded_minor >= 0 AND refunding_minor + refunded_minor <= amount_minor",
            name="refunds",
        ),
        sa.CheckConstraint("status = 'succeeded' OR refunding_minor + refunded_minor = 0", name="taken"),
        sa.UniqueConstraint("key", name="uq_payments_key"),
        sa.UniqueConstraint("provider", "provider_ref", name="uq_payments_provider_provider_ref"),
    )
    op.create_index("ix_payments_user_id_id", "payments", ["user_id", "id"])
    due = sa.text("next_check_at IS NOT NULL")
    op.create_index(
        "ix_payments_due", "payments", ["provider", "next_check_at"], postgresql_where=due, sqlite_where=due
    )


def _refunds() -> None:
    op.create_table(
        "refunds",
        sa.Column("id", ID, primary_key=True, autoincrement=False),
        sa.Column("payment_id", ID, sa.ForeignKey("payments.id"), nullable=False),
        sa.Column("key", sa.String(250), nullable=False),
        sa.Column("amount_minor", ID, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("origin", sa.String(16), nullable=False),
        sa.Column("requested_by", sa.String(64), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("provider_ref", sa.String(200)),
        sa.Column("note", sa.String(200), nullable=False),
        sa.Column("reason", sa.String(200)),
        sa.Column("version", sa.Integer, nullable=False),
        sa.CheckConstraint("status IN ('created', 'unknown', 'pending', 'succeeded', 'failed')", name="status"),
        sa.CheckConstraint("origin IN ('caller', 'provider')", name="origin"),
        sa.CheckConstraint("amount_minor > 0 AND amount_minor = CAST(amount_minor AS bigint)", name="amount_minor"),
        sa.UniqueConstraint("key", name="uq_refunds_key"),
        sa.UniqueConstraint("payment_id", "provider_ref", name="uq_refunds_payment_id_provider_ref"),
    )
    op.create_table(
        "payment_notices",
        sa.Column("id", ID, primary_key=True, autoincrement=True),
        sa.Column("provider", sa.String(32), nullable=False),
        sa.Column("event_id", sa.String(200), nullable=False),
        sa.Column("type", sa.String(100), nullable=False),
        sa.Column("payment_id", ID),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("applied_at", INSTANT),
        sa.UniqueConstraint("provider", "event_id", name="uq_payment_notices_provider_event_id"),
    )
    op.create_index("ix_payment_notices_received_at", "payment_notices", ["received_at"])
    op.create_index("ix_payment_notices_payment_id", "payment_notices", ["payment_id"])


def downgrade() -> None:
    for table in SEQUENCES:
        drop_sequence(table)
    for table in TABLES:
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        ledger_triggers.drop_postgres_functions()
        payments.drop_postgres_functions()
