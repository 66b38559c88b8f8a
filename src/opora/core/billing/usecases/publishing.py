"""Publishing the plans on offer."""

from collections.abc import Sequence
from dataclasses import dataclass

from opora.core.billing.model.plans import Plan
from opora.core.billing.ports.plans import PlanTx
from opora.core.billing.rules import publishing as rules
from opora.core.billing.rules.publishing import Publication
from opora.core.kernel.model import Actor, Change
from opora.core.kernel.ports import Clock, UnitOfWork


@dataclass(frozen=True, slots=True)
class PublishPlans:
    """Put exactly these plans on offer. Whoever is on older terms keeps them until the period ends."""

    unit: UnitOfWork[PlanTx]
    clock: Clock

    async def __call__(self, actor: Actor, plans: Sequence[Plan]) -> Publication:
        """Return what that changed, all of it or nothing; raises PlansInvalid."""
        rules.refuse_bad_plans(plans)
        now = self.clock.now()
        async with self.unit() as tx:
            newest = {plan.code: plan for plan in await tx.plans.newest()}
            found = rules.publication(plans, list(newest.values()), now)
            for plan in found.added:
                await tx.plans.publish(plan)
            offered = [code for code in found.offered if await tx.plans.offer(code, is_offered=True)]
            withdrawn = [code for code in found.withdrawn if await tx.plans.offer(code, is_offered=False)]
            changed = Publication(found.added, tuple(offered), tuple(withdrawn))
            for code, new in shown(changed).items():
                old = {"version": newest[code].version} if code in newest else None
                change = Change(
                    actor=actor, action="plan.published", entity_type="plan", entity_id=code, at=now, old=old, new=new
                )
                await tx.audit.record(change)
        return changed


def shown(changed: Publication) -> dict[str, dict[str, object]]:
    """Return what the audit log keeps of each plan that was changed."""
    terms: dict[str, dict[str, object]] = {
        plan.code: {"version": plan.version, "price_minor": plan.price_minor, "is_offered": True}
        for plan in changed.added
    }
    offers = {code: {"is_offered": code in changed.offered} for code in (*changed.offered, *changed.withdrawn)}
    return terms | offers  # type: ignore[return-value]  # plain values both


USE_CASES = (PublishPlans,)
