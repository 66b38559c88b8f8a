"""An installation with rows in every table of every context, made from the tables as data.

Texts are hostile (quotes, tabs, backslashes, emoji), numbers wide, instants to the microsecond; whatever may be NULL is
NULL in the last row. A table that is added later is filled too, or turns the tests red that ask for every table.
"""

import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Table

from opora.adapters.sql.schema.ledger_triggers import KEPT
from opora.adapters.sql.schema.tables import METADATA
from opora.adapters.sql.sqlite import bound

NUMBERS = (1001, 1002, 1003)
HOSTILE = "ё\t\"'\\N 😀\r\n%_"
BEGAN = datetime(2031, 3, 4, 5, 6, 7, 8, UTC)
SINGLE = {"bus_state", "numbering_registry", "audit_seal"}
"""Tables of one row, which the migrations put there."""
SQLITE_MADE = {"bus_state": "holder = 'p1', mark = '7'", "audit_seal": "seal_number = 0",
               "numbering_registry": "version = 3, ranges = 5"}  # fmt: skip
GIVEN: Mapping[tuple[str, str], tuple[Any, Any, Any]] = {
    ("appointments", "capacity"): (1, 1, 1),
    ("appointments", "ends_at"): tuple(BEGAN + timedelta(days=number) for number in NUMBERS),
    ("appointments", "fee_minor"): (0, 5, None),
    ("appointments", "place"): (0, 0, 0),
    ("appointments", "status"): ("pending", "confirmed", "held"),
    ("document_categories", "processing_days"): (1, 2, 3),
    ("document_categories", "retention_days"): (1, 2, 3),
    ("documents", "actual_end_date"): (date(2040, 1, 1), date(2040, 1, 2), None),
    ("documents", "scan"): ("clean", "clean", "clean"),
    ("engagements", "busy_from_min"): (10, 20, 30),
    ("engagements", "busy_until_min"): (15, 25, 35),
    ("engagements", "capacity"): (1, 1, 1),
    ("engagements", "start_min"): (11, 21, 31),
    ("generations", "ended_at"): (None, BEGAN, BEGAN),
    ("generations", "status"): ("queued", "completed", "failed"),
    ("generations", "content"): ("a", "b", None),
    ("payments", "amount_minor"): (1_000_000_000_000_000, 7, 8),
    ("payments", "refunded_minor"): (10, 0, 0),
    ("payments", "refunding_minor"): (10**9, 0, 0),
    ("payments", "status"): ("succeeded", "pending", "created"),
    ("quota_usage", "ends_at"): tuple(BEGAN + timedelta(days=number) for number in NUMBERS),
    ("quota_usage", "units"): (9000, 9000, None),
    ("refunds", "payment_id"): (1001, 1001, 1001),
    ("refunds", "amount_minor"): (10, 10**9, 3),
    ("refunds", "status"): ("succeeded", "pending", "failed"),
    ("services", "capacity"): (1, 2, 3),
    ("subscriptions", "ended_at"): (None, BEGAN, None),
    ("subscriptions", "grace_until"): (None, None, BEGAN),
    ("subscriptions", "period_end"): tuple(BEGAN + timedelta(days=number) for number in NUMBERS),
    ("subscriptions", "status"): ("active", "cancelled", "past_due"),
    ("swept_files", "blob_id"): (UUID(int=1), UUID(int=2), UUID(int=3)),
    ("waitlist", "starts_before"): tuple(BEGAN + timedelta(days=number) for number in NUMBERS),
}  # fmt: skip
LEDGER = """
INSERT INTO ledger_accounts (id, name, currency, kind, user_id, has_balance, created_at) VALUES
 (1, 'person:1001', 'RUB', 'person', 1001, true, :at), (2, 'provider:sandbox', 'RUB', 'provider', NULL, false, :at);
BEGIN;
INSERT INTO ledger_transfers (id, key, kind, cause, created_at) VALUES (1, 'payment:1', 'top_up', 'payment 1', :at);
INSERT INTO ledger_entries (id, transfer_id, account_id, currency, amount_minor) VALUES
 (1, 1, 1, 'RUB', 900000), (2, 1, 2, 'RUB', -900000);
INSERT INTO ledger_seals (transfer_id) VALUES (1);
COMMIT;
INSERT INTO ledger_holds (id, key, account_id, amount_minor, captured_minor, state, cause, created_at, expires_at)
 VALUES (1, 'hold:1', 1, 5000, 0, 'pending', 'text', :at, :at)
"""


def fill(file: Path) -> None:
    """Put three rows into every table of a migrated SQLite file, its triggers and references watching."""
    with closing(sqlite3.connect(file, isolation_level=None)) as base:
        base.execute("PRAGMA foreign_keys=ON")
        # the sort is stable: a number's references are held by triggers, which no sorting of keys knows of
        for table in sorted(METADATA.sorted_tables, key=lambda one: one.name == "phone_numbers"):
            if table.name in KEPT or table.name == "schema_history":
                continue
            if table.name in SINGLE:
                base.execute(f"UPDATE {table.name} SET {SQLITE_MADE[table.name]}")
                continue
            for row in rows_of(table):
                names, places = ", ".join(f'"{name}"' for name in row), ", ".join("?" * len(row))
                base.execute(f"INSERT INTO {table.name} ({names}) VALUES ({places})", [*map(bound, row.values())])
        for statement in LEDGER.replace(":at", f"'{bound(BEGAN)}'").split(";"):
            base.execute(statement)
        base.execute("UPDATE id_sequences SET value = 1003 + rowid")


def rows_of(table: Table) -> Iterator[dict[str, Any]]:
    """Yield three rows that the table's own rules allow."""
    for turn, number in enumerate(NUMBERS):
        yield {column.name: value_of(table, column, turn, number) for column in table.columns}


def value_of(table: Table, column: Column[Any], turn: int, number: int) -> Any:
    """Make one value."""
    given = GIVEN.get((table.name, column.name))
    if given is not None:
        return given[turn]
    for key in column.foreign_keys:
        return value_of(key.column.table, key.column, turn, number)
    if turn == 2 and column.nullable and not any(column.name in str(check) for check in odd_checks(table)):
        return None
    choices = choices_of(table, column)
    return choices[turn % len(choices)] if choices else plain_value(table, column, number)


def odd_checks(table: Table) -> list[str]:
    """Give the texts of checks that are more than a list of values."""
    checks = [str(one.sqltext) for one in table.constraints if isinstance(one, CheckConstraint)]
    return [check for check in checks if not re.fullmatch(r"\w+ IN \([^)]*\)", check)]


def choices_of(table: Table, column: Column[Any]) -> list[str]:
    """Give the values that a check lists."""
    for one in table.constraints:
        if isinstance(one, CheckConstraint):
            found = re.fullmatch(rf"{column.name} IN \(([^)]*)\)", str(one.sqltext))
            if found:
                return re.findall(r"'([^']*)'", found[1])
    return []


def plain_value(table: Table, column: Column[Any], number: int) -> Any:
    """Make a value of the column's kind that no other row has."""
    kind = column.type.python_type
    if kind is str:
        length = getattr(column.type, "length", None) or 200
        return f"{number}{HOSTILE}{table.name}.{column.name}"[:length]
    made: dict[type, Any] = {
        int: number,
        bool: bool(number % 2),
        bytes: number.to_bytes(8, "big") + b"\x00\xff\n",
        datetime: BEGAN + timedelta(microseconds=number),
        date: date(2030, 1, 1) + timedelta(days=number),
        UUID: UUID(int=number * 2**80),
    }
    return made[kind]
