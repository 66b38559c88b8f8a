"""Tables of what people prove themselves with besides a password."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, String, Table

from opora.adapters.sql.schema.metadata import BYTES, ID, INSTANT, METADATA, created_at, one_of

ONE_TIME_TOKENS = Table(
    "one_time_tokens",
    METADATA,
    Column("digest", BYTES, primary_key=True),
    Column("purpose", String(16), nullable=False),
    Column("user_id", ID, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    created_at(),
    Column("expires_at", INSTANT, nullable=False),
    one_of("purpose", ("verify_email", "reset_password", "finish_login")),
    Index("ix_one_time_tokens_user_id", "user_id"),
    Index("ix_one_time_tokens_expires_at", "expires_at"),
)

SECOND_FACTORS = Table(
    "second_factors",
    METADATA,
    Column("user_id", ID, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("sealed", BYTES, nullable=False),
    created_at(),
    Column("confirmed_at", INSTANT),
    Column("last_step", BigInteger, nullable=False),
)

RECOVERY_CODES = Table(
    "recovery_codes",
    METADATA,
    Column("user_id", ID, ForeignKey("second_factors.user_id", ondelete="CASCADE"), primary_key=True),
    Column("digest", BYTES, primary_key=True),
)

KNOWN_DEVICES = Table(
    "known_devices",
    METADATA,
    Column("user_id", ID, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("mark", BYTES, primary_key=True),
    Column("first_seen_at", INSTANT, nullable=False),
    Column("last_seen_at", INSTANT, nullable=False),
)
