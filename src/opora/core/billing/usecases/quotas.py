"""Holding what a plan includes before work begins, and settling it with the work's end."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from opora.core.billing.model.plans import Plan
from opora.core.billing.model.quotas import QuotaPolicy
from opora.core.billing.ports.plans import QuotaTx
from opora.core.billing.rules import quotas as rules


@dataclass(frozen=True, slots=True)
class Quotas:
    """Quotas for other contexts, inside the transaction of what they are for.

    A hold is made with the work and ended with it: `settle` or `release` in the transaction of the work's end, once.
    """

    policy: QuotaPolicy

    async def hold(self, tx: QuotaTx, person_id: int, wanted: Mapping[str, int], hold_id: str, now: datetime) -> Plan:
        """Set aside units of features (`{"generate.requests": 1, "generate.tokens": 800}`); return the person's plan.

        All or nothing: a refusal is raised and the transaction is to be left by it. Raises UpgradeRequired where the
        plan lacks a feature, QuotaExhausted where a limit would be passed; counted at this instant, however many ask.
        A feature without a limit needs no more than to be included.
        """
        subscription = await tx.plan_subscriptions.live(person_id)
        code = rules.plan_code(subscription, now)
        plan = rules.seeded(code, await tx.plans.terms(code, rules.plan_version(subscription, code)))
        rules.refuse_lacking(plan, wanted, self.policy)
        since = rules.anchor(subscription, plan.code)
        for hold, span, bound in rules.holds(plan, since, wanted, hold_id, person_id, now):
            if not await tx.quotas.hold(hold, span, bound):
                raise rules.exhausted(hold, span, bound or 0, await tx.quotas.of_period(hold), self.policy)
        return plan

    async def settle(self, tx: QuotaTx, hold_id: str, used: Mapping[str, int]) -> bool:
        """End a hold with what was used of each feature; one that is not named was not used.

        What was used beyond the hold is kept as overage and refused to nobody. Tells False, and counts nothing, where
        nothing is held under this id: it has ended, or no limit bounds what it was for.
        """
        holds = await tx.quotas.end(hold_id)
        for hold in holds:
            await tx.quotas.count(hold, *rules.split(hold.units, used.get(hold.feature, 0)))
        return bool(holds)

    async def release(self, tx: QuotaTx, hold_id: str) -> bool:
        """End a hold of which nothing was used; tell False where nothing is held under this id."""
        holds = await tx.quotas.end(hold_id)
        for hold in holds:
            await tx.quotas.count(hold, 0, 0)
        return bool(holds)


USE_CASES = (Quotas,)
