"""The stores of plans, subscriptions and quotas keep their contracts."""

import pytest

from opora.adapters.sql.billing.plans import SqlPlanViews
from opora.adapters.sql.billing.quotas import SqlUsageViews
from opora.adapters.sql.billing.records import SqlPlanRecords
from opora.adapters.sql.billing.subscriptions import SqlSubscriptionViews
from opora.adapters.sql.connection import Database
from opora.adapters.sql.errors import ConstraintBroken
from opora.adapters.sql.housekeeping import SqlHousekeeping
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.core.billing.model.plans import Period
from opora.core.billing.model.quotas import Window
from opora.core.billing.model.subscriptions import SubscriptionStatus
from opora.testing.plans import DAY, SubscriptionRepositoryContract, a_subscription
from opora.testing.quotas import NOVEMBER, QuotaRepositoryContract, a_hold

AS_OWNER = {
    "test_terms_of_a_plan_never_change",
}
"""Tests that play an owner who tampers."""


pytestmark = pytest.mark.anyio


class TestSqlQuotas(QuotaRepositoryContract):
    """Quotas on each relational store in turn."""

    @pytest.fixture(autouse=True)
    def _store(self, unit: SqlUnitOfWork, database: Database) -> None:
        self.unit = unit
        self.database = database
        self.views = SqlUsageViews(database.read)

    async def raw(self, sql: str) -> bool:
        try:
            return await self.database.read.execute(sql) > 0
        except ConstraintBroken:
            return False


class TestSqlSubscriptions(SubscriptionRepositoryContract):
    """Subscriptions on each relational store in turn."""

    @pytest.fixture(autouse=True)
    def _store(self, unit: SqlUnitOfWork, database: Database) -> None:
        self.unit = unit
        self.views = SqlSubscriptionViews(database.read)
        self.plans = SqlPlanViews(database.read)


async def held(records: SqlPlanRecords, user_id: int) -> list[object]:
    """Return the kinds of record held on somebody."""
    return [record["record"] async for record in records.held(user_id)]


async def test_an_erased_person_s_subscription_is_over_and_stays_as_what_payments_were_for(
    unit: SqlUnitOfWork, database: Database
) -> None:
    async with unit() as tx:
        await tx.plan_subscriptions.add(a_subscription())
        await tx.plan_subscriptions.add(a_subscription(id=2, user_id=8))
        await tx.quotas.hold(a_hold(), NOVEMBER, 100)
        await tx.quotas.hold(a_hold(hold_id="b", feature="generate.tokens"), NOVEMBER, 100)
        await tx.quotas.count((await tx.quotas.end("a"))[0], 1, 0)
    records = SqlPlanRecords(database)
    assert await held(records, 7) == ["subscription", "usage", "usage"]
    for _ in range(2):
        await records.erase(7)
    views = SqlSubscriptionViews(database.read)
    assert await views.live(7) is None
    assert await views.live(8) is not None
    async with unit() as tx:
        over = await tx.plan_subscriptions.get(1)
        assert over is not None
        assert (over.status, over.version) == (SubscriptionStatus.CANCELLED, 2)
    assert await held(records, 7) == ["subscription", "usage"]  # the counter of work that has not ended


async def test_counters_of_long_ago_are_forgotten_unless_work_still_holds_them(
    unit: SqlUnitOfWork, database: Database
) -> None:
    old = Window(Period.MONTH, NOVEMBER.starts_at - 500 * DAY, NOVEMBER.starts_at - 470 * DAY)
    async with unit() as tx:
        for hold_id, feature in (("a", "generate.requests"), ("b", "generate.tokens")):
            await tx.quotas.hold(a_hold(hold_id=hold_id, feature=feature, starts_at=old.starts_at), old, 100)
        await tx.quotas.count((await tx.quotas.end("a"))[0], 1, 0)
        await tx.quotas.hold(a_hold(hold_id="c"), NOVEMBER, 100)
        await tx.quotas.count((await tx.quotas.end("c"))[0], 1, 0)
    assert (await SqlHousekeeping(database).tidy())["quota_usage"] == 1
    assert await database.read.fetch_value("SELECT count(*) FROM quota_usage") == 2
