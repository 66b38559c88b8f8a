"""One metadata for every table, and the column types that mean the same on both stores."""

from typing import Any

from advanced_alchemy.types import GUID, DateTimeUTC, JsonB
from sqlalchemy import BigInteger, CheckConstraint, Column, Integer, LargeBinary, MetaData, String, Text
from sqlalchemy.types import TypeEngine

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
METADATA = MetaData(naming_convention=NAMING)

ID: TypeEngine[Any] = BigInteger().with_variant(Integer(), "sqlite")
"""A record's id: 64 bits on both stores (SQLite's INTEGER is 64 bits wide)."""

INSTANT: TypeEngine[Any] = DateTimeUTC(timezone=True).with_variant(Text(), "sqlite")
"""An instant: timestamptz on PostgreSQL; on SQLite fixed-width ISO text ending in Z, which sorts as time does."""

TASK_ID: TypeEngine[Any] = GUID(binary=False).with_variant(String(36), "sqlite")
"""A UUIDv7 of something that runs in the background."""

JSON: TypeEngine[Any] = JsonB.with_variant(Text(), "sqlite")
"""A document that is queried inside the store; text that is only kept is TEXT."""

BYTES: TypeEngine[Any] = LargeBinary()


def one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    """A CHECK that a text column holds one of the values of an enumeration."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def created_at() -> Column[Any]:
    """The instant of creation, always given by the program."""
    return Column("created_at", INSTANT, nullable=False)
