"""The audit log: a hashed row in the transaction of each change, sealed into a chain by one sealer.

Reading the last row to chain the next one forks under concurrency; so a row carries only the hash of its own
content, and the sealer alone numbers committed rows and chains them. Hashes are HMAC-SHA256 under a key that the
database does not hold: who can write the tables still cannot forge an entry.
"""

import hmac
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import msgspec

from opora.adapters.sql.connection import Connection, Database, Row, carried
from opora.adapters.sql.mapping import insertion, to_json
from opora.core.audit.model import Verification
from opora.core.kernel.model import Change
from opora.core.kernel.ports import AuditTrail

COLUMNS = (
    "id", "created_at", "user_id", "key_id", "action", "entity_type", "entity_id", "old_values", "new_values",
    "address", "user_agent", "request_id", "row_hash",
)  # fmt: skip
ADD = insertion("audit_log", COLUMNS)
UNSEALED = "SELECT id, row_hash FROM audit_log WHERE seal_number IS NULL ORDER BY id LIMIT :limit"
SEAL = "UPDATE audit_log SET seal_number = :seal_number, seal_hash = :seal_hash WHERE id = :id AND seal_number IS NULL"
HEAD = "SELECT seal_number, seal_hash FROM audit_seal WHERE id = 1"
MOVE_HEAD = "UPDATE audit_seal SET seal_number = :seal_number, seal_hash = :seal_hash WHERE id = 1"
CHUNK = 2000


@dataclass(frozen=True, slots=True)
class AuditKey:
    """The key that entries are hashed and chained under."""

    secret: bytes

    def row_hash(self, values: dict[str, Any]) -> bytes:
        """Hash what an entry says, in the order of its columns."""
        text = msgspec.json.encode([plain(values[name]) for name in COLUMNS[:-1]])
        return hmac.digest(self.secret, b"entry:" + text, sha256)

    def seal_hash(self, previous: bytes, number: int, row_hash: bytes) -> bytes:
        """Chain an entry to the one before it."""
        return hmac.digest(self.secret, b"seal:" + previous + number.to_bytes(8, "big") + row_hash, sha256)


def plain(value: Any) -> Any:
    """Give a column value one form on both stores: instants as UTC text to the microsecond."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return value


class SqlAuditTrail(AuditTrail):
    """Audit rows inside one transaction."""

    def __init__(self, connection: Connection, key: AuditKey) -> None:
        self._connection = connection
        self._key = key

    async def record(self, *changes: Change) -> None:
        ids = await self._connection.next_ids("audit_log", len(changes)) if changes else ()
        rows = [self._row(id, change) for id, change in zip(sorted(ids), changes, strict=True)]
        if len(rows) == 1:
            await self._connection.execute(ADD, **rows[0])
        elif rows:
            await self._connection.execute_many(ADD, rows)

    def _row(self, id: int, change: Change) -> dict[str, Any]:
        origin = change.actor.origin
        values: dict[str, Any] = {
            "id": id,
            "created_at": change.at,
            "user_id": change.actor.user_id,
            "key_id": change.actor.key_id,
            "action": change.action,
            "entity_type": change.entity_type,
            "entity_id": change.entity_id,
            "old_values": None if change.old is None else to_json(dict(change.old)),
            "new_values": None if change.new is None else to_json(dict(change.new)),
            "address": origin.address,
            "user_agent": origin.user_agent[:512],
            "request_id": origin.request_id[:128],
        }
        return {**values, "row_hash": self._key.row_hash(values)}


async def seal(database: Database, key: AuditKey, limit: int = CHUNK) -> int:
    """Number and chain committed entries that are not sealed yet; returns how many. Any number of sealers may try."""
    async with carried(await database.begin()) as connection:
        return await seal_within(connection, key, limit)


async def seal_within(connection: Connection, key: AuditKey, limit: int) -> int:
    """Seal inside an open transaction; the head's row lock lets one sealer in at a time."""
    lock = " FOR UPDATE" if connection.dialect == "postgresql" else ""
    head = await connection.fetch_one(HEAD + lock)
    rows = await connection.fetch(UNSEALED, limit=limit)
    if head is None or not rows:
        return 0
    number, link = head["seal_number"], bytes(head["seal_hash"])
    seals = []
    for row in rows:
        number += 1
        link = key.seal_hash(link, number, bytes(row["row_hash"]))
        seals.append({"id": row["id"], "seal_number": number, "seal_hash": link})
    await connection.execute_many(SEAL, seals)
    await connection.execute(MOVE_HEAD, seal_number=number, seal_hash=link)
    return len(seals)


def fault(row: Row, key: AuditKey, number: int, link: bytes) -> str | None:
    """Say what is wrong with the entry that should carry `number` after `link`, or None."""
    values = {name: row[name] for name in COLUMNS[:-1]}
    if not hmac.compare_digest(key.row_hash(values), bytes(row["row_hash"])):
        return "altered"
    if row["seal_number"] != number:
        return "an entry before it was removed or inserted"
    if not hmac.compare_digest(key.seal_hash(link, number, bytes(row["row_hash"])), bytes(row["seal_hash"])):
        return "inserted, or an entry before it was replaced"
    return None


async def walk(connection: Connection, listed: str, after: int, column: str) -> AsyncIterator[Row]:
    """Read entries in the order of a column, in chunks."""
    while True:
        sql = f"SELECT {', '.join(COLUMNS)}, seal_number, seal_hash FROM audit_log WHERE {listed} AND {column} > :after"
        rows = await connection.fetch(f"{sql} ORDER BY {column} LIMIT {CHUNK}", after=after)
        for row in rows:
            yield row
        if len(rows) < CHUNK:
            return
        after = rows[-1][column]


async def verify(database: Database, key: AuditKey) -> Verification:
    """Walk the whole chain and name the first entry that was altered, removed or inserted."""
    async with database.scan() as connection:
        head = await connection.fetch_one(HEAD)
        expected = 0 if head is None else head["seal_number"]
        number, link, checked = 0, b"", 0
        async for row in walk(connection, "seal_number IS NOT NULL", 0, "seal_number"):
            if row["seal_number"] > expected:
                if row["seal_number"] <= await connection.fetch_value(HEAD):
                    break  # sealed while we read
                return Verification(False, checked, 0, row["id"], "inserted: no seal was ever given this number")
            checked += 1
            reason = fault(row, key, number + 1, link)
            if reason:
                return Verification(False, checked, 0, row["id"], reason)
            number, link = row["seal_number"], bytes(row["seal_hash"])
        if number != expected or (head is not None and bytes(head["seal_hash"]) != link):
            return Verification(False, checked, 0, None, f"entries after seal {number} were removed")
        unsealed = 0
        async for row in walk(connection, "seal_number IS NULL", 0, "id"):
            unsealed += 1
            if not hmac.compare_digest(
                key.row_hash({name: row[name] for name in COLUMNS[:-1]}), bytes(row["row_hash"])
            ):
                return Verification(False, checked, unsealed, row["id"], "altered or inserted")
    return Verification(True, checked, unsealed)
