"""Wires plans, subscriptions and quotas."""

from datetime import timedelta

from dishka import AnyOf, Provider, Scope, provide

from opora.adapters.sql.billing.plans import SqlPlanViews
from opora.adapters.sql.billing.quotas import SqlUsageViews
from opora.adapters.sql.billing.records import SqlPlanRecords
from opora.adapters.sql.billing.subscriptions import SqlSubscriptionTiers, SqlSubscriptionViews
from opora.adapters.sql.connection import Database
from opora.adapters.sql.outbox import Subscription
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.bootstrap.context import Context
from opora.bootstrap.settings import Settings
from opora.core.access.ports.identities import SubscriptionTiers
from opora.core.billing.model.quotas import QuotaPolicy
from opora.core.billing.model.subscriptions import PAY_DUE, RENEW, RenewalPolicy
from opora.core.billing.ports.plans import PlanTx, PlanViews, QuotaTx, SubscriptionViews, UsageViews
from opora.core.billing.usecases import publishing, quotas, renewing, standing, subscribing
from opora.core.billing.usecases.renewing import PayDue, RenewSubscription
from opora.core.kernel.ports import Clock, UnitOfWork


class Plans(Provider):
    """Plans, who is subscribed to them, and what is used of them."""

    scope = Scope.APP

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings

    @provide
    def unit(self, unit: SqlUnitOfWork) -> AnyOf[UnitOfWork[PlanTx], UnitOfWork[QuotaTx]]:
        return unit

    @provide
    def quota_policy(self) -> QuotaPolicy:
        return QuotaPolicy(self._settings.upgrade_url)

    @provide
    def renewal_policy(self) -> RenewalPolicy:
        return RenewalPolicy(grace=timedelta(days=self._settings.plan_grace_days))

    @provide
    def plans(self, database: Database) -> PlanViews:
        return SqlPlanViews(database.read)

    @provide
    def subscriptions(self, database: Database) -> SubscriptionViews:
        return SqlSubscriptionViews(database.read)

    @provide
    def usage(self, database: Database) -> UsageViews:
        return SqlUsageViews(database.read)

    @provide
    def tiers(self, views: SubscriptionViews, clock: Clock) -> SubscriptionTiers:
        return SqlSubscriptionTiers(views, clock.now)


CONTEXT = Context(
    use_cases=(
        *quotas.USE_CASES,
        *standing.USE_CASES,
        *subscribing.USE_CASES,
        *renewing.USE_CASES,
        *publishing.USE_CASES,
    ),
    providers=lambda settings: (Plans(settings),),
    handlers={RENEW: RenewSubscription, PAY_DUE: PayDue},
    subscriptions={"payment.succeeded": [Subscription("plans", PAY_DUE)]},
    personal=[SqlPlanRecords],
)
