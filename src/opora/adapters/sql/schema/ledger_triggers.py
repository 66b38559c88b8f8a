"""What keeps the ledger true, whoever writes: nothing is changed or removed, transfers balance, balances follow.

On PostgreSQL a balance may be changed by another trigger alone. SQLite does not tell who changes it, so there every
change is checked against the entry or the holds that it follows from.
"""

from alembic import op

IMMUTABLE = ("ledger_accounts", "ledger_transfers", "ledger_entries", "ledger_seals")
KEPT = (*IMMUTABLE, "ledger_balances", "ledger_holds")
UNBALANCED = """
SELECT 1 FROM ledger_entries WHERE transfer_id = NEW.transfer_id GROUP BY currency HAVING SUM(amount_minor) <> 0
"""
TOO_FEW = "(SELECT count(*) FROM ledger_entries WHERE transfer_id = NEW.transfer_id) < 2"
SEALED = "EXISTS (SELECT 1 FROM ledger_seals WHERE transfer_id = NEW.transfer_id)"
ANOTHER_HOLD = """
(NEW.id <> OLD.id OR NEW.key <> OLD.key OR NEW.account_id <> OLD.account_id OR NEW.amount_minor <> OLD.amount_minor
 OR NEW.cause <> OLD.cause OR NEW.created_at <> OLD.created_at OR OLD.state <> 'pending' OR NEW.state = 'pending')
"""
MOVE_BALANCE = """
UPDATE ledger_balances SET posted_minor = posted_minor + NEW.amount_minor, last_entry_id = NEW.id
WHERE account_id = NEW.account_id
"""
OPEN_BALANCE = """
INSERT INTO ledger_balances (account_id, posted_minor, held_minor, floor_minor, last_entry_id)
VALUES (NEW.id, 0, 0, 0, 0)
"""
HOLD = "UPDATE ledger_balances SET held_minor = held_minor + NEW.amount_minor WHERE account_id = NEW.account_id"
LET_GO = "UPDATE ledger_balances SET held_minor = held_minor - OLD.amount_minor WHERE account_id = OLD.account_id"


def refusal(name: str) -> str:
    """Return the statement of PL/pgSQL that refuses as a constraint of this name would."""
    return f"RAISE check_violation USING CONSTRAINT = '{name}', MESSAGE = '{name}';"


FUNCTIONS = {
    "ledger_never": refusal("ledger_is_never_changed"),
    "ledger_account_opened": f"IF NEW.has_balance THEN {OPEN_BALANCE}; END IF; RETURN NULL;",
    "ledger_entry_added": f"""
IF {SEALED} THEN {refusal("ledger_transfer_sealed")} END IF;
{MOVE_BALANCE};
RETURN NULL;
""",
    "ledger_transfer_balances": f"""
IF {TOO_FEW} OR EXISTS ({UNBALANCED}) THEN {refusal("ledger_transfer_balances")} END IF;
RETURN NEW;
""",
    "ledger_balance_follows": f"""
IF pg_trigger_depth() < 2 THEN {refusal("ledger_balance_follows")} END IF;
RETURN NEW;
""",
    "ledger_hold_added": f"""
IF NEW.state <> 'pending' THEN {refusal("ledger_hold_begins_pending")} END IF;
{HOLD};
RETURN NULL;
""",
    "ledger_hold_resolved": f"""
IF {ANOTHER_HOLD} THEN {refusal("ledger_hold_resolved_once")} END IF;
{LET_GO};
RETURN NEW;
""",
}
TRIGGERS = {
    "ledger_account_opened": "AFTER INSERT ON ledger_accounts",
    "ledger_entry_added": "AFTER INSERT ON ledger_entries",
    "ledger_transfer_balances": "BEFORE INSERT ON ledger_seals",
    "ledger_balance_follows": "BEFORE INSERT OR UPDATE ON ledger_balances",
    "ledger_hold_added": "AFTER INSERT ON ledger_holds",
    "ledger_hold_resolved": "BEFORE UPDATE ON ledger_holds",
}


# A transfer in one call: the balances it locks are free again a round trip later, at the commit. It is null where the
# key is there, and 0, with nothing written, where a balance is too low. Balances are locked in their accounts' order.
ENTER = """
CREATE FUNCTION ledger_enter(wanted_key text, wanted_kind text, wanted_cause text, at timestamptz, accounts bigint[],
 currencies text[], amounts bigint[]) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE entered bigint;
BEGIN
  IF EXISTS (SELECT 1 FROM ledger_transfers WHERE key = wanted_key) THEN RETURN NULL; END IF;
  PERFORM 1 FROM ledger_balances WHERE account_id = ANY (accounts) ORDER BY account_id FOR UPDATE;
  IF EXISTS (
    SELECT 1 FROM (SELECT one.account, SUM(one.amount) AS moved FROM unnest(accounts, amounts) AS one (account, amount)
     GROUP BY one.account) wanted JOIN ledger_balances b ON b.account_id = wanted.account
    WHERE wanted.moved < 0 AND b.posted_minor - b.held_minor + wanted.moved < b.floor_minor
  ) THEN RETURN 0; END IF;
  INSERT INTO ledger_transfers (key, kind, cause, created_at) VALUES (wanted_key, wanted_kind, wanted_cause, at)
  ON CONFLICT (key) DO NOTHING RETURNING id INTO entered;
  IF entered IS NOT NULL THEN
    INSERT INTO ledger_entries (transfer_id, account_id, currency, amount_minor)
    SELECT entered, one.account, one.currency, one.amount
    FROM unnest(accounts, currencies, amounts) WITH ORDINALITY AS one (account, currency, amount, place)
    ORDER BY one.place;
    INSERT INTO ledger_seals (transfer_id) VALUES (entered);
  END IF;
  RETURN entered;
END $$
"""
ENTER_SIGNATURE = "ledger_enter(text, text, text, timestamptz, bigint[], text[], bigint[])"


def create_postgres_triggers() -> None:
    """Make the functions and the triggers that run them, and the one that enters a transfer."""
    op.execute(ENTER)
    for name, body in FUNCTIONS.items():
        op.execute(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$")
    for name, event in TRIGGERS.items():
        op.execute(f"CREATE TRIGGER {name} {event} FOR EACH ROW EXECUTE FUNCTION {name}()")
    for table in KEPT:
        events = "UPDATE OR DELETE" if table in IMMUTABLE else "DELETE"
        op.execute(f"CREATE TRIGGER never BEFORE {events} ON {table} FOR EACH ROW EXECUTE FUNCTION ledger_never()")
        op.execute(f"CREATE TRIGGER never_emptied BEFORE TRUNCATE ON {table} EXECUTE FUNCTION ledger_never()")


def drop_postgres_functions() -> None:
    """Drop the functions, after the tables whose triggers ran them."""
    op.execute(f"DROP FUNCTION {ENTER_SIGNATURE}")
    for name in FUNCTIONS:
        op.execute(f"DROP FUNCTION {name}()")


FOLLOWS = """
NEW.account_id = OLD.account_id AND NEW.floor_minor = OLD.floor_minor
AND NEW.held_minor = (SELECT COALESCE(SUM(amount_minor), 0) FROM ledger_holds
 WHERE account_id = NEW.account_id AND state = 'pending')
AND ((NEW.posted_minor = OLD.posted_minor AND NEW.last_entry_id = OLD.last_entry_id)
 OR (NEW.last_entry_id > OLD.last_entry_id AND NEW.posted_minor - OLD.posted_minor = (
  SELECT amount_minor FROM ledger_entries WHERE id = NEW.last_entry_id AND account_id = NEW.account_id)))
"""
SQLITE = (
    ("ledger_account_opened", "AFTER INSERT ON ledger_accounts WHEN NEW.has_balance", OPEN_BALANCE),
    ("ledger_transfer_sealed", f"BEFORE INSERT ON ledger_entries WHEN {SEALED}", None),
    ("ledger_entry_added", "AFTER INSERT ON ledger_entries", MOVE_BALANCE),
    ("ledger_transfer_balances", f"BEFORE INSERT ON ledger_seals WHEN {TOO_FEW} OR EXISTS ({UNBALANCED})", None),
    (
        "ledger_balance_begins",
        "BEFORE INSERT ON ledger_balances WHEN NEW.posted_minor <> 0 OR NEW.held_minor <> 0 OR NEW.floor_minor <> 0"
        " OR NEW.last_entry_id <> 0",
        None,
    ),
    ("ledger_balance_follows", f"BEFORE UPDATE ON ledger_balances WHEN ({FOLLOWS}) IS NOT TRUE", None),
    ("ledger_hold_begins_pending", "BEFORE INSERT ON ledger_holds WHEN NEW.state <> 'pending'", None),
    ("ledger_hold_added", "AFTER INSERT ON ledger_holds", HOLD),
    ("ledger_hold_resolved_once", f"BEFORE UPDATE ON ledger_holds WHEN {ANOTHER_HOLD}", None),
    ("ledger_hold_resolved", "AFTER UPDATE ON ledger_holds", LET_GO),
)


def sqlite_names() -> list[str]:
    """Name every trigger that SQLite must have."""
    kept = [f"{table}_never_{event}" for table in KEPT for event in ("updated", "deleted")]
    unneeded = {f"{table}_never_updated" for table in KEPT if table not in IMMUTABLE}
    return [name for name, _, _ in SQLITE] + [name for name in kept if name not in unneeded]


def create_sqlite_triggers() -> None:
    """Make the triggers; one without an action refuses."""
    for name, event, action in SQLITE:
        body = action or f"SELECT RAISE(ABORT, '{name}')"
        op.execute(f"CREATE TRIGGER {name} {event} BEGIN {body}; END")
    for table in KEPT:
        for event in ("UPDATE", "DELETE") if table in IMMUTABLE else ("DELETE",):
            name = f"{table}_never_{event.lower()}d"
            body = "SELECT RAISE(ABORT, 'ledger_is_never_changed')"
            op.execute(f"CREATE TRIGGER {name} BEFORE {event} ON {table} BEGIN {body}; END")
