"""Tables of access: people, their roles and sessions, API keys, signing keys."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint, text

from opora.adapters.sql.schema.metadata import BYTES, ID, INSTANT, METADATA, created_at, one_of

USERS = Table(
    "users",
    METADATA,
    Column("id", ID, primary_key=True, autoincrement=False),
    Column("email", String(254), nullable=False),
    Column("password_hash", Text),
    Column("is_active", Boolean, nullable=False),
    Column("email_verified", Boolean, nullable=False),
    Column("full_name", String(200), nullable=False),
    Column("locale", String(35), nullable=False),
    created_at(),
    Column("epoch_at", INSTANT),
    Column("erased_at", INSTANT),
    Column("version", Integer, nullable=False),
    Column("search", Text, nullable=False),
    UniqueConstraint("email"),
)

USER_ROLES = Table(
    "user_roles",
    METADATA,
    Column("user_id", ID, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("role", String(32), primary_key=True),
    one_of("role", ("client", "staff", "operator", "manager", "admin")),
    Index("ix_user_roles_role", "role"),
)

API_KEYS = Table(
    "api_keys",
    METADATA,
    Column("id", ID, primary_key=True, autoincrement=False),
    Column("label", String(200), nullable=False),
    Column("start", String(40), nullable=False),
    Column("last4", String(4), nullable=False),
    Column("environment", String(8), nullable=False),
    Column("scopes", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("owner_id", ID, ForeignKey("users.id")),
    Column("rate_limit_per_min", Integer),
    Column("allowed_ips", Text, nullable=False),
    Column("family_id", ID, nullable=False),
    Column("rotated_from", ID, ForeignKey("api_keys.id")),
    Column("rotated_at", INSTANT),
    Column("sunset_at", INSTANT),
    Column("created_by", String(64), nullable=False),
    created_at(),
    Column("expires_at", INSTANT),
    Column("last_used_at", INSTANT),
    Column("version", Integer, nullable=False),
    Column("digest", BYTES, nullable=False),
    Column("digest_scheme", String(64), nullable=False),
    Column("lookup_prefix", String(12)),
    Column("search", Text, nullable=False),
    one_of("environment", ("live", "test")),
    one_of("state", ("active", "disabled", "revoked")),
    UniqueConstraint("digest"),
    Index("ix_api_keys_owner_id", "owner_id"),
    Index(
        "ix_api_keys_lookup_prefix",
        "lookup_prefix",
        postgresql_where=text("lookup_prefix IS NOT NULL"),
        sqlite_where=text("lookup_prefix IS NOT NULL"),
    ),
)

SESSIONS = Table(
    "sessions",
    METADATA,
    Column("id", ID, primary_key=True, autoincrement=False),
    Column("user_id", ID, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("address", String(64), nullable=False),
    Column("user_agent", String(400), nullable=False),
    created_at(),
    Column("expires_at", INSTANT, nullable=False),
    Column("ended_at", INSTANT),
    Column("methods", Text, nullable=False, server_default='["pwd"]'),
    Column("scopes", Text),
    Index("ix_sessions_user_id", "user_id"),
    Index("ix_sessions_expires_at", "expires_at"),
)

REFRESH_TOKENS = Table(
    "refresh_tokens",
    METADATA,
    Column("digest", BYTES, primary_key=True),
    Column("session_id", ID, ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("issued_at", INSTANT, nullable=False),
    Column("expires_at", INSTANT, nullable=False),
    Column("used_at", INSTANT),
    UniqueConstraint("session_id", "number"),
)

REVOKED_TOKENS = Table(
    "revoked_tokens",
    METADATA,
    Column("token_id", String(64), primary_key=True),
    Column("expires_at", INSTANT, nullable=False),
    Index("ix_revoked_tokens_expires_at", "expires_at"),
)

SIGNING_KEYS = Table(
    "signing_keys",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("algorithm", String(8), nullable=False),
    Column("state", String(16), nullable=False),
    Column("public_jwk", Text, nullable=False),
    Column("private_sealed", BYTES, nullable=False),
    created_at(),
    Column("retires_at", INSTANT),
    Column("version", Integer, nullable=False),
    Column("purpose", String(16), nullable=False, server_default="access"),
    Column("activates_at", INSTANT),
    one_of("state", ("pending", "active", "retired")),
    Index(
        "ix_signing_keys_active",
        "purpose",
        unique=True,
        postgresql_where=text("state = 'active'"),
        sqlite_where=text("state = 'active'"),
    ),
)
