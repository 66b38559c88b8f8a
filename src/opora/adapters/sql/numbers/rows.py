"""Rows of phone numbers and what they stand for. Statuses and causes are stored as small numbers."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from opora.adapters.sql.connection import Row
from opora.adapters.sql.mapping import to_json
from opora.adapters.sql.sqlite import instant_text
from opora.core.numbers.model.numbers import CAUSE_CODES, STATUS_CODES, PhoneNumber

NAMES = (
    "id", "phone", "created_at", "updated_at", "next_call_at", "project_id", "status", "zone_set", "attempts", "cause",
    "provider_id", "geo_id", "last_call_at", "counted_from", "lease_until", "result_data",
)  # fmt: skip
FIELDS = ", ".join(NAMES)
"""Every column of a number, in the order of the table."""
STATUSES = {code: status for status, code in STATUS_CODES.items()}
CAUSES = {code: cause for cause, code in CAUSE_CODES.items()}
CHANGING = (
    "status", "cause", "attempts", "zone_set", "provider_id", "geo_id", "next_call_at", "last_call_at", "counted_from",
    "lease_until", "result_data", "updated_at",
)  # fmt: skip
"""The columns that a change of a number may write."""
KINDS = {
    "status": "smallint",
    "cause": "smallint",
    "attempts": "smallint",
    "zone_set": "smallint",
    "provider_id": "integer",
    "geo_id": "integer",
    "result_data": "text",
}
"""The types of the columns above on PostgreSQL; the others are instants."""


def instant(value: Any) -> datetime:
    """Read an instant as a column of either store gives it."""
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)


def instant_or_none(value: Any) -> datetime | None:
    """Read an instant that may be absent."""
    return None if value is None else instant(value)


def number_of(row: Row) -> PhoneNumber:
    """Build a number from a row that has FIELDS."""
    result = row["result_data"]
    cause = row["cause"]
    return PhoneNumber(
        id=row["id"],
        phone=row["phone"],
        created_at=instant(row["created_at"]),
        updated_at=instant(row["updated_at"]),
        next_call_at=instant(row["next_call_at"]),
        project_id=row["project_id"],
        status=STATUSES[row["status"]],
        zone_set=row["zone_set"],
        attempts=row["attempts"],
        cause=None if cause is None else CAUSES[cause],
        provider_id=row["provider_id"],
        geo_id=row["geo_id"],
        last_call_at=instant_or_none(row["last_call_at"]),
        counted_from=instant_or_none(row["counted_from"]),
        lease_until=instant_or_none(row["lease_until"]),
        result_data=None if result is None else msgspec.json.decode(result),
    )


def numbers_of(rows: Sequence[Row]) -> list[PhoneNumber]:
    """Build numbers from rows that have FIELDS."""
    return [number_of(row) for row in rows]


def changes_of(number: PhoneNumber) -> Mapping[str, Any]:
    """Give the columns of CHANGING."""
    return {
        "status": STATUS_CODES[number.status],
        "cause": None if number.cause is None else CAUSE_CODES[number.cause],
        "attempts": number.attempts,
        "zone_set": number.zone_set,
        "provider_id": number.provider_id,
        "geo_id": number.geo_id,
        "next_call_at": number.next_call_at,
        "last_call_at": number.last_call_at,
        "counted_from": number.counted_from,
        "lease_until": number.lease_until,
        "result_data": None if number.result_data is None else msgspec.json.encode(number.result_data).decode(),
        "updated_at": number.updated_at,
    }


def written(rows: Sequence[Mapping[str, Any]]) -> str:
    """Write rows as the JSON that a set-based statement reads, instants as SQLite keeps them."""
    texts: dict[datetime, str] = {}  # the same few instants stand in many rows

    def value(given: Any) -> Any:
        if not isinstance(given, datetime):
            return given
        found = texts.get(given)
        if found is None:
            found = texts[given] = instant_text(given)
        return found

    return to_json([{name: value(given) for name, given in row.items()} for row in rows])


def recordset(parameter: str, kinds: Mapping[str, str], dialect: str) -> str:
    """Write the SELECT of rows that `written` put into a parameter; `kinds` are their columns' PostgreSQL types."""
    if dialect == "postgresql":
        listed = ", ".join(f"{name} {kind}" for name, kind in kinds.items())
        return f"SELECT * FROM json_to_recordset(CAST(:{parameter} AS json)) AS x({listed})"
    listed = ", ".join(f"json_extract(value, '$.{name}') AS {name}" for name in kinds)
    return f"SELECT {listed} FROM json_each(:{parameter})"
