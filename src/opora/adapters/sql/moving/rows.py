"""What an installation's rows are: tables in the order of their references, and a hash that both stores agree on."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import msgspec

from opora.adapters.sql.schema.tables import METADATA

OF_THE_DATABASE = frozenset({"schema_history"})
"""Tables that tell of the database itself, not of what Opora keeps in it: each database has its own."""
SEEDED = frozenset(
    {
        "api_versions",
        "audit_seal",
        "bus_state",
        "document_categories",
        "financial_positions",
        "numbering_registry",
        "operation_statuses",
        "plan_versions",
        "plans",
        "projects",
        "prompt_labels",
        "prompt_versions",
        "prompts",
        "user_types",
        "zone_sets",
    }
)
"""Tables that the migrations put rows into; in a new database all others are empty."""
HASH_RANGE = 1 << 256

type Reader = Callable[[Any], Any]


def from_text(kind: type) -> Reader | None:
    """Return what makes a value of SQLite that which PostgreSQL's driver gives for the same column."""
    readers: dict[type, Reader] = {
        datetime: datetime.fromisoformat,
        date: date.fromisoformat,
        UUID: UUID,
        bool: bool,
    }
    return readers.get(kind)


@dataclass(frozen=True, slots=True)
class Shape:
    """One table: its columns in order, each with the kind of its values."""

    name: str
    columns: tuple[str, ...]
    kinds: tuple[type, ...]

    @property
    def listed(self) -> str:
        """The columns as SQL lists them."""
        return ", ".join(f'"{name}"' for name in self.columns)


def shapes() -> tuple[Shape, ...]:
    """Give every table whose rows are an installation's, each after those that it refers to."""
    return tuple(
        Shape(
            table.name,
            tuple(column.name for column in table.columns),
            tuple(column.type.python_type for column in table.columns),
        )
        for table in METADATA.sorted_tables
        if table.name not in OF_THE_DATABASE
    )


@dataclass(slots=True)
class Tally:
    """How many rows a table has, and their hash; the order in which they come does not matter.

    Each row's SHA-256 is added to the sum of the others modulo 2^256: one row more, one less or one altered shows.
    """

    rows: int = 0
    total: int = 0
    encode: Callable[[object], bytes] = field(default=msgspec.msgpack.Encoder().encode, repr=False)

    def take(self, batch: Iterable[Sequence[object]]) -> None:
        """Add rows whose values are in the order of the table's columns."""
        encode = self.encode
        for row in batch:
            self.total = (self.total + int.from_bytes(sha256(encode(row)).digest())) % HASH_RANGE
            self.rows += 1

    @property
    def hash(self) -> str:
        """The hash of all rows, in hexadecimal."""
        return f"{self.total:064x}"


@dataclass(frozen=True, slots=True)
class Compared:
    """One table on both sides."""

    table: str
    rows: int
    hash: str
    rows_there: int
    hash_there: str

    @property
    def is_equal(self) -> bool:
        """Whether both sides hold the same rows."""
        return (self.rows, self.hash) == (self.rows_there, self.hash_there)


def compared(table: str, here: Tally, there: Tally) -> Compared:
    """Put the tallies of one table beside each other."""
    return Compared(table, here.rows, here.hash, there.rows, there.hash)
