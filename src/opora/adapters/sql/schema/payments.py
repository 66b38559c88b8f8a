"""Tables of payments, refunds and the providers' notices.

Triggers carry what goes back to the payment's row, where a CHECK holds it below what was taken.
"""

from alembic import op
from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint, text

from opora.adapters.sql.schema.metadata import ID, INSTANT, METADATA, created_at, one_of

STATUSES = ("created", "unknown", "pending", "cancelled", "succeeded")
REFUND_STATUSES = ("created", "unknown", "pending", "succeeded", "failed")
DUE = text("next_check_at IS NOT NULL")

PAYMENTS = Table(
    "payments",
    METADATA,
    Column("id", ID, primary_key=True, autoincrement=False),
    Column("user_id", ID, nullable=False),
    Column("provider", String(32), nullable=False),
    Column("key", String(36), nullable=False),
    Column("amount_minor", ID, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("description", String(200), nullable=False),
    Column("return_url", Text, nullable=False),
    created_at(),
    Column("changed_at", INSTANT, nullable=False),
    Column("status", String(16), nullable=False),
    Column("provider_ref", String(200)),
    Column("confirmation_url", Text),
    Column("reason", String(200)),
    Column("refunding_minor", ID, nullable=False),
    Column("refunded_minor", ID, nullable=False),
    Column("settled_at", INSTANT),
    Column("checks", Integer, nullable=False),
    Column("next_check_at", INSTANT),
    Column("version", Integer, nullable=False),
    one_of("status", STATUSES),
    CheckConstraint(
        "amount_minor BETWEEN 1 AND 1000000000000000 AND amount_minor = CAST(amount_minor AS bigint)",
        name="amount_minor",
    ),
    CheckConstraint(
        "refunding_minor >= 0 AND refunded_minor >= 0 AND refunding_minor + refunded_minor <= amount_minor",
        name="refunds",
    ),
    CheckConstraint("status = 'succeeded' OR refunding_minor + refunded_minor = 0", name="taken"),
    UniqueConstraint("key", name="uq_payments_key"),
    UniqueConstraint("provider", "provider_ref", name="uq_payments_provider_provider_ref"),
    Index("ix_payments_user_id_id", "user_id", "id"),
    Index("ix_payments_due", "provider", "next_check_at", postgresql_where=DUE, sqlite_where=DUE),
)

REFUNDS = Table(
    "refunds",
    METADATA,
    Column("id", ID, primary_key=True, autoincrement=False),
    Column("payment_id", ID, ForeignKey("payments.id"), nullable=False),
    Column("key", String(250), nullable=False),
    Column("amount_minor", ID, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("origin", String(16), nullable=False),
    Column("requested_by", String(64), nullable=False),
    created_at(),
    Column("changed_at", INSTANT, nullable=False),
    Column("status", String(16), nullable=False),
    Column("provider_ref", String(200)),
    Column("note", String(200), nullable=False),
    Column("reason", String(200)),
    Column("version", Integer, nullable=False),
    one_of("status", REFUND_STATUSES),
    one_of("origin", ("caller", "provider")),
    CheckConstraint("amount_minor > 0 AND amount_minor = CAST(amount_minor AS bigint)", name="amount_minor"),
    UniqueConstraint("key", name="uq_refunds_key"),
    UniqueConstraint("payment_id", "provider_ref", name="uq_refunds_payment_id_provider_ref"),
)

PAYMENT_NOTICES = Table(
    "payment_notices",
    METADATA,
    Column("id", ID, primary_key=True, autoincrement=True),
    Column("provider", String(32), nullable=False),
    Column("event_id", String(200), nullable=False),
    Column("type", String(100), nullable=False),
    Column("payment_id", ID),
    Column("body", Text, nullable=False),
    Column("received_at", INSTANT, nullable=False),
    Column("applied_at", INSTANT),
    UniqueConstraint("provider", "event_id", name="uq_payment_notices_provider_event_id"),
    Index("ix_payment_notices_received_at", "received_at"),
    Index("ix_payment_notices_payment_id", "payment_id"),
)

OPEN = "('created', 'unknown', 'pending')"
CARRY_NEW = f"""
UPDATE payments SET refunding_minor = refunding_minor + CASE WHEN NEW.status IN {OPEN} THEN NEW.amount_minor ELSE 0 END,
 refunded_minor = refunded_minor + CASE WHEN NEW.status = 'succeeded' THEN NEW.amount_minor ELSE 0 END
WHERE id = NEW.payment_id
"""
CARRY_MOVED = f"""
UPDATE payments SET
 refunding_minor = refunding_minor + CASE WHEN NEW.status IN {OPEN} THEN NEW.amount_minor ELSE 0 END
  - CASE WHEN OLD.status IN {OPEN} THEN OLD.amount_minor ELSE 0 END,
 refunded_minor = refunded_minor + CASE WHEN NEW.status = 'succeeded' THEN NEW.amount_minor ELSE 0 END
  - CASE WHEN OLD.status = 'succeeded' THEN OLD.amount_minor ELSE 0 END
WHERE id = NEW.payment_id
"""
ANOTHER_PAYMENT = """
(NEW.id <> OLD.id OR NEW.user_id <> OLD.user_id OR NEW.provider <> OLD.provider OR NEW.key <> OLD.key
 OR NEW.amount_minor <> OLD.amount_minor OR NEW.currency <> OLD.currency
 OR (OLD.provider_ref IS NOT NULL AND NEW.provider_ref <> OLD.provider_ref)
 OR (OLD.status = 'succeeded' AND NEW.status <> 'succeeded'))
"""
ANOTHER_REFUND = """
(NEW.id <> OLD.id OR NEW.payment_id <> OLD.payment_id OR NEW.amount_minor <> OLD.amount_minor
 OR NEW.currency <> OLD.currency OR NEW.key <> OLD.key OR (OLD.status = 'failed' AND NEW.status <> 'failed'))
"""
FIXED = {"payments": ANOTHER_PAYMENT, "refunds": ANOTHER_REFUND}
CARRIED = {"INSERT": CARRY_NEW, "UPDATE": CARRY_MOVED}


def create_postgres_triggers() -> None:
    """Make the functions and the triggers that run them."""
    for table, another in FIXED.items():
        name = f"{table}_keep_their_terms"
        refusal = f"RAISE check_violation USING CONSTRAINT = '{name}', MESSAGE = '{name}';"
        op.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$"
            f" BEGIN IF {another} THEN {refusal} END IF; RETURN NEW; END $$"
        )
        op.execute(f"CREATE TRIGGER {name} BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")
    for event, action in CARRIED.items():
        name = f"refunds_carried_{event.lower()}"
        op.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {action}; RETURN NULL; END $$"
        )
        op.execute(f"CREATE TRIGGER {name} AFTER {event} ON refunds FOR EACH ROW EXECUTE FUNCTION {name}()")


def drop_postgres_functions() -> None:
    """Drop the functions, after the tables whose triggers ran them."""
    for table in FIXED:
        op.execute(f"DROP FUNCTION {table}_keep_their_terms()")
    for event in CARRIED:
        op.execute(f"DROP FUNCTION refunds_carried_{event.lower()}()")


def create_sqlite_triggers() -> None:
    """Make the triggers."""
    for table, another in FIXED.items():
        name = f"{table}_keep_their_terms"
        refusal = f"SELECT RAISE(ABORT, '{name}')"
        op.execute(f"CREATE TRIGGER {name} BEFORE UPDATE ON {table} WHEN {another} BEGIN {refusal}; END")
    for event, action in CARRIED.items():
        op.execute(f"CREATE TRIGGER refunds_carried_{event.lower()} AFTER {event} ON refunds BEGIN {action}; END")
