"""Ids handed out before the record exists: a sequence on PostgreSQL, a row of `id_sequences` on SQLite."""

from alembic import op
from sqlalchemy import text


def create_sequence(table: str) -> None:
    """Make the sequence of a table's ids, beginning at 1."""
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        connection.execute(text("INSERT INTO id_sequences (name, value) VALUES (:name, 0)"), {"name": table})
    else:
        connection.execute(text(f"CREATE SEQUENCE {table}_id_seq AS bigint"))


def drop_sequence(table: str) -> None:
    """Forget the sequence of a table."""
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        connection.execute(text("DELETE FROM id_sequences WHERE name = :name"), {"name": table})
    else:
        connection.execute(text(f"DROP SEQUENCE {table}_id_seq"))
