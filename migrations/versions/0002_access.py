"""People, their roles and sessions, API keys, and the keys that sign tokens.

Revision 0002, after 0001.
"""

import sqlalchemy as sa
from alembic import op

from opora.adapters.sql.schema.metadata import BYTES, ID, INSTANT
from opora.adapters.sql.schema.sequences import create_sequence, drop_sequence

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None
PHASE = "expand"

IMPORTED = sa.text("lookup_prefix IS NOT NULL")
ACTIVE = sa.text("state = 'active'")
SEQUENCES = ("users", "api_keys", "sessions")
TABLES = (
    "signing_keys",
    "revoked_tokens",
    "refresh_tokens",
    "sessions",
    "api_keys",
    "user_roles",
    "users",
)


def upgrade() -> None:
    create_users()
    create_api_keys()
    create_sessions()
    create_signing_keys()
    for table in SEQUENCES:
        create_sequence(table)


def create_users() -> None:
    op.create_table(
        "users",
        sa.Column("id", ID, primary_key=True, autoincrement=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("password_hash", sa.Text),
        sa.Column("is_active", sa.Boolean, nullable=False),
        sa.Column("email_verified", sa.Boolean, nullable=False),
        sa.Column("full_name", sa.String(200), nullable=False),
        sa.Column("locale", sa.String(35), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("epoch_at", INSTANT),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("search", sa.Text, nullable=False),
        sa.UniqueConstraint("email", name="uq_users_email"),
    )
    op.create_table(
        "user_roles",
        sa.Column("user_id", ID, sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("role", sa.String(32), primary_key=True),
        sa.CheckConstraint("role IN ('client', 'staff', 'operator', 'manager', 'admin')", name="role"),
    )
    op.create_index("ix_user_roles_role", "user_roles", ["role"])


def create_api_keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", ID, primary_key=True, autoincrement=False),
        sa.Column("label", sa.String(200), nullable=False),
        sa.Column("start", sa.String(40), nullable=False),
        sa.Column("last4", sa.String(4), nullable=False),
        sa.Column("environment", sa.String(8), nullable=False),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("owner_id", ID, sa.ForeignKey("users.id")),
        sa.Column("rate_limit_per_min", sa.Integer),
        sa.Column("allowed_ips", sa.Text, nullable=False),
        sa.Column("family_id", ID, nullable=False),
        sa.Column("rotated_from", ID, sa.ForeignKey("api_keys.id")),
        sa.Column("rotated_at", INSTANT),
        sa.Column("sunset_at", INSTANT),
        sa.Column("created_by", sa.String(64), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT),
        sa.Column("last_used_at", INSTANT),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("digest", BYTES, nullable=False),
        sa.Column("digest_scheme", sa.String(64), nullable=False),
        sa.Column("lookup_prefix", sa.String(12)),
        sa.Column("search", sa.Text, nullable=False),
        sa.CheckConstraint("environment IN ('live', 'test')", name="environment"),
        sa.CheckConstraint("state IN ('active', 'disabled', 'revoked')", name="state"),
        sa.UniqueConstraint("digest", name="uq_api_keys_digest"),
    )
    op.create_index("ix_api_keys_owner_id", "api_keys", ["owner_id"])
    op.create_index(
        "ix_api_keys_lookup_prefix", "api_keys", ["lookup_prefix"], postgresql_where=IMPORTED, sqlite_where=IMPORTED
    )


def create_sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", ID, primary_key=True, autoincrement=False),
        sa.Column("user_id", ID, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("user_agent", sa.String(400), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT),
    )
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"])
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])
    op.create_table(
        "refresh_tokens",
        sa.Column("digest", BYTES, primary_key=True),
        sa.Column("session_id", ID, sa.ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("issued_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("used_at", INSTANT),
        sa.UniqueConstraint("session_id", "number", name="uq_refresh_tokens_session_id_number"),
    )
    op.create_table(
        "revoked_tokens",
        sa.Column("token_id", sa.String(64), primary_key=True),
        sa.Column("expires_at", INSTANT, nullable=False),
    )
    op.create_index("ix_revoked_tokens_expires_at", "revoked_tokens", ["expires_at"])


def create_signing_keys() -> None:
    op.create_table(
        "signing_keys",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("algorithm", sa.String(8), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("public_jwk", sa.Text, nullable=False),
        sa.Column("private_sealed", BYTES, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("retires_at", INSTANT),
        sa.Column("version", sa.Integer, nullable=False),
        sa.CheckConstraint("state IN ('pending', 'active', 'retired')", name="state"),
    )
    op.create_index(
        "ix_signing_keys_active", "signing_keys", ["state"], unique=True, postgresql_where=ACTIVE, sqlite_where=ACTIVE
    )


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
    for table in SEQUENCES:
        drop_sequence(table)
