"""What becomes of subscriptions by themselves: renewed, unpaid, over."""

from dataclasses import dataclass
from datetime import datetime

from opora.core.billing.errors.ledger import BalanceTooLow
from opora.core.billing.events import plans as events
from opora.core.billing.model.plans import Plan
from opora.core.billing.model.subscriptions import RenewalPolicy, Subscription, SubscriptionStatus
from opora.core.billing.ports.plans import PlanTx
from opora.core.billing.rules import subscriptions as rules
from opora.core.billing.rules.quotas import seeded
from opora.core.billing.usecases.plan_telling import tell, write
from opora.core.billing.usecases.subscribing import end, pay
from opora.core.jobs.model import Claim
from opora.core.kernel.model import SYSTEM, Money
from opora.core.kernel.ports import Clock, UnitOfWork
from opora.core.kernel.rules import instant


async def step(tx: PlanTx, subscription: Subscription, policy: RenewalPolicy, now: datetime) -> None:
    """Take the step that a live subscription is due for at this instant, if any, and see to the next.

    Taken twice, or too early, it does no harm. Whoever was blocked is charged for nothing that they cannot use: what
    they paid for ends with its period.
    """
    nothing = Money(0, subscription.currency)
    if now < subscription.period_end:
        await tx.jobs.add(rules.look_again(subscription, subscription.period_end))
    elif subscription.ends_with_period or await tx.plan_subscriptions.is_blocked(subscription.user_id):
        await end(tx, SYSTEM, subscription, SubscriptionStatus.CANCELLED, now, nothing)
    elif subscription.grace_until is not None and now >= subscription.grace_until:
        await end(tx, SYSTEM, subscription, SubscriptionStatus.EXPIRED, now, nothing)
    else:
        code = rules.next_code(subscription)
        plan = seeded(code, await tx.plans.terms(code))
        await renew(tx, subscription, plan, policy, now)


async def renew(tx: PlanTx, subscription: Subscription, plan: Plan, policy: RenewalPolicy, now: datetime) -> None:
    """Begin the next period where the balance covers it; else let the days of grace begin, or go on."""
    span, price = rules.next_span(subscription, now), Money(plan.price_minor, plan.currency)
    try:
        await pay(tx, subscription.user_id, price, rules.charge_name(subscription, span.number), now)
    except BalanceTooLow:
        await wait(tx, subscription, plan, policy, now)
        return
    renewed = subscription.renewed(plan, span, now)
    await tx.plan_subscriptions.save(renewed)
    await tx.jobs.add(rules.look_again(renewed, renewed.period_end))
    charged = {"charged_minor": price.amount_minor, "currency": price.currency}
    await tell(tx, SYSTEM, events.SubscriptionRenewed, subscription, renewed, **charged)
    await write(tx, "renewed", renewed, plan, **charged, renews_at=instant(renewed.period_end))


async def wait(tx: PlanTx, subscription: Subscription, plan: Plan, policy: RenewalPolicy, now: datetime) -> None:
    """Note that a period is not paid for, once, and ask again until the days of grace are over."""
    due = subscription
    if subscription.grace_until is None:
        due = subscription.fallen_due(policy.grace, now)
        await tx.plan_subscriptions.save(due)
        until = due.grace_until or now
        await tell(tx, SYSTEM, events.SubscriptionFellDue, subscription, due, grace_until=until)
        owed = {"owed_minor": plan.price_minor, "currency": plan.currency}
        await write(tx, "payment_failed", due, plan, **owed, grace_until_at=instant(until))
    await tx.jobs.add(rules.look_again(due, min(now + policy.ask_every, due.grace_until or now)))


@dataclass(frozen=True, slots=True)
class RenewSubscription:
    """Do what is due for a subscription at its time; a job runs it then."""

    unit: UnitOfWork[PlanTx]
    policy: RenewalPolicy
    clock: Clock

    async def __call__(self, claim: Claim) -> None:
        """One that is over is let be."""
        now = self.clock.now()
        async with self.unit() as tx:
            subscription = await tx.plan_subscriptions.get(int(str(claim.payload["subscription_id"])))
            if subscription is not None and subscription.is_live:
                await step(tx, subscription, self.policy, now)
            await tx.jobs.finish(claim)


@dataclass(frozen=True, slots=True)
class PayDue:
    """Pay for what is due as soon as there is money; an event about a payment starts it."""

    unit: UnitOfWork[PlanTx]
    policy: RenewalPolicy
    clock: Clock

    async def __call__(self, claim: Claim) -> None:
        """A payment of nobody, or of somebody who owes nothing, is let be."""
        now, user_id = self.clock.now(), claim.event.get("user_id")
        async with self.unit() as tx:
            subscription = None if user_id is None else await tx.plan_subscriptions.locked(int(str(user_id)))
            if subscription is not None and subscription.status is SubscriptionStatus.PAST_DUE:
                await step(tx, subscription, self.policy, now)
            await tx.jobs.finish(claim)


USE_CASES = (RenewSubscription, PayDue)
