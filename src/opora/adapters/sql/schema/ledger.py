"""Tables of the ledger.

A transfer is entered in three steps of one transaction: its row, its entries, its seal. The deferred key from the row
to the seal lets no transaction commit without the seal, the seal's trigger lets none be made while the entries do not
sum to zero, and no entry joins a sealed transfer. Triggers keep the balances and refuse every other change of them.
"""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    Table,
    UniqueConstraint,
    text,
)

from opora.adapters.sql.schema.metadata import ID, INSTANT, METADATA, created_at, one_of

KINDS = ("person", "provider", "revenue", "adjustments", "losses")
HOLD_STATES = ("pending", "captured", "voided", "expired")
PENDING = text("state = 'pending'")
OF_PERSON = text("user_id IS NOT NULL")

LEDGER_ACCOUNTS = Table(
    "ledger_accounts",
    METADATA,
    Column("id", ID, primary_key=True, autoincrement=True),
    Column("name", String(100), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("user_id", ID),
    Column("has_balance", Boolean, nullable=False),
    created_at(),
    one_of("kind", KINDS),
    CheckConstraint("(kind = 'person') = (user_id IS NOT NULL)", name="user_id"),
    CheckConstraint("kind <> 'person' OR has_balance", name="has_balance"),
    UniqueConstraint("name", "currency", name="uq_ledger_accounts_name_currency"),
    UniqueConstraint("id", "currency", name="uq_ledger_accounts_id_currency"),
    Index("ix_ledger_accounts_user_id", "user_id", postgresql_where=OF_PERSON, sqlite_where=OF_PERSON),
)

LEDGER_SEALS = Table("ledger_seals", METADATA, Column("transfer_id", ID, primary_key=True, autoincrement=False))

LEDGER_TRANSFERS = Table(
    "ledger_transfers",
    METADATA,
    Column("id", ID, primary_key=True, autoincrement=True),
    Column("key", String(100), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("cause", String(100), nullable=False),
    created_at(),
    UniqueConstraint("key", name="uq_ledger_transfers_key"),
    ForeignKeyConstraint(
        ["id"],
        ["ledger_seals.transfer_id"],
        name="fk_ledger_transfers_id_ledger_seals",
        deferrable=True,
        initially="DEFERRED",
    ),
)

LEDGER_ENTRIES = Table(
    "ledger_entries",
    METADATA,
    Column("id", ID, primary_key=True, autoincrement=True),
    Column("transfer_id", ID, ForeignKey("ledger_transfers.id"), nullable=False),
    Column("account_id", ID, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("amount_minor", ID, nullable=False),
    # The cast tells whole numbers from others where a column takes both.
    CheckConstraint("amount_minor <> 0 AND amount_minor = CAST(amount_minor AS bigint)", name="amount_minor"),
    CheckConstraint("amount_minor BETWEEN -1000000000000000 AND 1000000000000000", name="range"),
    ForeignKeyConstraint(
        ["account_id", "currency"],
        ["ledger_accounts.id", "ledger_accounts.currency"],
        name="fk_ledger_entries_account_id_ledger_accounts",
    ),
    Index("ix_ledger_entries_transfer_id", "transfer_id"),
    Index("ix_ledger_entries_account_id_id", "account_id", "id"),
)

LEDGER_BALANCES = Table(
    "ledger_balances",
    METADATA,
    Column("account_id", ID, ForeignKey("ledger_accounts.id"), primary_key=True, autoincrement=False),
    Column("posted_minor", ID, nullable=False),
    Column("held_minor", ID, nullable=False),
    Column("floor_minor", ID, nullable=False),
    Column("last_entry_id", ID, nullable=False),
    CheckConstraint("posted_minor - held_minor >= floor_minor", name="floor"),
    CheckConstraint("held_minor >= 0", name="held_minor"),
    CheckConstraint("posted_minor BETWEEN -9000000000000000000 AND 9000000000000000000", name="range"),
)

LEDGER_HOLDS = Table(
    "ledger_holds",
    METADATA,
    Column("id", ID, primary_key=True, autoincrement=True),
    Column("key", String(100), nullable=False),
    Column("account_id", ID, ForeignKey("ledger_balances.account_id"), nullable=False),
    Column("amount_minor", ID, nullable=False),
    Column("captured_minor", ID, nullable=False),
    Column("state", String(16), nullable=False),
    Column("cause", String(100), nullable=False),
    created_at(),
    Column("expires_at", INSTANT),
    Column("resolved_at", INSTANT),
    one_of("state", HOLD_STATES),
    CheckConstraint(
        "amount_minor BETWEEN 1 AND 1000000000000000 AND amount_minor = CAST(amount_minor AS bigint)",
        name="amount_minor",
    ),
    CheckConstraint("captured_minor BETWEEN 0 AND amount_minor", name="captured_minor"),
    CheckConstraint("(captured_minor > 0) = (state = 'captured')", name="captured"),
    CheckConstraint("(resolved_at IS NULL) = (state = 'pending')", name="resolved_at"),
    UniqueConstraint("key", name="uq_ledger_holds_key"),
    Index("ix_ledger_holds_pending", "account_id", postgresql_where=PENDING, sqlite_where=PENDING),
    Index("ix_ledger_holds_expiring", "expires_at", postgresql_where=PENDING, sqlite_where=PENDING),
)
