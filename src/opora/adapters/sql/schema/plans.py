"""Tables of plans, subscriptions and quotas.

That a version of a plan's terms never changes is held by triggers, which the migration makes.
"""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Table,
    Text,
    text,
)

from opora.adapters.sql.schema.metadata import ID, INSTANT, METADATA, created_at, one_of

STATUSES = ("active", "past_due", "cancelled", "expired")
PERIODS = ("day", "month")
LIVE = text("status IN ('active', 'past_due')")

PLAN_VERSIONS = Table(
    "plan_versions",
    METADATA,
    Column("code", String(32), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("rank", Integer, nullable=False),
    Column("names", Text, nullable=False),
    Column("price_minor", ID, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("features", Text, nullable=False),
    Column("limits", Text, nullable=False),
    Column("options", Text, nullable=False),
    created_at(),
    CheckConstraint("price_minor >= 0", name="price_minor"),
    CheckConstraint("version > 0", name="version"),
)

PLANS = Table(
    "plans",
    METADATA,
    Column("code", String(32), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("is_offered", Boolean, nullable=False),
    ForeignKeyConstraint(
        ["code", "version"], ["plan_versions.code", "plan_versions.version"], name="fk_plans_code_plan_versions"
    ),
)

SUBSCRIPTIONS = Table(
    "subscriptions",
    METADATA,
    Column("id", ID, primary_key=True, autoincrement=False),
    Column("user_id", ID, nullable=False),
    Column("plan", String(32), nullable=False),
    Column("plan_version", Integer, nullable=False),
    Column("rank", Integer, nullable=False),
    Column("price_minor", ID, nullable=False),
    Column("paid_minor", ID, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("status", String(16), nullable=False),
    Column("anchor_at", INSTANT, nullable=False),
    Column("period_number", Integer, nullable=False),
    Column("period_start", INSTANT, nullable=False),
    Column("period_end", INSTANT, nullable=False),
    Column("next_plan", String(32)),
    Column("grace_until", INSTANT),
    created_at(),
    Column("changed_at", INSTANT, nullable=False),
    Column("ended_at", INSTANT),
    Column("version", Integer, nullable=False),
    one_of("status", STATUSES),
    CheckConstraint("price_minor >= 0 AND paid_minor >= 0", name="paid_minor"),
    CheckConstraint("period_start < period_end", name="period"),
    CheckConstraint("(status = 'past_due') = (grace_until IS NOT NULL)", name="grace_until"),
    CheckConstraint("(status IN ('cancelled', 'expired')) = (ended_at IS NOT NULL)", name="ended_at"),
    ForeignKeyConstraint(
        ["plan", "plan_version"], ["plan_versions.code", "plan_versions.version"], name="fk_subscriptions_plan"
    ),
    Index("uq_subscriptions_live", "user_id", unique=True, postgresql_where=LIVE, sqlite_where=LIVE),
    Index("ix_subscriptions_user_id", "user_id", "id"),
)

QUOTA_USAGE = Table(
    "quota_usage",
    METADATA,
    Column("person_id", ID, primary_key=True, autoincrement=False),
    Column("feature", String(64), primary_key=True),
    Column("period", String(8), primary_key=True),
    Column("starts_at", INSTANT, primary_key=True),
    Column("ends_at", INSTANT, nullable=False),
    Column("units", ID),
    Column("used", ID, nullable=False),
    Column("held", ID, nullable=False),
    Column("overage", ID, nullable=False),
    one_of("period", PERIODS),
    CheckConstraint("starts_at < ends_at", name="span"),
    CheckConstraint("used >= 0 AND held >= 0 AND overage >= 0", name="counts"),
    CheckConstraint("units IS NULL OR used + held <= units", name="units"),
    Index("ix_quota_usage_ends_at", "ends_at"),
)

QUOTA_HOLDS = Table(
    "quota_holds",
    METADATA,
    Column("hold_id", String(64), primary_key=True),
    Column("feature", String(64), primary_key=True),
    Column("period", String(8), primary_key=True),
    Column("person_id", ID, nullable=False),
    Column("starts_at", INSTANT, nullable=False),
    Column("units", ID, nullable=False),
    created_at(),
    CheckConstraint("units > 0", name="units"),
    ForeignKeyConstraint(
        ["person_id", "feature", "period", "starts_at"],
        ["quota_usage.person_id", "quota_usage.feature", "quota_usage.period", "quota_usage.starts_at"],
        name="fk_quota_holds_usage",
    ),
)
"""The tables as data, for migrations and diagrams; repositories never import them."""
