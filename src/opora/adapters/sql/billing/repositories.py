"""The repositories of plans, the ledger and payments."""

from functools import cached_property

from opora.adapters.sql.billing.ledger import SqlLedger
from opora.adapters.sql.billing.payments import SqlPaymentRepository
from opora.adapters.sql.billing.plan_repositories import PlanRepositories


class BillingRepositories(PlanRepositories):
    """Rows of plans, the ledger and payments inside one transaction."""

    @cached_property
    def ledger(self) -> SqlLedger:
        return SqlLedger(self._connection)

    @cached_property
    def payments(self) -> SqlPaymentRepository:
        return SqlPaymentRepository(self._connection)
