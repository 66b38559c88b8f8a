"""Subscribing to a plan, changing it and cancelling it."""

from dataclasses import dataclass
from datetime import datetime

from opora.core.billing.errors.plans import NoSubscription
from opora.core.billing.events import plans as events
from opora.core.billing.model.plans import FREE, Plan
from opora.core.billing.model.subscriptions import Subscription, SubscriptionStatus
from opora.core.billing.ports.plans import PlanTx
from opora.core.billing.rules import quotas as quota_rules
from opora.core.billing.rules import subscriptions as rules
from opora.core.billing.usecases.plan_telling import tell, write
from opora.core.billing.usecases.posting import charge, credit
from opora.core.kernel.model import Actor, Money
from opora.core.kernel.ports import Clock, UnitOfWork
from opora.core.kernel.rules import instant


async def pay(tx: PlanTx, user_id: int, amount: Money, cause: str, now: datetime) -> None:
    """Take what is owed from somebody's balance, once for a cause; raises BalanceTooLow, having written nothing."""
    if amount.amount_minor:
        await charge(tx, user_id, amount, cause, now)


async def end(
    tx: PlanTx, actor: Actor, subscription: Subscription, status: SubscriptionStatus, now: datetime, back: Money
) -> Subscription:
    """End a subscription, give back what is given back, and tell of it."""
    plan = quota_rules.seeded(subscription.plan, await tx.plans.terms(subscription.plan, subscription.plan_version))
    ended = subscription.ended(status, now)
    await tx.plan_subscriptions.save(ended)
    if back.amount_minor:
        cause = rules.charge_name(subscription, subscription.period_number, "unused")
        await credit(tx, subscription.user_id, back, cause, now)
    refunded = {"refunded_minor": back.amount_minor, "currency": back.currency}
    await tell(tx, actor, events.SubscriptionEnded, subscription, ended, **refunded)
    kind = "expired" if status is SubscriptionStatus.EXPIRED else "cancelled"
    await write(tx, kind, ended, plan, **(refunded if kind == "cancelled" else {}))
    return ended


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Begin a subscription, paid for from the balance."""

    unit: UnitOfWork[PlanTx]
    clock: Clock

    async def __call__(self, actor: Actor, code: str) -> Subscription:
        """Raises PlanUnknown, AlreadyOnPlan for the free plan, AlreadySubscribed, BalanceTooLow."""
        user_id, now = rules.subscriber(actor), self.clock.now()
        async with self.unit() as tx:
            plan = rules.offered(await tx.plans.offered(), code)
            rules.refuse_free(plan)
            over = await tx.plan_subscriptions.locked(user_id)
            if over is not None and quota_rules.plan_code(over, now) == FREE:
                # Its time is over; the job that notes it is late.
                await end(tx, actor, over, rules.end_of(over), now, Money(0, over.currency))
            subscription = rules.started(await tx.plan_subscriptions.next_id(), user_id, plan, now)
            await tx.plan_subscriptions.add(subscription)
            price = Money(plan.price_minor, plan.currency)
            await pay(tx, user_id, price, rules.charge_name(subscription, 0), now)
            await tx.jobs.add(rules.look_again(subscription, subscription.period_end))
            charged = {"charged_minor": price.amount_minor, "currency": price.currency}
            await tell(tx, actor, events.SubscriptionStarted, None, subscription, **charged)
            await write(tx, "subscribed", subscription, plan, **charged, renews_at=instant(subscription.period_end))
        return subscription


@dataclass(frozen=True, slots=True)
class ChangePlan:
    """Go over to another plan: up at once, for the difference of the rest of the period; else when it ends."""

    unit: UnitOfWork[PlanTx]
    clock: Clock

    async def __call__(self, actor: Actor, code: str) -> tuple[Subscription, Money]:
        """Return the subscription and what was charged. The present plan takes back what was to follow.

        Raises PlanUnknown, NoSubscription, SubscriptionPastDue, AlreadyOnPlan, BalanceTooLow.
        """
        user_id, now = rules.subscriber(actor), self.clock.now()
        async with self.unit() as tx:
            plan = rules.offered(await tx.plans.offered(), code)
            before = rules.changeable(await tx.plan_subscriptions.locked(user_id))
            if rules.is_upgrade(before, plan):
                return await self._upgrade(tx, actor, before, plan, now)
            after = before.planned(rules.plan_to_follow(before, plan), now)
            await tx.plan_subscriptions.save(after)
            await tell(tx, actor, events.SubscriptionPlanned, before, after, next_plan=after.next_plan)
        return after, Money(0, after.currency)

    async def _upgrade(
        self, tx: PlanTx, actor: Actor, before: Subscription, plan: Plan, now: datetime
    ) -> tuple[Subscription, Money]:
        price = rules.upgrade_charge(before, plan, now)
        after = before.upgraded(plan, price, now)
        await tx.plan_subscriptions.save(after)
        cause = rules.charge_name(before, before.period_number, f"upgrade:{after.version}")
        await pay(tx, before.user_id, price, cause, now)
        charged = {"charged_minor": price.amount_minor, "currency": price.currency}
        await tell(tx, actor, events.SubscriptionUpgraded, before, after, **charged)
        await write(tx, "upgraded", after, plan, **charged, renews_at=instant(after.period_end))
        return after, price


@dataclass(frozen=True, slots=True)
class CancelSubscription:
    """Cancel a subscription: when the period ends, or at once, for what nobody has used of it."""

    unit: UnitOfWork[PlanTx]
    clock: Clock

    async def __call__(self, actor: Actor, *, at_once: bool) -> tuple[Subscription, Money]:
        """Return the subscription and what went back to the balance; raises NoSubscription.

        One that is not paid for ends at once.
        """
        user_id, now = rules.subscriber(actor), self.clock.now()
        async with self.unit() as tx:
            before = await tx.plan_subscriptions.locked(user_id)
            if before is None:
                raise NoSubscription
            nothing = Money(0, before.currency)
            if at_once or before.status is SubscriptionStatus.PAST_DUE:
                terms = await tx.plans.terms(before.plan, before.plan_version)
                plan, kept = quota_rules.seeded(before.plan, terms), await tx.quotas.since(user_id, now)
                back = rules.refund(before, quota_rules.usage(plan, before.anchor_at, kept, now), now)
                return await end(tx, actor, before, SubscriptionStatus.CANCELLED, now, back), back
            if before.ends_with_period:
                return before, nothing
            after = before.planned(FREE, now)
            await tx.plan_subscriptions.save(after)
            await tell(tx, actor, events.SubscriptionPlanned, before, after, next_plan=FREE)
        return after, nothing


USE_CASES = (Subscribe, ChangePlan, CancelSubscription)
