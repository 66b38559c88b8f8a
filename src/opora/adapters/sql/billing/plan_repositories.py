"""The repositories of plans, subscriptions and quotas."""

from functools import cached_property

from opora.adapters.sql.billing.plans import SqlPlanRepository
from opora.adapters.sql.billing.quotas import SqlQuotaRepository
from opora.adapters.sql.billing.subscriptions import SqlSubscriptionRepository
from opora.adapters.sql.repositories import Repositories


class PlanRepositories(Repositories):
    """Rows of plans, subscriptions and quotas inside one transaction."""

    @cached_property
    def plans(self) -> SqlPlanRepository:
        return SqlPlanRepository(self._connection)

    @cached_property
    def plan_subscriptions(self) -> SqlSubscriptionRepository:
        return SqlSubscriptionRepository(self._connection)

    @cached_property
    def quotas(self) -> SqlQuotaRepository:
        return SqlQuotaRepository(self._connection)
