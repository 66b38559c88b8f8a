"""The table of kept profiles."""

from sqlalchemy import Column, Index, Integer, SmallInteger, String, Table, Text, text

from opora.adapters.sql.schema.metadata import ID, INSTANT, METADATA, created_at

ALIVE = text("deleted_at IS NULL")
"""The indexes hold all that a count needs, so that counting reads no documents."""

PROFILES = Table(
    "profiles",
    METADATA,
    Column("id", ID, primary_key=True, autoincrement=False),
    Column("source_key", String(64), nullable=False),
    Column("locale", String(8), nullable=False),
    Column("seed", ID, nullable=False),
    Column("position", Integer, nullable=False),
    Column("as_of", String(10), nullable=False),
    Column("data_version", SmallInteger, nullable=False),
    Column("recipe", Text, nullable=False),
    created_at(),
    Column("expires_at", INSTANT),
    Column("deleted_at", INSTANT),
    Column("search", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Index(
        "ix_profiles_source_key_id_expires_at",
        "source_key",
        "id",
        "expires_at",
        postgresql_where=ALIVE,
        sqlite_where=ALIVE,
    ),
    Index("ix_profiles_created_at", "created_at"),
    Index("ix_profiles_expires_at", "expires_at", postgresql_where=ALIVE, sqlite_where=ALIVE),
)
