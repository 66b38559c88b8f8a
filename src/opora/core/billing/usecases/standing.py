"""Which plan somebody is on now, and what is used of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from opora.core.billing.model.plans import FREE
from opora.core.billing.model.quotas import Usage
from opora.core.billing.model.subscriptions import Standing
from opora.core.billing.ports.plans import PlanViews, SubscriptionViews, UsageViews
from opora.core.billing.rules import quotas as rules
from opora.core.billing.rules.subscriptions import subscriber
from opora.core.kernel.model import Actor
from opora.core.kernel.ports import Clock


@dataclass(frozen=True, slots=True)
class ReadStanding:
    """Tell which plan somebody is on at this instant, by which terms."""

    plans: PlanViews
    subscriptions: SubscriptionViews
    clock: Clock

    async def __call__(self, actor: Actor) -> Standing:
        """A subscription whose time is over is none, whether or not the job that notes it has run."""
        user_id, now = subscriber(actor), self.clock.now()
        subscription = await self.subscriptions.live(user_id)
        code = rules.plan_code(subscription, now)
        plan = rules.seeded(code, await self.plans.terms(code, rules.plan_version(subscription, code)))
        return Standing(plan=plan, subscription=None if code == FREE else subscription)


@dataclass(frozen=True, slots=True)
class ReadUsage:
    """Tell how every limit of somebody's plan stands at this instant."""

    read: ReadStanding
    usage: UsageViews
    clock: Clock

    async def __call__(self, actor: Actor) -> tuple[Standing, Sequence[Usage]]:
        """Limits of which nothing was used are among them."""
        user_id, now = subscriber(actor), self.clock.now()
        standing = await self.read(actor)
        since = rules.anchor(standing.subscription, standing.plan.code)
        return standing, rules.usage(standing.plan, since, await self.usage.since(user_id, now), now)


USE_CASES = (ReadStanding, ReadUsage)
