"""Plans with their terms, subscriptions, and quotas.

Revision 0015, after 0014.
"""

import json
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from opora.adapters.sql.schema.metadata import ID, INSTANT
from opora.adapters.sql.schema.sequences import create_sequence, drop_sequence

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None
PHASE = "expand"

SEEDED = datetime(2026, 11, 21, tzinfo=UTC)
LIVE = sa.text("status IN ('active', 'past_due')")
PLANS = (
    {
        "code": "free",
        "rank": 0,
        "names": {"ru": "Бесплатный", "en": "Free"},
        "price_minor": 0,
        "features": ["generate.post", "generate.summary", "generate.chat", "generate.own"],
        "limits": [("generate.requests", "month", 100), ("generate.tokens", "month", 250_000)],
        "options": {"generate.priority": "low", "generate.max_tokens": 2048},
    },
    {
        "code": "standard",
        "rank": 10,
        "names": {"ru": "Стандартный", "en": "Standard"},
        "price_minor": 49_000,
        "features": ["generate.post", "generate.article", "generate.summary", "generate.chat", "generate.own"],
        "limits": [
            ("generate.requests", "day", 200),
            ("generate.requests", "month", 3_000),
            ("generate.tokens", "month", 3_000_000),
        ],
        "options": {"generate.priority": "normal", "generate.max_tokens": 8192},
    },
    {
        "code": "premium",
        "rank": 20,
        "names": {"ru": "Премиум", "en": "Premium"},
        "price_minor": 199_000,
        "features": ["generate.*"],
        "limits": [
            ("generate.requests", "day", 2_000),
            ("generate.requests", "month", 30_000),
            ("generate.tokens", "month", 30_000_000),
        ],
        "options": {"generate.priority": "high", "generate.max_tokens": 32_768},
    },
)

STAY = """
CREATE FUNCTION plan_versions_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE integrity_constraint_violation USING CONSTRAINT = 'plan_versions_stay', MESSAGE = 'terms never change';
END $$
"""


def upgrade() -> None:
    _plans()
    _subscriptions()
    _quotas()
    create_sequence("subscriptions")
    if op.get_bind().dialect.name == "postgresql":
        op.execute(STAY)
        op.execute(
            "CREATE TRIGGER stay BEFORE UPDATE OR DELETE ON plan_versions"
            " FOR EACH ROW EXECUTE FUNCTION plan_versions_stay()"
        )
    else:
        for change in ("update", "delete"):
            op.execute(
                f"CREATE TRIGGER plan_versions_stay_on_{change} BEFORE {change.upper()} ON plan_versions"
                " BEGIN SELECT RAISE(ABORT, 'plan_versions_stay'); END"
            )


def _plans() -> None:
    versions = op.create_table(
        "plan_versions",
        sa.Column("code", sa.String(32), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("rank", sa.Integer, nullable=False),
        sa.Column("names", sa.Text, nullable=False),
        sa.Column("price_minor", ID, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("features", sa.Text, nullable=False),
        sa.Column("limits", sa.Text, nullable=False),
        sa.Column("options", sa.Text, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint("price_minor >= 0", name="price_minor"),
        sa.CheckConstraint("version > 0", name="version"),
    )
    sqlite = op.get_bind().dialect.name == "sqlite"
    op.bulk_insert(versions, [_terms(plan, "2026-11-21T00:00:00.000000Z" if sqlite else SEEDED) for plan in PLANS])
    plans = op.create_table(
        "plans",
        sa.Column("code", sa.String(32), primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("is_offered", sa.Boolean, nullable=False),
        sa.ForeignKeyConstraint(
            ["code", "version"], ["plan_versions.code", "plan_versions.version"], name="fk_plans_code_plan_versions"
        ),
    )
    op.bulk_insert(plans, [{"code": plan["code"], "version": 1, "is_offered": True} for plan in PLANS])


def _terms(plan: dict[str, object], created_at: object) -> dict[str, object]:
    limits = [{"feature": feature, "period": period, "units": units} for feature, period, units in plan["limits"]]  # type: ignore[attr-defined]
    nested = {"names": plan["names"], "features": plan["features"], "limits": limits, "options": plan["options"]}
    texts = {name: json.dumps(value, ensure_ascii=False) for name, value in nested.items()}
    return {**plan, **texts, "version": 1, "currency": "RUB", "created_at": created_at}


def _subscriptions() -> None:
    op.create_table(
        "subscriptions",
        sa.Column("id", ID, primary_key=True, autoincrement=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("plan", sa.String(32), nullable=False),
        sa.Column("plan_version", sa.Integer, nullable=False),
        sa.Column("rank", sa.Integer, nullable=False),
        sa.Column("price_minor", ID, nullable=False),
        sa.Column("paid_minor", ID, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("anchor_at", INSTANT, nullable=False),
        sa.Column("period_number", sa.Integer, nullable=False),
        sa.Column("period_start", INSTANT, nullable=False),
        sa.Column("period_end", INSTANT, nullable=False),
        sa.Column("next_plan", sa.String(32)),
        sa.Column("grace_until", INSTANT),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT),
        sa.Column("version", sa.Integer, nullable=False),
        sa.CheckConstraint("status IN ('active', 'past_due', 'cancelled', 'expired')", name="status"),
        sa.CheckConstraint("price_minor >= 0 AND paid_minor >= 0", name="paid_minor"),
        sa.CheckConstraint("period_start < period_end", name="period"),
        sa.CheckConstraint("(status = 'past_due') = (grace_until IS NOT NULL)", name="grace_until"),
        sa.CheckConstraint("(status IN ('cancelled', 'expired')) = (ended_at IS NOT NULL)", name="ended_at"),
        sa.ForeignKeyConstraint(
            ["plan", "plan_version"], ["plan_versions.code", "plan_versions.version"], name="fk_subscriptions_plan"
        ),
    )
    op.create_index(
        "uq_subscriptions_live", "subscriptions", ["user_id"], unique=True, postgresql_where=LIVE, sqlite_where=LIVE
    )
    op.create_index("ix_subscriptions_user_id", "subscriptions", ["user_id", "id"])


def _quotas() -> None:
    op.create_table(
        "quota_usage",
        sa.Column("person_id", ID, primary_key=True, autoincrement=False),
        sa.Column("feature", sa.String(64), primary_key=True),
        sa.Column("period", sa.String(8), primary_key=True),
        sa.Column("starts_at", INSTANT, primary_key=True),
        sa.Column("ends_at", INSTANT, nullable=False),
        sa.Column("units", ID),
        sa.Column("used", ID, nullable=False),
        sa.Column("held", ID, nullable=False),
        sa.Column("overage", ID, nullable=False),
        sa.CheckConstraint("period IN ('day', 'month')", name="period"),
        sa.CheckConstraint("starts_at < ends_at", name="span"),
        sa.CheckConstraint("used >= 0 AND held >= 0 AND overage >= 0", name="counts"),
        sa.CheckConstraint("units IS NULL OR used + held <= units", name="units"),
    )
    op.create_index("ix_quota_usage_ends_at", "quota_usage", ["ends_at"])
    op.create_table(
        "quota_holds",
        sa.Column("hold_id", sa.String(64), primary_key=True),
        sa.Column("feature", sa.String(64), primary_key=True),
        sa.Column("period", sa.String(8), primary_key=True),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("starts_at", INSTANT, nullable=False),
        sa.Column("units", ID, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint("units > 0", name="units"),
        sa.ForeignKeyConstraint(
            ["person_id", "feature", "period", "starts_at"],
            ["quota_usage.person_id", "quota_usage.feature", "quota_usage.period", "quota_usage.starts_at"],
            name="fk_quota_holds_usage",
        ),
    )


def downgrade() -> None:
    drop_sequence("subscriptions")
    for table in ("quota_holds", "quota_usage", "subscriptions", "plans", "plan_versions"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION plan_versions_stay()")
